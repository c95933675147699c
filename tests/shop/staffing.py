"""People behind the counter for tests, and what they see."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.messages import get_messages
from django.test import Client

from shop.models import Order

ORDERS = "/admin/shop/order/"
_OURS = ("fulfil_order", "cancel_order", "refund_order")


def staff(*permissions: str, name: str = "clerk") -> Client:
    """The browser of somebody who has these permissions, by their code names."""
    for codename in _OURS:
        about = ContentType.objects.get_for_model(Order)
        Permission.objects.get_or_create(codename=codename, content_type=about, defaults={"name": codename})
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def packer() -> Client:
    """Somebody who does everything with orders."""
    return staff("view_order", "change_payment", *_OURS)


def page_of(order: Order, page: str = "change") -> str:
    return f"{ORDERS}{order.pk}/{page}/"


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def text_of(response: Any) -> str:
    """What a reader sees of the page's own part, on one line."""
    page = response.text.partition("<main>")[2].partition("</main>")[0] or response.text
    return unescape(" ".join(re.sub(r"<(script|option)\b.*?</\1>|<[^>]+>", " ", page, flags=re.S).split()))


def form_of(client: Client, address: str) -> dict[str, str]:
    """The fields of the page's form as a browser would send them back untouched."""
    page = client.get(address)
    assert (address, page.status_code) == (address, 200)
    main = page.text.partition("<main>")[2].partition("</main>")[0]
    fields = {}
    for tag in re.findall(r"<input\b[^>]*>", main):
        name, value = re.search(r'\bname="([^"]*)"', tag), re.search(r'\bvalue="([^"]*)"', tag)
        if name and name[1] != "csrfmiddlewaretoken":
            fields[name[1]] = unescape(value[1]) if value else ""
    for name, options in re.findall(r'<select name="(\w+)".*?>(.*?)</select>', main, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        fields[name] = chosen[1] if chosen else ""
    return fields


def pieces(order: Order, **by_sku: int) -> dict[str, str]:
    """Fields that ask for so many pieces of each line, and none of the others."""
    return {f"pieces_{line.pk}": str(by_sku.get(line.sku, 0)) for line in order.lines.all()}
