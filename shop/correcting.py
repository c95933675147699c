"""Mend what a customer mistyped in an order, when they can't."""

from __future__ import annotations

from shop.models import Order


def email(*, order: Order, wrong: str, right: str) -> bool:
    """Have the order belong to another address; False where it does not have the wrong one (any more).

    Whoever has shown that the new address is theirs sees the order in their account, as with any guest's.
    """
    found = Order.objects.filter(pk=order.pk, email=wrong, erased_at__isnull=True)
    return bool(found.update(email=right))
