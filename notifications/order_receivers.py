"""What orders announce becomes a mail to the customer, in the transaction of the event itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.dispatch import Signal
from django.utils import timezone

from notifications import order_mails
from shop import signals
from shop.models import Order, OrderEvent, Payment, Refund, Shipment


def connect() -> None:
    """Listen to the signals of orders; called once, when Django is ready."""
    receivers: list[tuple[Signal, Callable[..., None]]] = [
        (signals.order_placed, _placed),
        (signals.order_paid, _paid),
        (signals.order_payment_failed, _payment_failed),
        (signals.order_shipped, _shipped),
        (signals.order_tracking_changed, _tracking_changed),
        (signals.order_delivered, _delivered),
        (signals.order_cancelled, _cancelled),
        (signals.order_expired, _expired),
        (signals.order_refunded, _refunded),
    ]
    for signal, receiver in receivers:
        signal.connect(receiver, dispatch_uid=f"notifications.{receiver.__name__}")


def _placed(*, order: Order, **_: Any) -> None:
    order_mails.write("order_placed", order)


def _paid(*, order: Order, payment: Payment | None, **_: Any) -> None:
    """Of an order that costs nothing the first mail says all."""
    if payment is not None:
        order_mails.write("order_paid", order, payment=payment)


def _payment_failed(*, order: Order, payment: Payment, seen: bool, **_: Any) -> None:
    """Only when nobody has told the customer, and something can still be done about it."""
    if not seen and order.state == Order.State.PENDING and order.expires_at > timezone.now():
        order_mails.write("order_payment_failed", order, which=payment.pk, payment=payment)


def _shipped(*, order: Order, shipment: Shipment, **_: Any) -> None:
    parcel: dict[str, Any] = {
        "parcel": shipment,
        "pieces": list(shipment.lines.select_related("line")),
        "tracking_url": order_mails.tracking_address(shipment),
        "is_all": order.state != Order.State.PAID,
        "is_first": shipment.number == 1,
    }
    order_mails.write("order_shipped", order, which=shipment.number, **parcel)


def _tracking_changed(*, order: Order, shipment: Shipment, event: OrderEvent, **_: Any) -> None:
    parcel: dict[str, Any] = {
        "parcel": shipment,
        "pieces": list(shipment.lines.select_related("line")),
        "tracking_url": order_mails.tracking_address(shipment),
    }
    order_mails.write("order_tracking_changed", order, which=event.pk, **parcel)


def _delivered(*, order: Order, **_: Any) -> None:
    order_mails.write("order_delivered", order)


def _cancelled(*, order: Order, **_: Any) -> None:
    order_mails.write("order_cancelled", order)


def _expired(*, order: Order, **_: Any) -> None:
    order_mails.write("order_expired", order)


def _refunded(*, order: Order, refund: Refund, **_: Any) -> None:
    order_mails.write(
        "order_refunded",
        order,
        which=refund.pk,
        refund=refund,
        is_all=not order.kept,
        was_in_vain=order.state in (Order.State.CANCELLED, Order.State.EXPIRED),
    )
