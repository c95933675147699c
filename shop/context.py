"""What every template of the storefront may say."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from shop import session_cart

# Pages that answer a form at an address of its own, and where to come back to from them.
_ANSWERS = {"shop:add": "shop:cart", "shop:change_cart": "shop:cart", "shop:pay": "shop:order"}


def shop(request: HttpRequest) -> dict[str, Any]:
    """The shop's name; its languages, and where to go back to after choosing one, blank for where one came
    from; from where down it says how little is left; and how many pieces are in the visitor's cart: asked for
    when a page says it, and never kept with what pages have in common."""
    return {
        "shop_name": settings.SHOP_NAME,
        "languages": settings.LANGUAGES,
        "back": _back(request),
        "low_stock": settings.LOW_STOCK,
        "cart_pieces": lambda: session_cart.pieces(request),
    }


def _back(request: HttpRequest) -> str:
    match = request.resolver_match
    page = _ANSWERS.get(match.view_name) if match else None
    return reverse(page, kwargs=match.kwargs) if match and page else ""
