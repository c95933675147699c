"""What of a refund falls on which line, and on the delivery.

First on the pieces that came back with it, each at what was paid for it; what is more than that, on all
that is left of the order, in proportion. Nothing gets more back than was paid for it, so an order that is
refunded in full is refunded in each part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, Sum

from reports.models import RefundPart
from shop import pricing, signals
from shop.models import Order, Payment, Refund

_FINE = 1_000_000  # weights of tax are fractions of cents
_NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Part:
    """A line, or the delivery (`line` is None): what was paid for it, and what of that is left."""

    line: int | None
    sku: str
    pieces: int
    percent: Decimal
    paid: Decimal
    left: Decimal
    tax_left: Decimal


@dataclass(frozen=True, slots=True)
class Share:
    """What falls on a part, tax included."""

    line: int | None
    amount: Decimal
    tax: Decimal


def shares(parts: Sequence[Part], amount: Decimal, pieces: Mapping[str, int]) -> list[Share]:
    """The amount shared out, to the cent; `pieces` came back, by SKU.

    The tax is, at each rate, in proportion to what is left of it, as in credit notes.
    """
    worth = [_worth(part, pieces.get(part.sku, 0)) for part in parts]
    of_pieces = pricing.split(min(amount, sum(worth, _NOTHING)), worth)
    left = [part.left - some for part, some in zip(parts, of_pieces, strict=True)]
    rest = amount - sum(of_pieces, _NOTHING)
    of_rest = pricing.split(min(rest, sum(left, _NOTHING)), left)
    amounts = [one + other for one, other in zip(of_pieces, of_rest, strict=True)]
    taxes = _taxes(parts, amounts)
    return [
        Share(part.line, some, tax) for part, some, tax in zip(parts, amounts, taxes, strict=True) if some
    ]


def _worth(part: Part, pieces: int) -> Decimal:
    if part.line is None or not pieces:
        return _NOTHING
    return min(part.left, pricing.cents(part.paid * min(pieces, part.pieces) / part.pieces))


def _taxes(parts: Sequence[Part], amounts: Sequence[Decimal]) -> list[Decimal]:
    taxes = [_NOTHING] * len(parts)
    for percent in {part.percent for part in parts}:
        at = [number for number, part in enumerate(parts) if part.percent == percent]
        left = sum((parts[number].left for number in at), _NOTHING)
        tax_left = sum((parts[number].tax_left for number in at), _NOTHING)
        amount = sum((amounts[number] for number in at), _NOTHING)
        if not left:
            continue
        own = [_tax_weight(parts[number], amounts[number]) for number in at]
        weights = own if any(own) else [amounts[number] for number in at]
        split = pricing.split(pricing.cents(tax_left * amount / left), weights)
        for number, tax in zip(at, split, strict=True):
            taxes[number] = tax
    return taxes


def _tax_weight(part: Part, amount: Decimal) -> Decimal:
    """Rounding may have taken a cent too much from a part before; then it owes nothing any more."""
    return max(_NOTHING, part.tax_left) * amount / part.left * _FINE if amount else _NOTHING


def parts_of(order: Order) -> list[Part]:
    """What the order was, line by line in the order of their SKUs, the delivery last; all of it is left."""
    lines = list(order.lines.order_by("sku"))
    parts = [
        Part(line.pk, line.sku, line.quantity, line.tax_percent, line.total, line.total, line.tax)
        for line in lines
    ]
    fee = order.delivery + (_NOTHING if order.prices_include_tax else order.delivery_tax)
    percent = max((line.tax_percent for line in lines), default=Decimal(0))
    return [*parts, Part(None, "", 0, percent, fee, fee, order.delivery_tax)]


def _left_of(order: Order) -> list[Part]:
    """The same, less what was given back before."""
    before = RefundPart.objects.filter(refund__payment__order=order, refund__payment__state="captured")
    sums = before.order_by().values("line").annotate(amounts=Sum("amount"), taxes=Sum("tax"))
    given: dict[int | None, tuple[Decimal, Decimal]] = {
        row["line"]: (row["amounts"], row["taxes"]) for row in sums
    }
    nothing = (_NOTHING, _NOTHING)
    return [
        replace(part, left=part.left - amount, tax_left=part.tax_left - tax)
        for part in parts_of(order)
        for amount, tax in [given.get(part.line, nothing)]
    ]


def share_out(order: Order, refund: Refund) -> None:
    """Store the parts of a refund that is done. What came twice, or for an order that was over, is none of
    what was sold. Done again, it changes nothing; its order must be locked."""
    is_sale = order.paid_at is not None and refund.payment.state == Payment.State.CAPTURED
    if not is_sale or RefundPart.objects.filter(refund=refund).exists():
        return
    found = shares(_left_of(order), refund.amount, refund.restock)
    RefundPart.objects.bulk_create(
        RefundPart(refund=refund, line_id=share.line, amount=share.amount, tax=share.tax) for share in found
    )


def unshared() -> Any:
    """Refunds that were done while nobody shared them out, the earliest first."""
    done = Refund.objects.filter(Q(state=Refund.State.DONE, payment__state=Payment.State.CAPTURED))
    sales = done.filter(payment__order__paid_at__isnull=False)
    missing = sales.filter(~Exists(RefundPart.objects.filter(refund=OuterRef("pk"))))
    return missing.order_by("done_at", "pk")


def connect() -> None:
    """Share out each refund in its own transaction; called once, when Django is ready."""
    signals.order_refunded.connect(_refunded, dispatch_uid="reports.sharing")


def _refunded(*, order: Order, refund: Refund, **_: Any) -> None:
    share_out(order, refund)
