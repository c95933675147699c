"""What a customer does at the storefront, by HTTP: fill the cart, fill in the checkout, look."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.test import Client

from shop.models import CartLine, Product


def add(client: Client, product: Product, quantity: object = 1, **more: Any) -> Any:
    """Press “Add to cart”; returns the answer that was led to."""
    said = {"product": str(product.pk), "quantity": str(quantity)}
    return client.post("/cart/add/", said, follow=True, **more)


def in_carts() -> dict[str, int]:
    """SKU → pieces, in all carts."""
    return dict(CartLine.objects.values_list("sku", "quantity"))


def hidden(page: str) -> dict[str, str]:
    """Names and values of the hidden fields of a page."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found}


def told(page: str) -> list[str]:
    """The problems that a page tells of, each as it stands."""
    classes = "st-wrong|st-tag st-look|st-say st-say-bad"
    found = re.findall(rf'<(?:p|span|li) class="(?:{classes})"[^>]*>([^<]*)</', page)
    return [unescape(text).strip() for text in found]


def buttons(page: str) -> list[str]:
    """What the buttons and button-like links of the page's content say."""
    main = page[page.index("<main") :]
    found = re.findall(r'class="st-button[^"]*"[^>]*>([^<]*)<', main)
    return [unescape(text).strip() for text in found]


WHO = {
    "email": "kim@example.com",
    "name": "Kim Doe",
    "line1": "Main Street 1",
    "city": "Bern",
    "postcode": "3000",
    "country": "CH",
    "delivery": "post",
    "payment": "test-card",
    "card_number": "4242 4242 4242 4242",
}


def filled_in(client: Client, **said: str) -> dict[str, str]:
    """The checkout's form as a customer has filled it in, with the total that the page shows then."""
    form = {**WHO, **said}
    begun = hidden(client.get("/checkout/").text)
    seen = hidden(client.post("/checkout/", {**form, "key": begun["key"], "update": "1"}).text)
    return {**form, "key": begun["key"], "total": seen.get("total", "")}


def check_out(client: Client, **said: str) -> Any:
    """Fill in the checkout and press “Place the order”; returns the answer."""
    return client.post("/checkout/", filled_in(client, **said))
