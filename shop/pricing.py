"""What an order costs. One rule: every line and the delivery are rounded to the cent, half up, each on its
own; sums are never rounded, so they add up as printed. What is split goes by largest remainder.
docs/orders.md has examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings
from django.db.models.functions import Upper

from shop.models import DeliveryMethod, DiscountCode, TaxRate

CENT = Decimal("0.01")
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Item:
    """So many pieces at this price."""

    price: Decimal
    quantity: int


@dataclass(frozen=True, slots=True)
class Tax:
    """A rate in percent, and whether prices and fees include it."""

    percent: Decimal
    included: bool


@dataclass(frozen=True, slots=True)
class Amounts:
    """Of a line or of the delivery: `subtotal - discount` is `total` where tax is included, else `net`."""

    subtotal: Decimal
    discount: Decimal
    net: Decimal
    tax: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """Of an order, with its lines in the order of the items. `delivery` is the fee as prices are."""

    lines: tuple[Amounts, ...]
    percent: Decimal
    included: bool
    subtotal: Decimal
    discount: Decimal
    delivery: Decimal
    delivery_tax: Decimal
    net: Decimal
    tax: Decimal
    total: Decimal


def cents(amount: Decimal) -> Decimal:
    """Rounded to the cent, half up.

    >>> cents(Decimal("0.125"))
    Decimal('0.13')
    """
    return amount.quantize(CENT, ROUND_HALF_UP)


def split(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Share an amount out by weight, all in whole cents, so that the shares add up to it.

    What is left after rounding down goes, a cent each, to the largest remainders, of equal ones to the first.

    >>> split(Decimal("0.05"), [Decimal(1), Decimal(1), Decimal(1)])
    [Decimal('0.02'), Decimal('0.02'), Decimal('0.01')]
    """
    parts = [int(weight / CENT) for weight in weights]
    whole = sum(parts)
    if not whole:
        return [Decimal("0.00")] * len(weights)
    divided = [divmod(int(amount / CENT) * part, whole) for part in parts]
    left = int(amount / CENT) - sum(share for share, _ in divided)
    by_remainder = sorted(range(len(parts)), key=lambda at: (-divided[at][1], at))
    extra = set(by_remainder[:left])
    return [(share + (at in extra)) * CENT for at, (share, _) in enumerate(divided)]


def totals(
    items: Sequence[Item],
    *,
    tax: Tax,
    code: DiscountCode | None = None,
    method: DeliveryMethod | None = None,
) -> Totals:
    """What the items cost, less the code's discount, with delivery and tax."""
    subtotals = [cents(item.price * item.quantity) for item in items]
    subtotal = sum(subtotals, Decimal(0))
    discount = code.worth(subtotal) if code else Decimal("0.00")
    shares = split(discount, subtotals)
    lines = tuple(_amounts(*line, tax) for line in zip(subtotals, shares, strict=True))
    fee = method.fee_for(subtotal - discount) if method else Decimal("0.00")
    everything = (*lines, delivery := _amounts(fee, Decimal("0.00"), tax))
    return Totals(
        lines=lines,
        percent=tax.percent,
        included=tax.included,
        subtotal=subtotal,
        discount=discount,
        delivery=fee,
        delivery_tax=delivery.tax,
        net=sum((one.net for one in everything), Decimal(0)),
        tax=sum((one.tax for one in everything), Decimal(0)),
        total=sum((one.total for one in everything), Decimal(0)),
    )


def _amounts(subtotal: Decimal, discount: Decimal, tax: Tax) -> Amounts:
    price = subtotal - discount
    if tax.included:
        part = cents(price * tax.percent / (_HUNDRED + tax.percent))
        return Amounts(subtotal, discount, net=price - part, tax=part, total=price)
    part = cents(price * tax.percent / _HUNDRED)
    return Amounts(subtotal, discount, net=price, tax=part, total=price + part)


def tax_for(*, country: str, region: str = "") -> Tax:
    """The tax on what is sent there: the region's rate, else the country's, else the default."""
    rates = TaxRate.objects.annotate(place=Upper("region")).filter(
        country=country.upper(), place__in=["", region.strip().upper()]
    )
    rate = rates.order_by("-place").first()
    return Tax(rate.percent if rate else settings.TAX_PERCENT, settings.PRICES_INCLUDE_TAX)
