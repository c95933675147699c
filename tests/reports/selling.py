"""Sales of any kind for tests: orders as they are stored, paid and refunded at whatever moment is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from reports import sharing
from shop import pricing
from shop.models import Order, OrderLine, Payment, Refund
from shop.pricing import Item, Tax
from tests.shop.orders import ADDRESS

_numbers = count(1)


@dataclass(frozen=True)
class Ware:
    """What is sold: as a line keeps it."""

    sku: str
    category: str
    parent: str = ""

    @property
    def name(self) -> str:
        return f"The {self.sku}"


@dataclass(frozen=True)
class GivenBack:
    """A refund: percent of what is left, minutes after the payment; `pieces` of the first line come back."""

    percent: int
    minutes: int
    pieces: int = 0


@dataclass(frozen=True)
class Sale:
    """An order; `paid_at` None: it expired."""

    paid_at: datetime | None
    wares: Sequence[tuple[Ware, int, Decimal]]
    discount: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    percent: Decimal = Decimal(8)
    included: bool = False
    country: str = "CH"
    email: str = "kim@example.com"
    gateway: str = "test-card"
    refunds: Sequence[GivenBack] = ()


@dataclass(frozen=True)
class _Code:
    amount: Decimal

    def worth(self, subtotal: Decimal) -> Decimal:
        return min(self.amount, subtotal)


@dataclass(frozen=True)
class _Method:
    fee: Decimal

    def fee_for(self, goods: Decimal) -> Decimal:
        return self.fee


def sell(sale: Sale) -> Order:
    """Store the order with its lines, its payment and its refunds."""
    items = [Item(price, quantity) for _, quantity, price in sale.wares]
    tax = Tax(sale.percent, sale.included)
    code, method = _Code(sale.discount), _Method(sale.fee)
    totals = pricing.totals(items, tax=tax, code=code, method=method)  # type: ignore[arg-type]
    moment = sale.paid_at or datetime.now().astimezone()
    is_first = not Order.objects.filter(
        email__iexact=sale.email, paid_at__isnull=False, paid_at__lt=moment
    ).exists()
    order = Order.objects.create(
        email=sale.email,
        language="en",
        currency="EUR",
        prices_include_tax=sale.included,
        shipping_address={"name": ADDRESS.name, "country": sale.country},
        delivery_code="post",
        delivery_name="Post",
        discount_code="SALE" if sale.discount else "",
        subtotal=totals.subtotal,
        discount=totals.discount,
        delivery=totals.delivery,
        delivery_tax=totals.delivery_tax,
        net=totals.net,
        tax=totals.tax,
        total=totals.total,
        paid=totals.total if sale.paid_at else 0,
        state="paid" if sale.paid_at else "expired",
        placed_at=moment - timedelta(hours=1),
        expires_at=moment,
        paid_at=sale.paid_at,
        ended_at=None if sale.paid_at else moment,
        is_first=is_first and sale.paid_at is not None,
    )
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            sku=ware.sku,
            name=ware.name,
            category=ware.category,
            parent_sku=ware.parent,
            parent_name=f"All {ware.parent}" if ware.parent else "",
            price=price,
            quantity=quantity,
            tax_percent=sale.percent,
            subtotal=amounts.subtotal,
            discount=amounts.discount,
            net=amounts.net,
            tax=amounts.tax,
            total=amounts.total,
        )
        for (ware, quantity, price), amounts in zip(sale.wares, totals.lines, strict=True)
    )
    if sale.paid_at and order.total:
        _pay(order, sale, sale.paid_at)
    return order


def _pay(order: Order, sale: Sale, paid_at: datetime) -> None:
    payment = Payment.objects.create(
        order=order,
        gateway=sale.gateway,
        idempotency_key=f"sale-{next(_numbers)}",
        amount=order.total,
        currency="EUR",
        state="captured",
        captured_at=paid_at,
    )
    left = order.total
    for given in sale.refunds:
        amount = max(Decimal("0.01"), pricing.cents(left * given.percent / 100))
        if amount <= left:
            left -= amount
            give_back(
                order, payment, amount, at=paid_at + timedelta(minutes=given.minutes), pieces=given.pieces
            )


def give_back(order: Order, payment: Payment, amount: Decimal, *, at: datetime, pieces: int = 0) -> Refund:
    """A refund that is done."""
    sku = order.lines.order_by("sku")[0].sku
    refund = Refund.objects.create(
        payment=payment,
        idempotency_key=f"refund-{next(_numbers)}",
        amount=amount,
        restock={sku: pieces} if pieces else {},
        state="done",
        done_at=at,
    )
    sharing.share_out(order, refund)
    return refund
