"""Finishes what nobody finished: payments and refunds without an end, and money that came too late.

Beat only ticks; the rows say what is due. A row is claimed by counting an attempt, which puts it off for
twice as long as the time before: so of several at work each takes others, one that is killed loses nothing,
and a provider that is down is asked less and less often. Nothing is ever given up, for money may have moved.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import DurationField, ExpressionWrapper, F, FloatField, Model, QuerySet, Value
from django.db.models.functions import Cast, Least, Now, Power

from shop import charging, gateways
from shop.gateways.base import Answer, NoAnswer, Provider, Says
from shop.models import Order, Payment, Refund
from shop.ordering import CHARGING
from shop.problems import Refused
from shop.transitions import NotAllowed, State

log = structlog.get_logger(__name__)

_DOUBLINGS = 6  # at the default patience of a minute: about once an hour in the end
_MAX_ATTEMPTS = 32_767  # that fit into their column
_SILENCES = 3  # then a tick asks a gateway no more: it is down, and each question takes its time
_OVER = (State.CANCELLED, State.EXPIRED)


def settle(*, seconds: float = 8.0) -> int:
    """Bring what is due to its end, longest waiting first; returns how many rows were looked at.

    Each kind is worked on for `seconds` at most; the next tick goes on. Safe beside another one and beside
    customers. Not to be called inside a transaction.
    """
    silent: Counter[str] = Counter()  # by gateway: questions of this tick that had no answer
    payments, refunds = Payment.objects.filter(state__in=CHARGING), Refund.objects.all()
    taken = Payment.objects.filter(refund_reserved__lt=F("amount"), gateway__in=gateways.providers())
    stray = taken.filter(state=Payment.State.STRAY)
    in_vain = taken.filter(state=Payment.State.CAPTURED, order__state__in=_OVER)
    return (
        _each(payments, _settle_payment, silent, seconds)
        + _each(stray, _give_back, silent, seconds)
        + _each(in_vain.filter(order__paid__gt=F("order__refunded")), _give_back, silent, seconds)
        + _each(refunds.filter(state=Refund.State.STARTED), charging.move, silent, seconds)
    )


def _each[M: (Payment, Refund)](
    rows: QuerySet[M], work: Callable[[M], None], silent: Counter[str], seconds: float
) -> int:
    """Claim one row after another and work on it; returns how many."""
    gateway = "gateway" if rows.model is Payment else "payment__gateway"
    deadline = time.monotonic() + seconds
    done = 0
    while time.monotonic() < deadline:
        down = [code for code, times in silent.items() if times >= _SILENCES]
        row = _claim(rows.exclude(**{f"{gateway}__in": down}))
        if row is None:
            break
        done += 1
        try:
            work(row)
        except NoAnswer as error:
            silent[row.gateway if isinstance(row, Payment) else row.payment.gateway] += 1
            log.warning("still no answer", row=str(row.pk), attempts=row.attempts + 1, error=str(error))
        except (NotAllowed, Refused, LookupError, DatabaseError):  # the others must not wait for this one
            log.exception("could not be settled", row=str(row.pk), attempts=row.attempts + 1)
    return done


def _claim[M: (Payment, Refund)](rows: QuerySet[M]) -> M | None:
    """The row that has waited longest of those that are due, put off for everybody else."""
    doublings = Cast(Least(F("attempts"), Value(_DOUBLINGS)), FloatField())
    patience = Value(timedelta(seconds=settings.PAYMENT_PATIENCE_SECONDS))
    waits = ExpressionWrapper(patience * Power(Value(2.0), doublings), output_field=DurationField())
    due = rows.annotate(due_at=F("updated_at") + waits).filter(due_at__lte=Now()).order_by("updated_at")
    with transaction.atomic():
        row = due.select_for_update(skip_locked=True, of=("self",), no_key=True).first()
        if row is not None:
            model: type[Model] = type(row)
            attempts = Least(F("attempts") + 1, Value(_MAX_ATTEMPTS))
            model._default_manager.filter(pk=row.pk).update(attempts=attempts, updated_at=Now())
    return row


def _settle_payment(payment: Payment) -> None:
    """Ask what became of it; take what is held, or have it called off where it is not wanted any more."""
    provider = gateways.named(payment.gateway)
    if not isinstance(provider, Provider):
        raise LookupError(f"{payment.gateway} charges nobody, but {payment.pk} is under way.")
    answer = provider.look_up(payment)
    if _is_unwanted(payment, answer):
        answer = provider.cancel(payment)
    charging.follow(payment, provider, answer)
    log.info("payment looked up", payment=str(payment.pk), said=answer.says)


def _is_unwanted(payment: Payment, answer: Answer) -> bool:
    """Whether nothing shall come of it any more.

    A request that has not arrived so far will not: calling it off makes sure of that. Who is still to pay at
    the provider may do so until the order's time is up.
    """
    order = Order.objects.filter(pk=payment.order_id)
    match answer.says:
        case Says.UNKNOWN:
            return True
        case Says.AUTHORISED:
            return not order.unpaid().exists()
        case Says.REDIRECT:
            return not order.unpaid().filter(expires_at__gt=Now()).exists()
    return False


def _give_back(payment: Payment) -> None:
    """Give back all that is left of a payment; one refund, for its amount is set aside first."""
    left = payment.amount - payment.refund_reserved
    charging.refund(
        payment=payment,
        amount=left,
        key=f"late-{payment.pk}-{payment.refunds.count() + 1}",  # one that the bank refused keeps its key
        reason="The order was over, or paid already",
    )
