"""What the settings should say before invoices go out: told by `manage.py check --deploy`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


@register(deploy=True)
def invoices_name_the_seller(**_: Any) -> list[CheckMessage]:
    """An invoice without the seller's address is none, in most countries."""
    if settings.SELLER_ADDRESS:
        return []
    says = "Invoices are issued without the seller's address: SELLER_ADDRESS is empty."
    hint = "Set SELLER_NAME, SELLER_ADDRESS and, if you have one, SELLER_VAT_ID."
    return [Warning(says, hint=hint, id="invoices.W001")]
