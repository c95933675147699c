"""What every template of the storefront may say."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def shop(request: HttpRequest) -> dict[str, Any]:
    """The shop's name, and from where down it says how little is left."""
    return {"shop_name": settings.SHOP_NAME, "low_stock": settings.LOW_STOCK}
