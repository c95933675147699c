"""Money of orders, at the shop's side: reserve; outside any transaction the provider moves it; record.

Each verb is one transaction and may be said again. What a process that died in between left is finished by
whoever finds its row, by asking the provider again with the row's key. Only what the provider has said for
certain is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest, Least, Now
from django.utils.translation import gettext

from shop import signals
from shop.models import Order, OrderEvent, Payment, Refund
from shop.ordering import CHARGING, become_paid, complete_if_sent, give_back
from shop.placing import KeyConflict
from shop.transitions import TRANSITIONS, NotAllowed, State, locked, move, note
from shop.trying import patiently

TAKEN = (Payment.State.CAPTURED, Payment.State.STRAY)
_OPEN = (*CHARGING, Payment.State.AWAITING)


class Recorded(StrEnum):
    """What a payment that came did to its order."""

    PAID = "paid"
    AGAIN = "again"  # it was recorded before
    LATE = "late"  # the order was over, or paid already: the money must be given back


@patiently
@transaction.atomic
def reserve_payment(*, order: Order, gateway: str, key: str, awaiting: bool = False) -> Payment:
    """Begin to be paid for a pending order: the row that a charge needs before it is made.

    `awaiting`: nobody charges, the customer transfers; the order then waits until settings.ORDER_INVOICE_DAYS
    after it was placed. The payment gives way to the next, and so does that time. The same key gets the same
    payment. Raises KeyConflict for a key of another order or gateway, NotAllowed if the order can't be paid
    for (again).
    """
    order = locked(order)
    if before := Payment.objects.filter(idempotency_key=key).first():
        if (before.order_id, before.gateway) != (order.pk, gateway):
            raise KeyConflict(gettext("This payment was sent before, for another order or in another way."))
        return before
    if not Order.objects.unpaid().filter(pk=order.pk, expires_at__gt=Now()).exists():
        raise NotAllowed(f"{order} can't be paid for: it is {order.get_state_display()}.")
    if order.payments.filter(state__in=CHARGING).exists():
        raise NotAllowed(f"{order} is being paid for already. Wait a moment and look again.")
    awaited = order.payments.filter(state=Payment.State.AWAITING)
    gave_way = awaited.update(state=Payment.State.VOIDED, updated_at=Now())
    if awaiting:
        until = F("placed_at") + timedelta(days=settings.ORDER_INVOICE_DAYS)
        Order.objects.filter(pk=order.pk).update(expires_at=Greatest("expires_at", until))
    elif gave_way:
        soon = Now() + timedelta(minutes=settings.ORDER_PAYMENT_MINUTES)
        Order.objects.filter(pk=order.pk).update(expires_at=Least("expires_at", soon))
    payment = Payment.objects.create(
        order=order,
        gateway=gateway,
        idempotency_key=key,
        amount=order.total,
        currency=order.currency,
        state=Payment.State.AWAITING if awaiting else Payment.State.STARTED,
    )
    if awaiting:
        signals.order_awaits_transfer.send(sender=Order, order=order, payment=payment)
    return payment


@patiently
@transaction.atomic
def mark_paid(
    *, payment: Payment, provider_reference: str = "", details: Mapping[str, Any] | None = None, by: str = ""
) -> Recorded:
    """Record that the money of a payment was taken; pending → paid.

    It is recorded whatever the state of order and payment, for money has moved: a payment that was given up
    may come after all, and another may have paid the order meanwhile.
    """
    order = locked(payment.order)
    payment = Payment.objects.select_for_update().get(pk=payment.pk)
    if payment.state in TAKEN:
        return Recorded.AGAIN
    others = order.payments.exclude(pk=payment.pk)
    others.filter(state=Payment.State.AWAITING).update(state=Payment.State.VOIDED, updated_at=Now())
    is_stray = others.filter(state__in=[*CHARGING, Payment.State.CAPTURED]).exists()
    payment.state = Payment.State.STRAY if is_stray else Payment.State.CAPTURED
    payment.captured_at = Now()
    payment.provider_reference = provider_reference or payment.provider_reference
    payment.details = {**payment.details, **(details or {})}
    payment.error = ""
    payment.save()
    return _take(order, payment, by=by)


def _take(order: Order, payment: Payment, *, by: str) -> Recorded:
    if order.state == State.PENDING and payment.state == Payment.State.CAPTURED:
        become_paid(order, payment=payment, by=by)
        return Recorded.PAID
    Order.objects.filter(pk=order.pk).update(paid=F("paid") + payment.amount)
    note(order, OrderEvent.Kind.PAID_LATE, by=by, payment=str(payment.pk), amount=str(payment.amount))
    return Recorded.LATE


@transaction.atomic
def record_progress(
    *,
    payment: Payment,
    authorised: bool = False,
    provider_reference: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Record what the provider said before its last word: a name of its own, where the customer goes on,
    that the money is held (`authorised`). Only a payment that is under way changes."""
    open_one = Payment.objects.select_for_update().filter(pk=payment.pk, state__in=CHARGING).first()
    if open_one is None:
        return
    open_one.state = Payment.State.AUTHORISED if authorised else open_one.state
    open_one.provider_reference = provider_reference or open_one.provider_reference
    open_one.details = {**open_one.details, **(details or {})}
    open_one.save()


