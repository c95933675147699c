"""Prices of a shop's file: which of several holds, and how they compare."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from imports.column import CellError
from imports.number_columns import Price
from imports.numbers import COMMA

_DATES = ("%Y-%m-%d", "%m/%d/%y", "%m/%d/%Y")


class ShopPrices:
    """Compares prices as the file writes them; one that can't be read is never lower than another."""

    def __init__(self, price: Price, today: date) -> None:
        self._price, self._today = price, today

    def amount(self, text: str) -> Decimal | None:
        """A price as a number; None for a blank or broken one."""
        try:
            return Decimal(self._price.clean(text)) if text else None
        except CellError:
            return None

    def written(self, amount: Decimal) -> str:
        """A price as this file writes prices."""
        text = f"{amount:.2f}"
        return text.replace(".", ",") if self._price.chosen.get("format") == COMMA else text

    def lowest(self, texts: Sequence[str]) -> str:
        """The lowest of these prices, as it is written; "" if there is none."""
        known = [(amount, text) for text in texts if (amount := self.amount(text)) is not None]
        return min(known)[1] if known else ""

    def on_sale(self, regular: str, sale: str, *, begins: str, ends: str) -> bool:
        """Whether the sale price is one, lower than the regular one, and holds today."""
        offered, usual = self.amount(sale), self.amount(regular)
        if not offered or (regular and (usual is None or offered >= usual)):
            return False
        first, last = _day(begins, date.min), _day(ends, date.max)
        return first is not None and last is not None and first <= self._today <= last

    def before(self, price: str, compared: str) -> str:
        """The cell of the price that `price` was lowered from, written as the file does.

        "0" where `compared` is blank or not above `price`, which is lowered no more: "" would leave what is
        there. "" where there is no price to compare it with. What can't be read stays, to be rejected.
        """
        if not compared:
            return "0"
        now, then = self.amount(price), self.amount(compared)
        if then is None:
            return compared
        if now is None:
            return ""
        return compared if then > now else "0"


def _day(text: str, unless_told: date) -> date | None:
    """The day that a cell names, `unless_told` for a blank one, None for one that can't be read."""
    if not text:
        return unless_told
    for form in _DATES:
        try:
            return datetime.strptime(text.replace("T", " ").split(" ")[0], form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None
