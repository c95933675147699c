"""An order's history in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from shop.models import Order, OrderEvent, Payment, Refund
from shop.order_pages.steps import money

Kind = OrderEvent.Kind


class Chapter(NamedTuple):
    """Something that happened: when, what in a few words, more of it, by whom, and what it means."""

    at: datetime
    what: str
    more: str
    by: str
    meaning: str


_MEANINGS = {
    Kind.PAID: "good",
    Kind.SHIPPED: "good",
    Kind.DELIVERED: "good",
    Kind.PAID_LATE: "look",
    Kind.REFUNDED: "look",
    Kind.CANCELLED: "bad",
    Kind.EXPIRED: "bad",
}


def story_of(order: Order, events: Iterable[OrderEvent], payments: Iterable[Payment]) -> list[Chapter]:
    """What happened to the order, in order; `payments` with their refunds."""
    taken = {str(payment.pk): payment for payment in payments}
    given = {str(refund.pk): refund for payment in taken.values() for refund in payment.refunds.all()}
    return [_chapter(order, event, taken, given) for event in events]


def _chapter(
    order: Order, event: OrderEvent, taken: Mapping[str, Payment], given: Mapping[str, Refund]
) -> Chapter:
    kind, details = Kind(event.kind), event.details
    what, more = str(kind.label).capitalize(), ""
    if kind == Kind.PAID:
        payment = taken.get(details.get("payment") or "")
        more = (
            f"{money(payment.amount, order)} by {payment.gateway}" if payment else "There was nothing to pay"
        )
    elif kind == Kind.PAID_LATE:
        more = f"{money(Decimal(details['amount']), order)} came and must be given back"
    elif kind == Kind.SHIPPED:
        what, more = f"Shipment {details['shipment']} sent", _listed(details.get("pieces", {}))
    elif kind == Kind.TRACKING:
        what, more = f"Tracking of shipment {details['shipment']} changed", _fields(details["changed"])
    elif kind == Kind.CANCELLED:
        more = order.cancel_reason
    elif kind == Kind.REFUNDED:
        more = _refund_text(order, details, given.get(details["refund"]))
    by = "the customer" if details.get("by_customer") else event.by
    return Chapter(event.at, what, more, by, _MEANINGS.get(kind, "rest"))


def _refund_text(order: Order, details: Mapping[str, Any], refund: Refund | None) -> str:
    said = [money(Decimal(details["amount"]), order)]
    if details.get("restocked"):
        said.append(f"back into stock: {_listed(details['restocked'])}")
    if refund and refund.reason:
        said.append(refund.reason)
    return "; ".join(said)


def _fields(names: Iterable[str]) -> str:
    """`carrier, tracking code`."""
    return ", ".join(name.replace("tracking_url", "tracking address").replace("_", " ") for name in names)


def _listed(pieces: Mapping[str, int]) -> str:
    """`2 × KNIFE, 1 × FORK`."""
    return ", ".join(f"{quantity:,} × {sku}" for sku, quantity in pieces.items())
