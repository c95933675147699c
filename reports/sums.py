"""What is counted of sales: amounts and numbers that add up, whatever they are grouped by."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

_CENT = Decimal("0.01")


class Sums(NamedTuple):
    """Sums over facts; gross - refunds = net + tax. docs/reports.md says what each one is."""

    orders: int = 0
    new: int = 0
    units: int = 0
    gross: Decimal = Decimal("0.00")
    discounts: Decimal = Decimal("0.00")
    delivery: Decimal = Decimal("0.00")
    refunds: Decimal = Decimal("0.00")
    tax: Decimal = Decimal("0.00")
    net: Decimal = Decimal("0.00")

    @property
    def average(self) -> Decimal | None:
        """An order's gross amount, to the cent; None where there is no order."""
        return (self.gross / self.orders).quantize(_CENT, ROUND_HALF_UP) if self.orders else None

    @property
    def repeat(self) -> int:
        """Orders of customers who had ordered before."""
        return self.orders - self.new

    @property
    def kept(self) -> Decimal:
        """What was not given back."""
        return self.gross - self.refunds

    def plus(self, other: Sums) -> Sums:
        return Sums(
            self.orders + other.orders,
            self.new + other.new,
            self.units + other.units,
            self.gross + other.gross,
            self.discounts + other.discounts,
            self.delivery + other.delivery,
            self.refunds + other.refunds,
            self.tax + other.tax,
            self.net + other.net,
        )


def total(sums: Iterable[Sums]) -> Sums:
    """All of them together."""
    result = Sums()
    for one in sums:
        result = result.plus(one)
    return result


_COUNTS = ("orders", "new", "units")


def selected(condition: str = "true", *, named: bool = True) -> str:
    """The sums over facts that meet a condition, as columns of SQL."""
    return ", ".join(
        f"coalesce(sum({name}) FILTER (WHERE {condition}), 0)::"
        f"{'bigint' if name in _COUNTS else 'numeric(20, 2)'}{f' AS {name}' if named else ''}"
        for name in Sums._fields
    )
