"""Issue invoices and credit notes: number and content, in the transaction of the event that they are about.

    transfer chosen ─┐
    order paid ──────┴→ invoice ─┬→ credit note    for each refund of the payment
                                 └→ credit note    for all of it, when the order ends unpaid

The caller has the order locked. The counter is locked last and until the transaction ends, so whoever issues
waits for whoever issued before, and nobody waits in a circle. The PDF comes later, by a job.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection

from invoices import content, correcting, signals
from invoices.models import Document, Kind
from shop.models import Order, Payment, Refund
from tasks.queueing import NewJob, create

RENDER = "invoices.render"  # the kind of the job
# The time is that after the wait for the lock, so later numbers have later times.
_NEXT = """
INSERT INTO invoices_counter AS c (kind, last) VALUES (%s, 1)
ON CONFLICT (kind) DO UPDATE SET last = c.last + 1
RETURNING last, clock_timestamp()
"""


def issue(order: Order, *, payment: Payment | None) -> Document | None:
    """The invoice of a locked order, issued now if it has none; None for one that costs nothing.

    `payment`: the one that paid it, or that is awaited.
    """
    if not order.total:
        return None
    if before := Document.objects.filter(order=order, kind=Kind.INVOICE).first():
        return before
    return _issued(Kind.INVOICE, order, net=order.net, tax=order.tax, said=content.of_invoice(order, payment))


def credit(order: Order, *, refund: Refund) -> Document | None:
    """The credit note about a refund of the payment that the invoice is about. None where there is no such
    invoice: money that came twice, or for an order that was over, was never owed."""
    invoice = _invoice_of(order)
    if invoice is None or refund.payment.state != Payment.State.CAPTURED:
        return None
    if before := Document.objects.filter(refund=refund).first():
        return before
    left = correcting.left_of(invoice)
    if left.total < refund.amount:
        return None
    return _correct(invoice, order, left.share(refund.amount), refund=refund)


def cancel(order: Order) -> Document | None:
    """The credit note that takes the invoice of an order back that has ended unpaid; None without one."""
    invoice = _invoice_of(order)
    if invoice is None or order.paid_at is not None:
        return None
    if before := Document.objects.filter(corrects=invoice).first():
        return before
    return _correct(invoice, order, correcting.left_of(invoice), refund=None)


def _invoice_of(order: Order) -> Document | None:
    return Document.objects.filter(order=order, kind=Kind.INVOICE).first()


def _correct(invoice: Document, order: Order, part: correcting.Part, *, refund: Refund | None) -> Document:
    said = content.of_credit_note(order, invoice, part, refund)
    return _issued(
        Kind.CREDIT_NOTE, order, net=part.net, tax=part.tax, said=said, corrects=invoice, refund=refund
    )


def _issued(
    kind: Kind, order: Order, *, net: Decimal, tax: Decimal, said: dict[str, Any], **more: Any
) -> Document:
    number, now = _next_number(kind)
    document = Document.objects.create(
        kind=kind,
        number=number,
        name=_name(kind, number),
        order=order,
        issued_at=now,
        language=content.language_of(order),
        currency=order.currency,
        net=net,
        tax=tax,
        total=net + tax,
        content={**said, "date": content.day_of(now)},
        **more,
    )
    create([NewJob(RENDER, document.subject, f"{document.name} as PDF", {"document": document.pk})])
    signals.document_issued.send(sender=Document, document=document)
    return document


def _next_number(kind: Kind) -> tuple[int, datetime]:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [kind.value])
        number, now = cursor.fetchone()
    return number, now


def _name(kind: Kind, number: int) -> str:
    prefix = settings.INVOICE_PREFIX if kind == Kind.INVOICE else settings.CREDIT_NOTE_PREFIX
    return f"{prefix}{number:05d}"
