"""Carts, checkouts and orders for tests, with everything filled in that a test does not care about."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import count
from typing import Any

from shop import carts, ordering, paying, reconciling
from shop.models import Cart, DeliveryMethod, Order, Payment, Product
from shop.placing import Address, Checkout, Placed

_numbers = count(1)
ADDRESS = Address(name="Kim Doe", line1="Main Street 1", city="Bern", country="CH", postcode="3000")


def a_cart(pieces: Mapping[str, int] | None = None) -> Cart:
    """A session's cart with so many pieces of these SKUs."""
    cart = carts.of(key=f"session-{next(_numbers)}")
    for sku, quantity in (pieces or {}).items():
        carts.put(cart=cart, product=Product.objects.get(sku=sku), quantity=quantity)
    return cart


def a_checkout(**said: Any) -> Checkout:
    """Delivered free of charge to somebody."""
    DeliveryMethod.objects.get_or_create(code="post", defaults={"name": "Post"})
    return Checkout(**{"email": "kim@example.com", "address": ADDRESS, "delivery": "post", **said})


def place(cart: Cart, *, key: str = "", **said: Any) -> Placed:
    """Place the cart's order with a key of its own, unless one is given."""
    key = key or f"key-{next(_numbers)}"
    return ordering.place(cart=cart, customer=None, key=key, checkout=a_checkout(**said))


def an_order(pieces: Mapping[str, int], **said: Any) -> Order:
    """An order of so many pieces of these SKUs, unpaid."""
    return Order.objects.get(pk=place(a_cart(pieces), **said).order_id)


def a_payment(order: Order, **said: Any) -> Payment:
    """A payment for the order, under way."""
    key = f"payment-{next(_numbers)}"
    return paying.reserve_payment(**{"order": order, "gateway": "test-card", "key": key, **said})


def a_paid_order(pieces: Mapping[str, int], **said: Any) -> Order:
    """An order that is paid."""
    order = an_order(pieces, **said)
    paying.mark_paid(payment=a_payment(order), provider_reference=f"charge-{next(_numbers)}")
    order.refresh_from_db()
    return order


def refund(order: Order, amount: Decimal | str, **said: Any) -> Order:
    """Give so much of the order's first payment back; returns the order as it is then."""
    key = f"refund-{next(_numbers)}"
    payment = order.payments.get()
    begun = paying.reserve_refund(payment=payment, amount=Decimal(amount), key=key, **said)
    paying.refund_recorded(refund=begun, provider_reference=key)
    order.refresh_from_db()
    return order


def stocks() -> dict[str, int]:
    """SKU → pieces in stock."""
    return dict(Product.objects.values_list("sku", "stock"))


def findings() -> list[str]:
    """What `reconcile` would print."""
    return list(reconciling.findings())
