"""Bars of some days' revenue as numbers for an SVG, which a template draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import floor, log10

_WIDTH, _HEIGHT, _FOOT, _HEAD = 640, 160, 24, 20  # units of the drawing; text stands above and below
_GAP = 6  # between bars
_SMALLEST = 2.0  # a day with any revenue has a bar that can be seen


@dataclass(frozen=True, slots=True)
class Day:
    """A day's orders and revenue, in the store's currency."""

    day: date
    orders: int
    revenue: Decimal


@dataclass(frozen=True, slots=True)
class Bar:
    """A day's bar; `label` stands below it where there is room, `value` above the highest and today's."""

    day: Day
    x: float
    y: float
    width: float
    height: float
    middle: float
    label: str
    value: str
    is_today: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """The drawing, and the same in words."""

    bars: list[Bar]
    width: int
    height: int
    base: int
    total: Decimal
    currency: str


def chart_of(days: Sequence[Day], *, currency: str) -> Chart:
    """Bars from zero for these days, in their order; the last one is today's."""
    top = _round_up(max((day.revenue for day in days), default=Decimal(0)))
    step = _WIDTH / max(1, len(days))
    best = max(range(len(days)), key=lambda number: days[number].revenue, default=0)
    bars = [
        _bar(day, number, step=step, top=top, is_today=number == len(days) - 1, is_best=number == best)
        for number, day in enumerate(days)
    ]
    total = sum((day.revenue for day in days), Decimal(0))
    return Chart(bars, _WIDTH, _HEIGHT, _HEIGHT - _FOOT, total, currency)


def _bar(day: Day, number: int, *, step: float, top: Decimal, is_today: bool, is_best: bool) -> Bar:
    room = _HEIGHT - _FOOT - _HEAD
    height = round(float(day.revenue / top) * room, 1) if day.revenue > 0 else 0.0
    height = max(height, _SMALLEST) if day.revenue > 0 else 0.0
    x = round(number * step + _GAP / 2, 1)
    return Bar(
        day,
        x,
        round(_HEIGHT - _FOOT - height, 1),
        round(step - _GAP, 1),
        height,
        round(number * step + step / 2, 1),
        "today" if is_today else f"{day.day.day}",
        _short(day.revenue) if day.revenue > 0 and (is_best or is_today) else "",
        is_today,
    )


def _round_up(amount: Decimal) -> Decimal:
    """The next round number, so that the highest bar leaves some room: 1, 2 or 5 times a power of ten.

    >>> _round_up(Decimal("1234.50"))
    Decimal('2000')
    """
    if amount <= 0:
        return Decimal(1)
    power = Decimal(10) ** floor(log10(amount))
    return next(step * power for step in (1, 2, 5, 10) if amount <= step * power)


def _short(amount: Decimal) -> str:
    """`12.3k` for 12,345: what fits above a bar.

    >>> _short(Decimal("940.40"))
    '940'
    """
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if amount >= size:
            return f"{amount / size:,.1f}{letter}".replace(f".0{letter}", letter)
    return f"{amount:,.0f}"
