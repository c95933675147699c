"""Which state of an order may follow which, and the one way to get there."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now

from shop.models import Order, OrderEvent

State = Order.State
# From a state to those that may follow it; docs/orders.md draws it.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.PAID, State.CANCELLED, State.EXPIRED}),
    State.PAID: frozenset({State.FULFILLED, State.REFUNDED}),
    State.FULFILLED: frozenset({State.DELIVERED, State.REFUNDED}),
    State.DELIVERED: frozenset({State.REFUNDED}),
    State.CANCELLED: frozenset(),
    State.EXPIRED: frozenset(),
    State.REFUNDED: frozenset(),
}
_STAMPS = {
    State.PAID: "paid_at",
    State.FULFILLED: "fulfilled_at",
    State.DELIVERED: "delivered_at",
    State.CANCELLED: "ended_at",
    State.EXPIRED: "ended_at",
    State.REFUNDED: "ended_at",
}


class NotAllowed(Exception):  # noqa: N818 - an outcome, not a fault
    """An order can't do that in its state; the message says why, for people."""


def locked(order: Order) -> Order:
    """The order as it is now, which nobody else changes until the transaction ends."""
    return Order.objects.select_for_update(no_key=True).get(pk=order.pk)


def move(order: Order, to: State, **also: Any) -> None:
    """Bring the order, and its row, into that state, with other columns that go along with it; raises
    NotAllowed from one that has no way there."""
    sources = [state for state, following in TRANSITIONS.items() if to in following]
    values = {"state": to, _STAMPS[to]: Now(), **also}
    moved = Order.objects.filter(pk=order.pk, state__in=sources).update(**values)
    order.refresh_from_db()
    if not moved:
        raise NotAllowed(f"{order} is {order.get_state_display()}, so it can't become {to.label}.")


def note(order: Order, kind: OrderEvent.Kind, *, by: str = "", **details: Any) -> OrderEvent:
    """Add to the order's history what happened, with the state it has now."""
    return OrderEvent.objects.create(order=order, kind=kind, state=order.state, by=by, details=details)
