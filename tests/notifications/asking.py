"""Asking for mails at the storefront by HTTP, beat's ticks, and what then lies in the mailbox."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from celery import current_app
from django.db.models import F
from django.test import Client

from notifications.models import Message
from shop.models import Cart, Product, Subscription
from tests.notifications.conftest import do_round

KIM = "kim@example.com"


def ask_stock(product: Product, email: str = KIM, client: Client | None = None) -> Any:
    """Press “Write to me” on the page of a product that is sold out."""
    return (client or Client()).post("/mails/stock/", {"product": str(product.pk), "email": email})


def ask_cart(client: Client, email: str = KIM, wants: str = "1") -> Any:
    """Tick the box below the cart, and save."""
    return client.post("/mails/cart/", {"wants": wants, "email": email} if wants else {})


def link_in(message: Message, purpose: str) -> str:
    """The path of the mail's link that does this."""
    found = re.search(rf"https?://[^/\s]+(/mails/\S+/{purpose}/)", message.text)
    assert found, message.text
    return found[1]


def mails(kind: str = "", to: str = KIM) -> list[Message]:
    found = Message.objects.filter(recipient=to, kind__startswith=kind).order_by("pk")
    return list(found)


def confirm(to: str = KIM) -> Any:
    """Follow the link of the latest question to the address, and press its button."""
    return Client().post(link_in(mails("confirm_subscription", to)[-1], "confirm"))


def tick() -> None:
    """What beat's ticks have workers do, at once and twice: two workers may get the same one."""
    for _ in range(2):
        for name in ("shop.tell_restocked", "shop.remind_of_carts", "shop.purge_subscriptions"):
            current_app.tasks[name].apply().get()


def send_all() -> None:
    """Let a worker deliver what waits in the outbox."""
    do_round().get()


def hours_pass(hours: float) -> None:
    """Carts, consents and orders become so much older."""
    then = timedelta(hours=hours)
    Cart.objects.update(updated_at=F("updated_at") - then)
    for name in ("asked_at", "confirmed_at"):
        Subscription.objects.update(**{name: F(name) - then})


def states() -> list[tuple[str, str]]:
    """Address and state of all that was asked for, in their order."""
    return [(one.email, one.state.value) for one in Subscription.objects.order_by("pk")]
