"""The life of an order: each verb is one transaction, guarded by the order's state (shop.transitions).

Locks are taken in one order: the checkout's key, the cart, the order, its payments, products by SKU, the
discount code. Imports lock products by SKU too, so nobody waits in a circle. Money is moved outside of
all this, and only recorded in one (shop.paying, docs/orders.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now

from shop import placing, signals, stock, subscriptions
from shop.models import (
    Cart,
    DiscountCode,
    DiscountUse,
    Order,
    OrderEvent,
    OrderLine,
    Payment,
    Product,
    Refund,
    Shipment,
    ShipmentLine,
    StockMovement,
)
from shop.placing import Checkout, Placed
from shop.problems import Refused
from shop.transitions import NotAllowed, State, locked, move, note
from shop.trying import patiently

log = structlog.get_logger(__name__)

Kind = OrderEvent.Kind
CHARGING = (Payment.State.STARTED, Payment.State.AUTHORISED)  # money may be moving, or is held


@patiently
def place(*, cart: Cart, customer: User | None, key: str, checkout: Checkout) -> Placed:
    """Make an order of the cart and empty it; its stock and its use of a discount code are taken with it.

    The same key with the same cart, customer and checkout gets the same answer, and nothing is done. Raises
    KeyConflict if the key came with others before, and Refused, with nothing done, if something must be
    settled first.
    """
    body = placing.body_hash(cart=cart, customer=customer, checkout=checkout)
    with transaction.atomic():
        if before := placing.answered(key=key, body=body):
            return before
        goods = placing.locked_goods(cart)
        method = placing.delivery_for(checkout)
        subtotal = sum((product.price * line.quantity for line, product in goods), Decimal(0))
        code = placing.claimed_code(checkout, goods=subtotal)
        totals = placing.priced(goods, checkout=checkout, method=method, code=code)
        order = placing.stored(
            goods, customer=customer, checkout=checkout, method=method, code=code, totals=totals
        )
        sold = {product.sku: -line.quantity for line, product in goods}
        stock.move(sold, kind=StockMovement.Kind.SALE, reference=order.subject)
        cart.lines.all().delete()
        subscriptions.cart_ordered(cart)
        note(order, Kind.PLACED)
        signals.order_placed.send(sender=Order, order=order)
        if order.total == 0:
            become_paid(order)
        return placing.answer(order, key=key, body=body)


def become_paid(order: Order, *, payment: Payment | None = None, by: str = "") -> None:
    """pending → paid for a locked order, by this payment or because there is nothing to pay."""
    earlier = Order.objects.filter(paid_at__isnull=False, email__iexact=order.email).order_by()
    paid = F("paid") + (payment.amount if payment else 0)
    move(order, State.PAID, paid=paid, is_first=~Exists(earlier))
    note(order, Kind.PAID, by=by, payment=str(payment.pk) if payment else None)
    signals.order_paid.send(sender=Order, order=order, payment=payment)


@patiently
@transaction.atomic
def fulfil(
    *,
    order: Order,
    pieces: Mapping[str, int] | None = None,
    carrier: str = "",
    tracking_code: str = "",
    tracking_url: str = "",
    key: str | None = None,
    by: str = "",
) -> Shipment:
    """Note that these pieces (by SKU; all that are left, if None) were sent; paid → fulfilled with the last.

    Sent twice with the same `key`, it is the same shipment. Raises NotAllowed, also while a refund is under
    way that brings pieces back: nobody knows yet which are left.
    """
    order = locked(order)
    if key and (before := Shipment.objects.filter(key=key).first()):
        if before.order_id != order.pk:
            raise NotAllowed(f"This was sent before, for another order than {order.number}.")
        return before
    if order.state != State.PAID:
        raise NotAllowed(f"{order} is {order.get_state_display()}, so nothing of it can be sent.")
    if Refund.objects.filter(payment__order=order, state=Refund.State.STARTED).exclude(restock={}).exists():
        raise NotAllowed(
            f"{order}: a refund is under way that puts pieces back into stock. Wait until that is settled."
        )
    lines = {line.sku: line for line in order.lines.all()}
    sent = _sendable(order, lines, pieces)
    shipment = Shipment.objects.create(
        order=order,
        number=order.shipments.count() + 1,
        carrier=carrier,
        tracking_code=tracking_code,
        tracking_url=tracking_url,
        key=key,
    )
    for sku, quantity in sent.items():
        ShipmentLine.objects.create(shipment=shipment, line=lines[sku], quantity=quantity)
        order.lines.filter(sku=sku).update(shipped=F("shipped") + quantity)
    complete_if_sent(order)
    note(order, Kind.SHIPPED, by=by, shipment=shipment.number, pieces=sent)
    signals.order_shipped.send(sender=Order, order=order, shipment=shipment)
    return shipment


def _sendable(
    order: Order, lines: Mapping[str, OrderLine], pieces: Mapping[str, int] | None
) -> dict[str, int]:
    """What to send, by SKU, all that is left if nothing is said; raises NotAllowed for more than that."""
    if pieces is None:
        pieces = {sku: line.outstanding for sku, line in lines.items() if line.outstanding}
    if not pieces:
        raise NotAllowed(f"Nothing of {order} is left to be sent.")
    for sku, quantity in pieces.items():
        left = lines[sku].outstanding if sku in lines else 0
        if not 1 <= quantity <= left:
            raise NotAllowed(f"{quantity:,} pieces of {sku} can't be sent: {left:,} are left of {order}.")
    return dict(sorted(pieces.items()))


@patiently
@transaction.atomic
def change_tracking(
    *, order: Order, number: int, carrier: str, tracking_code: str, tracking_url: str, by: str = ""
) -> Shipment:
    """Have the order's shipment with this number followed otherwise; the customer is told.

    The same as it has changes nothing. Raises NotAllowed for an order that is not on its way, or whose
    customer was erased. The history names what changed and not what to: a tracking code leads to an address,
    and events can't be erased.
    """
    order = locked(order)
    shipment = order.shipments.filter(number=number).first()
    if shipment is None:
        raise NotAllowed(f"{order} has no shipment {number}.")
    said = {"carrier": carrier, "tracking_code": tracking_code, "tracking_url": tracking_url}
    changed = {name: value for name, value in said.items() if getattr(shipment, name) != value}
    if not changed:
        return shipment
    if order.state not in (State.PAID, State.FULFILLED) or order.erased_at:
        what = "erased" if order.erased_at else order.get_state_display()
        raise NotAllowed(f"{order} is {what}, so its parcels can't be followed otherwise.")
    for name, value in changed.items():
        setattr(shipment, name, value)
    shipment.save(update_fields=list(changed))
    event = note(order, Kind.TRACKING, by=by, shipment=number, changed=sorted(changed))
    signals.order_tracking_changed.send(sender=Order, order=order, shipment=shipment, event=event)
    return shipment


def complete_if_sent(order: Order) -> None:
    """paid → fulfilled, if something was sent and nothing is left to be."""
    lines = list(order.lines.all())
    is_sent = any(line.shipped for line in lines) and not any(line.outstanding for line in lines)
    if is_sent and order.state == State.PAID:
        move(order, State.FULFILLED)


@patiently
@transaction.atomic
def deliver(*, order: Order, by: str = "") -> Order:
    """fulfilled → delivered; raises NotAllowed. Said again, it changes nothing."""
    order = locked(order)
    if order.state == State.DELIVERED:
        return order
    move(order, State.DELIVERED)
    note(order, Kind.DELIVERED, by=by)
    signals.order_delivered.send(sender=Order, order=order)
    return order


@patiently
@transaction.atomic
def cancel(*, order: Order, reason: str = "", by: str = "", by_customer: bool = False) -> Order:
    """pending → cancelled: stock and discount code are given back. Said again, it changes nothing.

    One that cost nothing, of which nothing was sent, becomes refunded: there is no money whose refund would
    end it. Raises NotAllowed for one that is paid (refund it, with its pieces back into stock) or being paid
    for. `by_customer`: at the order's own page, by whoever has its link.
    """
    order = locked(order)
    if order.state == State.CANCELLED or order.events.filter(kind=Kind.CANCELLED).exists():
        return order
    said: dict[str, Any] = {"by": by, **({"by_customer": True} if by_customer else {})}
    if is_free(order):
        move(order, State.REFUNDED, cancel_reason=reason)
        give_back(order, {line.sku: line.quantity for line in order.lines.all()})
        return _cancelled(order, said)
    if order.state in (State.PAID, State.FULFILLED, State.DELIVERED):
        raise NotAllowed(f"{order} is {order.get_state_display()}. Refund it; that ends it.")
    if order.payments.filter(state__in=CHARGING).exists():
        raise NotAllowed(f"{order} is being paid for at this moment. Wait until that is settled.")
    _end_unpaid(order, State.CANCELLED, cancel_reason=reason)
    return _cancelled(order, said)


def _cancelled(order: Order, said: Mapping[str, Any]) -> Order:
    note(order, Kind.CANCELLED, **said)
    signals.order_cancelled.send(sender=Order, order=order)
    return order


def can_be_cancelled(order: Order) -> bool:
    """Whether `cancel` would call it off at this moment."""
    if order.state == State.PENDING:
        return not order.payments.filter(state__in=CHARGING).exists()
    return is_free(order)


def is_free(order: Order) -> bool:
    """Whether it cost nothing, and can be called off: nothing of it was sent."""
    is_paid = order.state == State.PAID and order.total == 0
    return is_paid and not order.lines.filter(shipped__gt=0).exists()


def _end_unpaid(order: Order, state: State, **also: Any) -> None:
    """Bring a pending order to its end, with columns that go along, and back what it held."""
    move(order, state, **also)
    order.payments.filter(state=Payment.State.AWAITING).update(state=Payment.State.VOIDED, updated_at=Now())
    give_back(order, {line.sku: line.quantity for line in order.lines.all()})
    returned = DiscountUse.objects.filter(order=order, returned_at=None)
    for use in returned:
        DiscountCode.objects.filter(pk=use.code_id).update(used=F("used") - 1)
    returned.update(returned_at=Now())


def give_back(order: Order, pieces: Mapping[str, int]) -> dict[str, int]:
    """Put pieces of a locked order (by the lines' SKUs) back into stock, each at most once; returns how many
    for each line that had any left. A deleted product gets none; one with another SKU now gets its own."""
    returning = {}
    for line in order.lines.all():
        if (quantity := min(pieces.get(line.sku, 0), line.quantity - line.restocked)) > 0:
            returning[line] = quantity
            order.lines.filter(pk=line.pk).update(restocked=F("restocked") + quantity)
    by_product = {line.product_id: quantity for line, quantity in returning.items() if line.product_id}
    products = Product.objects.filter(pk__in=by_product).order_by("sku").select_for_update(no_key=True)
    changes = {product.sku: by_product[product.pk] for product in products}
    if changes:
        stock.move(changes, kind=StockMovement.Kind.RETURN, reference=order.subject)
    return {line.sku: quantity for line, quantity in returning.items()}


def expire_unpaid(*, limit: int = 1000) -> int:
    """pending → expired for orders whose time is up, oldest first; returns how many.

    Each is a transaction of its own. Safe beside another one and beside payments: who has the order first
    wins; one that is being paid for is left alone, and one that fails holds up no other.
    """
    paying = Payment.objects.filter(order=OuterRef("pk"), state__in=CHARGING)
    overdue = Order.objects.overdue().filter(~Exists(paying)).order_by("expires_at")
    return sum(_expire(pk=pk) for pk in list(overdue.values_list("pk", flat=True)[:limit]))


def _expire(*, pk: UUID) -> bool:
    try:
        return _expire_one(pk=pk)
    except (Refused, NotAllowed, DatabaseError):  # the others must not wait for this one; the next tick comes
        log.exception("could not be expired", order=str(pk))
        return False


@patiently
@transaction.atomic
def _expire_one(*, pk: UUID) -> bool:
    order = Order.objects.overdue().select_for_update(no_key=True, skip_locked=True).filter(pk=pk).first()
    if order is None or order.payments.filter(state__in=CHARGING).exists():
        return False
    _end_unpaid(order, State.EXPIRED)
    note(order, Kind.EXPIRED)
    signals.order_expired.send(sender=Order, order=order)
    return True