@patiently
@transaction.atomic
def payment_failed(*, payment: Payment, error: str, seen: bool = False) -> Payment:
    """Record that the provider took nothing and will take nothing; the order can be paid for again.

    Only an open payment fails: one that was taken stays so. `seen`: the customer is told at this moment.
    """
    order = locked(payment.order)
    values = {"state": Payment.State.FAILED, "error": error, "updated_at": Now()}
    failed = Payment.objects.filter(pk=payment.pk, state__in=_OPEN).update(**values)
    payment.refresh_from_db()
    if failed:
        signals.order_payment_failed.send(sender=Order, order=order, payment=payment, seen=seen)
    return payment


@patiently
@transaction.atomic
def reserve_refund(
    *,
    payment: Payment,
    amount: Decimal,
    key: str,
    restock: Mapping[str, int] | None = None,
    reason: str = "",
    by: str = "",
) -> Refund:
    """Begin to give money back: its amount is set aside on the payment, so refunds side by side never give
    back more than was taken. `restock`: pieces (by the order's SKUs) that go into stock when it is done.

    The same key gets the same refund. Raises KeyConflict for a key of another one, NotAllowed for too much,
    or if the order could then neither be sent nor end: all of its pieces back, but not all of its money.
    """
    order = locked(payment.order)
    if before := Refund.objects.filter(idempotency_key=key).first():
        if (before.payment_id, before.amount) != (payment.pk, amount):
            raise KeyConflict("This refund was sent before, with another amount.")
        return before
    if restock and (rest := _stranded(order, payment, amount, restock)) > 0:
        raise NotAllowed(
            f"Nothing of {order} would be left to be sent, so nothing of its money can be kept: {rest:,.2f}"
            f" {order.currency} more would have to go back. Give back all of it, or take fewer pieces back."
        )
    room = Payment.objects.filter(pk=payment.pk, state__in=TAKEN)
    room = room.filter(amount__gte=F("refund_reserved") + amount)
    if amount <= 0 or not room.update(refund_reserved=F("refund_reserved") + amount, updated_at=Now()):
        raise NotAllowed(f"{amount:,.2f} {payment.currency} can't be given back: not so much is left of it.")
    return Refund.objects.create(
        payment=payment, amount=amount, idempotency_key=key, restock=dict(restock or {}), reason=reason, by=by
    )


def _stranded(order: Order, payment: Payment, amount: Decimal, restock: Mapping[str, int]) -> Decimal:
    """The money that would be kept of an order of which nothing was sent, and nothing would be left to be.
    What came twice has to go back anyway, and does not count."""
    lines = list(order.lines.all())
    if order.state != State.PAID or any(
        line.shipped or line.outstanding > restock.get(line.sku, 0) for line in lines
    ):
        return Decimal(0)
    taken = order.payments.filter(state=Payment.State.CAPTURED)
    left = sum((one.amount - one.refund_reserved for one in taken), Decimal(0))
    return left - amount if payment in taken else left


@patiently
@transaction.atomic
def refund_recorded(*, refund: Refund, provider_reference: str = "") -> Refund:
    """Record that a refund's money was given back, and put its pieces into stock. An order of which nothing
    is kept any more is refunded. Said again, it changes nothing. Raises NotAllowed for one that failed."""
    order = locked(refund.payment.order)
    refund = Refund.objects.select_for_update().get(pk=refund.pk)
    if refund.state == Refund.State.DONE:
        return refund
    if refund.state == Refund.State.FAILED:
        raise NotAllowed(
            f"The refund of {refund.amount:,.2f} {order.currency} had failed. Look at the provider."
        )
    refund.state, refund.done_at, refund.error = Refund.State.DONE, Now(), ""
    refund.provider_reference = provider_reference or refund.provider_reference
    refund.save()
    _give(order, refund)
    return refund


def _give(order: Order, refund: Refund) -> None:
    """Count a refund on its order, and what follows from it."""
    returned = give_back(order, refund.restock)
    given = F("refunded") + refund.amount
    ends = order.kept == refund.amount and State.REFUNDED in TRANSITIONS[State(order.state)]
    if ends:
        move(order, State.REFUNDED, refunded=given)
    else:
        Order.objects.filter(pk=order.pk).update(refunded=given)
        order.refresh_from_db()
        complete_if_sent(order)
    details = {"refund": str(refund.pk), "amount": str(refund.amount), "restocked": returned}
    note(order, OrderEvent.Kind.REFUNDED, by=refund.by, **details)
    signals.order_refunded.send(sender=Order, order=order, refund=refund)


@patiently
@transaction.atomic
def refund_failed(*, refund: Refund, error: str) -> Refund:
    """Record that the provider gave nothing back and won't; what was set aside for it is free again."""
    locked(refund.payment.order)
    failed = Refund.objects.filter(pk=refund.pk, state=Refund.State.STARTED).update(
        state=Refund.State.FAILED, error=error, updated_at=Now()
    )
    if failed:
        Payment.objects.filter(pk=refund.payment_id).update(
            refund_reserved=F("refund_reserved") - refund.amount, updated_at=Now()
        )
    refund.refresh_from_db()
    return refund
