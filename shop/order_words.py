"""What an order's page says first: how it stands, in plain words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from shop.charging import Outcome, Result
from shop.models import Order


@dataclass(frozen=True, slots=True)
class Words:
    """`tone` is good, look or bad; `waits`: it will change by itself in a moment, so look again.

    Those below are in English, marked to be translated by `words`.
    """

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
    Order.State.FULFILLED: Words(
        _("Your order is on its way"), _("Everything was sent; the parcels are below.")
    ),
    Order.State.DELIVERED: Words(_("Your order was delivered"), _("We hope that you like it.")),
    Order.State.CANCELLED: Words(_("This order was cancelled"), _("Nothing will be sent."), "bad"),
    Order.State.REFUNDED: Words(
        _("This order was refunded"),
        _("You get all of your money back. With some banks it takes a few days until you see it."),
        "look",
    ),
}
_EXPIRED = Words(
    _("This order has ended"),
    _(
        "It was not paid in time, so the goods are for sale again. Put them into the cart once more if you"
        " still would like them."
    ),
    "bad",
)
_NOT_PAID = Words(_("Your order is not paid yet"), _("Choose how you would like to pay it, below."), "look")
_UNPAID = {
    Result.UNDER_WAY: Words(
        _("We are waiting for the bank's answer"),
        _(
            "This page looks again by itself, and you may close it: we will write to you. Please don't pay a"
            " second time."
        ),
        "look",
        waits=True,
    ),
    Result.REDIRECT: Words(
        _("One step is left to pay"),
        _(
            "Go on to the payment page. If you have paid there already, wait a moment: this page looks again"
            " by itself."
        ),
        "look",
        waits=True,
    ),
    Result.AWAITING: Words(
        _("Thank you, your order is placed"),
        _("We send it as soon as your bank transfer has arrived."),
        "look",
    ),
    # A moment between two transactions: it says so at the next look.
    Result.PAID: Words(_("We are looking after your payment"), _("This takes a moment."), "look", waits=True),
}
_PARTLY_SENT = Words(_("Part of your order is on its way"), _("We send the rest as soon as we can."))
_PAID = Words(
    _("Thank you, your order is paid"), _("We are getting it ready and write to you when it is sent.")
)


def words(order: Order, *, outcome: Outcome | None, is_overdue: bool, is_partly_sent: bool) -> Words:
    """How the order stands, in the reader's language; `outcome` is that of its last payment, if any."""
    state = Order.State(order.state)
    if state == Order.State.PENDING:
        return _unpaid(outcome, is_overdue=is_overdue)
    if state == Order.State.REFUNDED and not order.total:  # it cost nothing, and was called off
        return _translated(_SETTLED[Order.State.CANCELLED])
    if state in (Order.State.EXPIRED, Order.State.CANCELLED):
        return _with_money(order, _translated(_SETTLED.get(state, _EXPIRED)))
    if state == Order.State.PAID:
        return _translated(_PARTLY_SENT if is_partly_sent else _PAID)
    return _translated(_SETTLED[state])


def _unpaid(outcome: Outcome | None, *, is_overdue: bool) -> Words:
    if outcome and outcome.result in _UNPAID:
        return _translated(_UNPAID[outcome.result])
    if is_overdue:
        return _translated(_EXPIRED)
    if outcome is None:
        return _translated(_NOT_PAID)
    rest = gettext("Nothing was charged. You can try again below, or pay in another way.")
    return Words(gettext("The payment did not go through"), f"{outcome.message} {rest}", "bad")


def _with_money(order: Order, ended: Words) -> Words:
    """An order that is over may have been paid after all."""
    if order.kept > 0:
        back = gettext("Your payment came too late; we give it back to you.")
        return Words(ended.title, f"{ended.text} {back}", "look")
    return ended


def _translated(said: Words) -> Words:
    return replace(said, title=gettext(said.title), text=gettext(said.text))


def steps(order: Order) -> list[Step]:
    """What has been done of it, and what is to come."""
    return [
        Step(gettext("Ordered"), order.placed_at),
        Step(gettext("Paid"), order.paid_at),
        Step(gettext("Sent"), order.fulfilled_at),
        Step(gettext("Delivered"), order.delivered_at),
    ]
