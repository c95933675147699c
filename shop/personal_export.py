"""The file that a customer gets of all that is held about them: plain dictionaries, lists and texts."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet

from shop.models import Cart, Order, Subscription

# Ours alone, and of no use outside: keys of rows, and what would let somebody else in.
_LEFT_OUT = {"id", "token", "customer", "order", "payment", "product", "cart", "counted", "idempotency_key"}


def exported(
    *, user: User | None, orders: QuerySet[Order], subscriptions: QuerySet[Subscription]
) -> dict[str, Any]:
    """Account, carts, orders with their lines, events, payments and shipments, mails that were asked for.
    Amounts as text, times in ISO 8601 with their zone; no passwords, and no secrets of second factors."""
    parts = orders.select_related("discount_use").prefetch_related(
        "lines", "events", "payments__refunds", "shipments__lines__line"
    )
    return {
        "account": _account(user) if user else None,
        "carts": _carts(user) if user else [],
        "orders": [_order(order) for order in parts],
        "mails_asked_for": [_plain(one) for one in subscriptions],
    }


def _account(user: User) -> dict[str, Any]:
    addresses = EmailAddress.objects.filter(user=user).order_by("pk")
    factors = Authenticator.objects.filter(user=user).order_by("pk")
    names = ("username", "email", "first_name", "last_name", "date_joined", "last_login", "is_active")
    return {
        **{name: getattr(user, name) for name in names},
        "email_addresses": list(addresses.values("email", "verified", "primary")),
        "second_factors": list(factors.values("type", "created_at", "last_used_at")),
    }


def _carts(user: User) -> list[dict[str, Any]]:
    return [
        {
            "updated_at": cart.updated_at,
            "lines": [_plain(line) for line in cart.lines.all()],
        }
        for cart in Cart.objects.filter(customer=user).prefetch_related("lines")
    ]


def _order(order: Order) -> dict[str, Any]:
    return {
        **_plain(order),
        "lines": [_plain(line) for line in order.lines.all()],
        "events": [_plain(event) for event in order.events.all()],
        "payments": [
            {**_plain(payment), "refunds": [_plain(refund) for refund in payment.refunds.all()]}
            for payment in order.payments.all()
        ],
        "shipments": [
            {**_plain(shipment), "lines": {one.line.sku: one.quantity for one in shipment.lines.all()}}
            for shipment in order.shipments.all()
        ],
    }


def _plain(row: Model) -> dict[str, Any]:
    """All columns of a row that say something about the customer."""
    fields = [field for field in row._meta.concrete_fields if field.name not in _LEFT_OUT]
    return {field.name: field.value_from_object(row) for field in fields}
