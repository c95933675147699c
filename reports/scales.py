"""Where numbers and places of a chart stand: round ticks from zero, and positions across."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_TICKS = 4  # steps between the lowest and the highest, at most one more


@dataclass(frozen=True, slots=True)
class Scale:
    """Ticks at round numbers; zero is one of them."""

    ticks: Sequence[Decimal]

    def share(self, value: Decimal | int) -> float:
        """How far up it stands: 0 at the lowest tick, 1 at the highest."""
        low, high = self.ticks[0], self.ticks[-1]
        return float((value - low) / (high - low))

    @property
    def zero(self) -> float:
        return self.share(0)


def scale_of(values: Iterable[Decimal | int | None], *, whole: bool = False) -> Scale:
    """Ticks around all of the values and zero; `whole`: at whole numbers only.

    >>> [int(tick) for tick in scale_of([Decimal("-120"), 1234]).ticks]
    [-500, 0, 500, 1000, 1500]
    """
    numbers = [Decimal(value) for value in values if value is not None]
    low, high = min(numbers, default=Decimal(0)), max(numbers, default=Decimal(0))
    low, high = min(low, Decimal(0)), max(high, Decimal(0))
    step = _step((high - low) / _TICKS or Decimal(1) / _TICKS)
    if whole:
        step = max(step.to_integral_value(ROUND_CEILING), Decimal(1))
    first = int((low / step).to_integral_value(ROUND_FLOOR))
    last = max(int((high / step).to_integral_value(ROUND_CEILING)), first + 1)
    return Scale([step * number for number in range(first, last + 1)])


def _step(least: Decimal) -> Decimal:
    """The next round number that is no less."""
    power = Decimal(10) ** least.adjusted()
    return next(step * power for step in _STEPS if step * power >= least)


@dataclass(frozen=True, slots=True)
class Across:
    """Positions from left to right: in units of a drawing that is `width` wide, or, where that is None, in
    percent of wherever the drawing will stand."""

    width: int | None = None

    def at(self, share: float) -> str:
        """A share of the width, as SVG has it."""
        return f"{share * 100:.2f}%" if self.width is None else f"{share * self.width:.1f}"


def some_of(count: int, most: int) -> list[int]:
    """The numbers of `most` of the places at most, evenly apart, with the first one; the last one where it
    fits.

    >>> some_of(5, 7), some_of(30, 7), some_of(400, 7)
    ([0, 1, 2, 3, 4], [0, 5, 10, 15, 20, 25], [0, 67, 134, 201, 268, 335])
    """
    step = max(1, -(-count // most))
    return list(range(0, count, step))
