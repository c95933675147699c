"""What every template of the storefront may say."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from shop import session_cart


def shop(request: HttpRequest) -> dict[str, Any]:
    """The shop's name, from where down it says how little is left, and how many pieces are in the visitor's
    cart: asked for when a page says it, and never kept with what pages have in common."""
    return {
        "shop_name": settings.SHOP_NAME,
        "low_stock": settings.LOW_STOCK,
        "cart_pieces": lambda: session_cart.pieces(request),
    }
