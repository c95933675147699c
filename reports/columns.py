"""The columns of sales reports, and the large figures above them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import pgettext_lazy

from reports.results import Column, Figure, Kind, Value
from reports.sums import Sums

# A column, what it shows of sums, and whether more of it is better (None: neither).
type Shown = tuple[Column, Callable[[Sums], Value], bool | None]

GROSS: Shown = (Column("gross", pgettext_lazy("report", "Gross"), Kind.MONEY), lambda sums: sums.gross, True)
_NET: Shown = (Column("net", pgettext_lazy("report", "Net"), Kind.MONEY), lambda sums: sums.net, True)
_TAX: Shown = (Column("tax", pgettext_lazy("report", "Tax"), Kind.MONEY), lambda sums: sums.tax, None)
_REFUNDS: Shown = (
    Column("refunds", pgettext_lazy("report", "Refunds"), Kind.MONEY),
    lambda sums: sums.refunds,
    False,
)
_DISCOUNTS: Shown = (
    Column("discounts", pgettext_lazy("report", "Discounts"), Kind.MONEY),
    lambda sums: sums.discounts,
    None,
)
_DELIVERY: Shown = (
    Column("delivery", pgettext_lazy("report", "Delivery"), Kind.MONEY),
    lambda sums: sums.delivery,
    None,
)
_ORDERS: Shown = (
    Column("orders", pgettext_lazy("report", "Orders"), Kind.COUNT),
    lambda sums: sums.orders,
    True,
)
_UNITS: Shown = (Column("units", pgettext_lazy("report", "Units"), Kind.COUNT), lambda sums: sums.units, True)
_AVERAGE: Shown = (
    Column("average", pgettext_lazy("report", "Average order"), Kind.MONEY),
    lambda sums: sums.average,
    True,
)
_NEW: Shown = (
    Column("new_customers", pgettext_lazy("report", "New customers"), Kind.COUNT),
    lambda sums: sums.new,
    True,
)
_REPEAT: Shown = (
    Column("repeat_orders", pgettext_lazy("report", "Repeat orders"), Kind.COUNT),
    lambda sums: sums.repeat,
    True,
)

# Gross - refunds = net + tax.
OF_ORDERS = (
    _ORDERS, _UNITS, GROSS, _REFUNDS, _NET, _TAX, _DISCOUNTS, _DELIVERY, _AVERAGE, _NEW, _REPEAT,
)  # fmt: skip
OF_THINGS = (_UNITS, GROSS, _REFUNDS, _NET, _TAX, _DISCOUNTS)  # an order may have several things
SHARE = Column("share", pgettext_lazy("report", "Share"), Kind.SHARE)


def headings(shown: Sequence[Shown]) -> tuple[Column, ...]:
    return tuple(column for column, _, _ in shown)


def cells(shown: Sequence[Shown], sums: Sums) -> tuple[Value, ...]:
    return tuple(value(sums) for _, value, _ in shown)


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """0.125 for an eighth; None of nothing."""
    return (part / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP) if whole else None


def figures(now: Sums, before: Sums | None) -> list[Figure]:
    """The large numbers at the top."""
    tops = (GROSS, _NET, _TAX, _ORDERS, _UNITS, _AVERAGE, _REFUNDS, _DISCOUNTS, _DELIVERY, _NEW, _REPEAT)
    return [
        Figure(column.key, column.title, column.kind, value(now), value(before) if before else None, is_good)
        for column, value, is_good in tops
    ]
