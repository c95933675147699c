"""What providers tell by themselves. Each event has its effect once, in whichever order they come."""

from __future__ import annotations

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q

from shop import paying
from shop.gateways.base import Event, What
from shop.models import Payment, Refund, WebhookEvent
from shop.ordering import CHARGING
from shop.transitions import NotAllowed, locked
from shop.trying import patiently

log = structlog.get_logger(__name__)


@patiently
@transaction.atomic
def record(*, gateway: str, event: Event) -> bool:
    """Store a verified event with its effect; False if it was there before, and nothing was done.

    One of a payment that is not ours has none: an account at a provider may serve several shops. Raises
    NotAllowed, with nothing stored, when it can't be recorded yet; the provider will send it again.
    """
    payment = _payment(gateway, event)
    if payment is None and _may_be_ours(gateway, event):
        raise NotAllowed("The payment of this refund is not known yet.")
    if payment is not None:
        locked(payment.order)  # first of all, as everybody does; so the same event beside this one waits here
    try:
        with transaction.atomic():
            WebhookEvent.objects.create(gateway=gateway, event_id=event.id, type=event.type, payment=payment)
    except IntegrityError:
        return False
    if payment is not None:
        _have_effect(payment, event)
    return True


def _payment(gateway: str, event: Event) -> Payment | None:
    named = Q(idempotency_key=event.key) if event.key else Q(provider_reference=event.reference)
    if not (event.key or event.reference):
        return None
    return Payment.objects.filter(named, gateway=gateway).select_related("order").first()


def _may_be_ours(gateway: str, event: Event) -> bool:
    """A refund is told by the provider's name of its payment, which we may not have heard yet."""
    is_refund = event.what in (What.REFUNDED, What.REFUND_FAILED)
    return is_refund and Payment.objects.filter(gateway=gateway, state__in=CHARGING).exists()


def _have_effect(payment: Payment, event: Event) -> None:
    match event.what:
        case What.PAID:
            paying.mark_paid(payment=payment, provider_reference=event.reference)
        case What.FAILED:
            paying.payment_failed(payment=payment, error=event.message or "The payment was refused.")
        case What.REFUNDED:
            _refunded(payment, event)
        case What.REFUND_FAILED:
            _refund_failed(payment, event)


def _refunded(payment: Payment, event: Event) -> None:
    """Money that went back had been taken, though the event of that may come later than this one."""
    paying.mark_paid(payment=payment, provider_reference=event.reference)
    refund = _refund(payment, event) or paying.reserve_refund(
        payment=payment,
        amount=event.amount or payment.amount,
        key=f"{payment.gateway}:{event.refund_reference}",
        reason="Given back at the provider",
    )
    paying.refund_recorded(refund=refund, provider_reference=event.refund_reference)


def _refund_failed(payment: Payment, event: Event) -> None:
    refund = _refund(payment, event)
    if refund is None:
        return
    refund = paying.refund_failed(refund=refund, error=event.message or "The refund was refused.")
    if refund.state == Refund.State.DONE:
        log.error("a refund that was recorded failed afterwards", refund=str(refund.pk))


def _refund(payment: Payment, event: Event) -> Refund | None:
    """Our row, if we began it or have heard of it."""
    ours = Q(provider_reference=event.refund_reference)
    if event.refund_key:
        ours = Q(idempotency_key=event.refund_key)
    return payment.refunds.filter(ours).first()
