"""What mails look like that people asked for, filled with made-up data, and what staff are told of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone, translation

from notifications import kinds, messages, subscription_mails
from notifications.kinds import Kind
from notifications.messages import Rendered
from shop.models import Product, Subscription
from shop.subscription_forms import CART_WORDING, STOCK_WORDING

_LINK = f"{settings.SITE_URL}/mails/sample/"


class _Row(NamedTuple):
    """A line of a cart, as the template asks for it."""

    quantity: int
    name: str
    options: dict[str, str]
    amount: Decimal


def connect() -> None:
    """Register the kinds; called once, when Django is ready."""
    mug = Product(name="Stoneware mug", options={"Colour": "sand"}, price=Decimal("24.50"))
    rows = [
        _Row(2, "Stoneware mug", {"Colour": "sand", "Size": "S"}, Decimal("49.00")),
        _Row(1, "Cutting board, oiled oak", {}, Decimal("89.00")),
    ]
    samples: dict[str, tuple[str, str, dict[str, dict[str, Any]]]] = {
        "confirm_subscription": (
            "Question to confirm",
            "Somebody asked for a mail, and nobody knows yet whether the address is theirs",
            {"About a product": {"product": mug}, "About a cart": {"wording": CART_WORDING}},
        ),
        "back_in_stock": (
            "Back in stock",
            "A product can be had again that its reader waits for",
            {"A variant": {"product": mug}},
        ),
        "abandoned_cart": (
            "Cart left behind",
            "A cart was left without ordering, and its reader wished to be reminded",
            {"Two things": {"rows": rows, "total": Decimal("138.00")}},
        ),
    }  # fmt: skip
    for name, (title, when, shapes) in samples.items():
        shown = {shape: partial(_sample, name, more) for shape, more in shapes.items()}
        kinds.register(Kind(name, title, when, shown, is_optional=name != "confirm_subscription"))


def _sample(kind: str, more: Mapping[str, Any], language: str) -> Rendered:
    with translation.override(language):
        wording = str(more.get("wording", STOCK_WORDING))
    asked = Subscription(
        pk=0, email="kim@example.com", language=language, asked_at=timezone.now(), wording=wording
    )
    context = subscription_mails.context(asked, {"link": _LINK, **more})
    return messages.render(kind, context, language=language)
