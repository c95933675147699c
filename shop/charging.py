"""Money at the providers. Stand-in for the gateways: a refund is recorded as if the provider had made it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from shop import paying
from shop.models import Payment, Refund


def refund(
    *,
    payment: Payment,
    amount: Decimal,
    key: str,
    restock: Mapping[str, int] | None = None,
    reason: str = "",
    by: str = "",
) -> Refund:
    """Give money back: reserve, ask the provider, record. Raises as `shop.paying` does."""
    begun = paying.reserve_refund(
        payment=payment, amount=amount, key=key, restock=restock, reason=reason, by=by
    )
    return paying.refund_recorded(refund=begun, provider_reference=key)
