"""What an order's page says first: how it stands, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shop.charging import Outcome, Result
from shop.models import Order


@dataclass(frozen=True, slots=True)
class Words:
    """`tone` is good, look or bad; `waits`: it will change by itself in a moment, so look again."""

    title: str
    text: str
    tone: str = "good"
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A part of an order's way that everybody knows, and when it was done (UTC), if it is."""

    name: str
    at: datetime | None


_SETTLED = {
    Order.State.FULFILLED: Words("Your order is on its way", "Everything was sent; the parcels are below."),
    Order.State.DELIVERED: Words("Your order was delivered", "We hope that you like it."),
    Order.State.CANCELLED: Words("This order was cancelled", "Nothing will be sent.", "bad"),
    Order.State.REFUNDED: Words(
        "This order was refunded",
        "You get all of your money back. With some banks it takes a few days until you see it.",
        "look",
    ),
}
_EXPIRED = Words(
    "This order has ended",
    "It was not paid in time, so the goods are for sale again. Put them into the cart once more if you still"
    " would like them.",
    "bad",
)
_NOT_PAID = Words("Your order is not paid yet", "Choose how you would like to pay it, below.", "look")
_UNPAID = {
    Result.UNDER_WAY: Words(
        "We are waiting for the bank's answer",
        "This page looks again by itself, and you may close it: we will write to you. Please don't pay a"
        " second time.",
        "look",
        waits=True,
    ),
    Result.REDIRECT: Words(
        "One step is left to pay",
        "Go on to the payment page. If you have paid there already, wait a moment: this page looks again by"
        " itself.",
        "look",
        waits=True,
    ),
    Result.AWAITING: Words(
        "Thank you, your order is placed", "We send it as soon as your bank transfer has arrived.", "look"
    ),
    # A moment between two transactions: it says so at the next look.
    Result.PAID: Words("We are looking after your payment", "This takes a moment.", "look", waits=True),
}


def words(order: Order, *, outcome: Outcome | None, is_overdue: bool, is_partly_sent: bool) -> Words:
    """How the order stands; `outcome` is that of its last payment, if there was one."""
    state = Order.State(order.state)
    if state == Order.State.PENDING:
        return _unpaid(outcome, is_overdue=is_overdue)
    if state == Order.State.REFUNDED and not order.total:  # it cost nothing, and was called off
        return _SETTLED[Order.State.CANCELLED]
    if state in (Order.State.EXPIRED, Order.State.CANCELLED):
        return _with_money(order, _SETTLED.get(state, _EXPIRED))
    if state == Order.State.PAID and is_partly_sent:
        return Words("Part of your order is on its way", "We send the rest as soon as we can.")
    if state == Order.State.PAID:
        return Words(
            "Thank you, your order is paid", "We are getting it ready and write to you when it is sent."
        )
    return _SETTLED[state]


def _unpaid(outcome: Outcome | None, *, is_overdue: bool) -> Words:
    if outcome and outcome.result in _UNPAID:
        return _UNPAID[outcome.result]
    if is_overdue:
        return _EXPIRED
    if outcome is None:
        return _NOT_PAID
    text = f"{outcome.message} Nothing was charged. You can try again below, or pay in another way."
    return Words("The payment did not go through", text, "bad")


def _with_money(order: Order, ended: Words) -> Words:
    """An order that is over may have been paid after all."""
    if order.kept > 0:
        text = f"{ended.text} Your payment came too late; we give it back to you."
        return Words(ended.title, text, "look")
    return ended


def steps(order: Order) -> list[Step]:
    """What has been done of it, and what is to come."""
    return [
        Step("Ordered", order.placed_at),
        Step("Paid", order.paid_at),
        Step("Sent", order.fulfilled_at),
        Step("Delivered", order.delivered_at),
    ]
