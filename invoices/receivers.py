"""What orders announce becomes invoices and credit notes, in the transaction of the event itself."""

from __future__ import annotations

from typing import Any

from invoices import issuing
from shop import signals
from shop.models import Order, Payment, Refund


def connect() -> None:
    """Listen to the signals of orders; called once, when Django is ready."""
    for signal, receiver in (
        (signals.order_awaits_transfer, _wanted),
        (signals.order_paid, _wanted),
        (signals.order_refunded, _refunded),
        (signals.order_cancelled, _ended),
        (signals.order_expired, _ended),
    ):
        signal.connect(receiver, dispatch_uid=f"invoices.{receiver.__name__}")


def _wanted(*, order: Order, payment: Payment | None, **_: Any) -> None:
    issuing.issue(order, payment=payment)


def _refunded(*, order: Order, refund: Refund, **_: Any) -> None:
    issuing.credit(order, refund=refund)


def _ended(*, order: Order, **_: Any) -> None:
    issuing.cancel(order)
