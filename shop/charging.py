"""Being paid, and giving money back: reserve → ask the gateway → record (docs/payments.md).

Only the first and the last are transactions, each of its own (shop.paying). A process that dies in between,
or gets no answer, leaves a row that `shop.settling` finishes by asking the gateway again with the row's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import structlog
from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from shop import gateways, paying
from shop.gateways import UnknownMethod
from shop.gateways.base import Answer, Method, NoAnswer, Provider, Says
from shop.models import Order, Payment, Refund
from shop.ordering import CHARGING
from shop.transitions import State

log = structlog.get_logger(__name__)


class Result(StrEnum):
    """How far a payment got."""

    PAID = "paid"
    AWAITING = "awaiting"  # the customer transfers the money
    UNDER_WAY = "under_way"  # nobody knows yet; it is settled without the customer
    DECLINED = "declined"  # nothing is kept; another attempt needs another key
    REDIRECT = "redirect"  # the customer goes on at `Outcome.url`


@dataclass(frozen=True)
class Outcome:
    """What came of paying; `message` is for the customer."""

    result: Result
    message: str = ""
    url: str = ""


def methods() -> list[Method]:
    """The ways to pay that the settings offer, in order of display."""
    return [gateway.method for gateway in gateways.offered()]


def pay(*, order: Order, method: str, key: str, details: Mapping[str, str]) -> Outcome:
    """Pay for a pending order; `details` are the further fields of the method's form.

    The same key is the same payment, however often and by whomever it is sent; after DECLINED, another
    attempt needs another key. Raises UnknownMethod, and NotAllowed and KeyConflict as
    `paying.reserve_payment`; RuntimeError inside a transaction, for a charge can't be rolled back.
    """
    _outside_transactions()
    if not gateways.is_offered(method):
        message = gettext("This shop can't be paid by “%(method)s”. Choose another way to pay.")
        raise UnknownMethod(message % {"method": method})
    gateway = gateways.named(method)
    charges = isinstance(gateway, Provider)
    _let_go(order, key=key)
    payment = paying.reserve_payment(order=order, gateway=method, key=key, awaiting=not charges)
    if isinstance(gateway, Provider) and payment.state in CHARGING:
        try:
            follow(payment, gateway, gateway.authorise(payment, details), seen=True)
        except NoAnswer as error:
            log.warning("no answer to a charge", payment=str(payment.pk), gateway=method, error=str(error))
    return outcome_of(payment)


def _let_go(order: Order, *, key: str) -> None:
    """Call off what the customer began to pay at a provider's page, and left, so as to pay otherwise now."""
    begun = order.payments.filter(state=Payment.State.STARTED, details__has_key="url")
    for payment in begun.exclude(idempotency_key=key):
        provider = gateways.named(payment.gateway)
        if isinstance(provider, Provider):
            try:
                follow(payment, provider, provider.cancel(payment), seen=True)
            except (
                NoAnswer
            ) as error:  # then it is still being paid for, and that is what the customer is told
                log.warning("no answer to calling off", payment=str(payment.pk), error=str(error))


def follow(payment: Payment, provider: Provider, answer: Answer, *, seen: bool = False) -> None:
    """Record what the provider said of a payment, and take what it only holds. Raises NoAnswer.

    `seen`: the customer is there and sees what comes of it.
    """
    if answer.says == Says.AUTHORISED:
        paying.record_progress(
            payment=payment, authorised=True, provider_reference=answer.reference, details=answer.details
        )
        answer = provider.capture(payment)
    match answer.says:
        case Says.TAKEN:
            paying.mark_paid(payment=payment, provider_reference=answer.reference, details=answer.details)
        case Says.REFUSED:
            paying.payment_failed(
                payment=payment, error=answer.message or gettext_noop("The payment was refused."), seen=seen
            )
        case Says.REDIRECT:
            paying.record_progress(payment=payment, details={**answer.details, "url": answer.url})


def outcome_of(payment: Payment) -> Outcome:
    """What there is to say of a payment now."""
    payment = Payment.objects.select_related("order").get(pk=payment.pk)
    is_over = payment.order.state in (State.CANCELLED, State.EXPIRED)
    match payment.state:
        case Payment.State.CAPTURED if not is_over:
            return Outcome(Result.PAID)
        case Payment.State.CAPTURED | Payment.State.STRAY:
            message = gettext(
                "The payment came when the order was over, or paid already. You get the money back."
            )
            return Outcome(Result.DECLINED, message)
        case Payment.State.AWAITING:
            return Outcome(Result.AWAITING)
        case Payment.State.FAILED | Payment.State.VOIDED:
            return Outcome(Result.DECLINED, gettext(payment.error or "This payment was called off."))
    if url := payment.details.get("url"):
        return Outcome(Result.REDIRECT, gettext("Go on to the payment page."), url)
    message = gettext("Your payment is under way: the bank has not answered yet. Please don't pay again.")
    return Outcome(Result.UNDER_WAY, message)


def refund(
    *,
    payment: Payment,
    amount: Decimal,
    key: str,
    restock: Mapping[str, int] | None = None,
    reason: str = "",
    by: str = "",
) -> Refund:
    """Give money back: set it aside, have the gateway move it, record it with what follows for the order.

    Returns the refund: `done`; `failed`, with `error`; or `started`, when nobody knows yet and it is settled
    later. The same key is the same refund. Of a bank transfer the money must have been sent back before: it
    is only recorded. Raises NotAllowed and KeyConflict as `paying.reserve_refund`; RuntimeError inside a
    transaction.
    """
    _outside_transactions()
    begun = paying.reserve_refund(
        payment=payment, amount=amount, key=key, restock=restock, reason=reason, by=by
    )
    if begun.state == Refund.State.STARTED:
        try:
            move(begun)
        except NoAnswer as error:
            log.warning("no answer to a refund", refund=str(begun.pk), error=str(error))
    begun.refresh_from_db()
    return begun


def move(refund: Refund) -> None:
    """Have a refund's money moved and record it, or that it failed; said again, it is the same refund.

    Raises NoAnswer, and UnknownMethod if its gateway is not there any more.
    """
    answer = gateways.named(refund.payment.gateway).refund(refund)
    match answer.says:
        case Says.TAKEN:
            paying.refund_recorded(refund=refund, provider_reference=answer.reference)
        case Says.REFUSED:
            paying.refund_failed(refund=refund, error=answer.message or "The refund was refused.")


def _outside_transactions() -> None:
    """Raises RuntimeError inside a transaction (but not inside a test case's)."""
    with transaction.atomic(durable=True):
        pass
