"""The columns that hold numbers: prices and stock."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import ClassVar

from imports import numbers
from imports.column import CellError, Column, short
from imports.words import CURRENCIES, CURRENCIES_OF, HEADERS, PIECES

MAX_STOCK = 2_147_483_647
MAX_PRICE = Decimal("9999999999.99")
_PLAIN_INTEGER = re.compile(r"[0-9]{1,9}").fullmatch
# Many cells in one text, each ended by a character that no number has.
_PLAIN_INTEGERS = re.compile(r"(?:[0-9]{1,9}\x1f)+")
_PLAIN_CHANGE = re.compile(r"[+-]?[0-9]{1,9}").fullmatch
_PLAIN_CHANGES = re.compile(r"(?:[+-]?[0-9]{1,9}\x1f)+")
_POINTS = {numbers.AUTO: r"\.", numbers.POINT: r"\.", numbers.COMMA: ","}
_PLAIN_PRICE = {
    style: re.compile(f"[0-9]{{1,10}}(?:{point}[0-9][0-9])?").fullmatch for style, point in _POINTS.items()
}
_PLAIN_PRICES = {
    style: re.compile(f"(?:[0-9]{{1,10}}(?:{point}[0-9][0-9])?\x1f)+") for style, point in _POINTS.items()
}
_FORMATS = {
    numbers.POINT: "1,234.56",
    numbers.COMMA: "1.234,56",
    numbers.AUTO: "unclear, 1.234 rejected",
}


class _Number(Column):
    """Reads numbers in the format that was chosen or found."""

    def _style(self) -> str:
        return self.chosen.get("format", numbers.AUTO)

    def _refuse_percentage(self, text: str) -> None:
        """A share of something is no amount; which share of what, the file does not say."""
        if "%" in text:
            message = f"“{short(text)}” is a percentage. Map the column that has the {self.name} itself."
            raise CellError("percentage", message)

    def _read(self, text: str, number: str) -> Decimal | None:
        """The one number that the text is in the column's format; None when it is none in any format."""
        style = self._style()
        match numbers.readings(number, style):
            case [plain]:
                return Decimal(plain)
            case [first, second]:
                message = (
                    f"“{short(text)}” can mean {first} or {second}. Say how the column writes numbers"
                    f" ({self.name}.format: point or comma), or write {second} if that is meant."
                )
                raise CellError("ambiguous_number", message)
        if other := numbers.readings(number, numbers.AUTO):
            message = (
                f"“{short(text)}” is not written like this column’s other numbers ({_FORMATS[style]})."
                f" Write {_written(other[0], style)}, or choose the other format ({self.name}.format)."
            )
            raise CellError("other_number_format", message)
        return None


def _written(plain: str, style: str) -> str:
    return short(plain.replace(".", ",") if style == numbers.COMMA else plain)


class Price(_Number):
    name, label, db_type, equal = "price", "Price", "numeric(12,2)", "p.price = k.price::numeric"
    synonyms = HEADERS["price"]
    needed_to_create = True
    example = "39.90"
    options = {
        "format": _FORMATS,
        "currency": {
            code: f"{code} {signs[0] if signs else ''}".strip() for code, signs in CURRENCIES.items()
        },
    }

    def clean(self, text: str) -> str:
        style = self._style()
        if _PLAIN_PRICE[style](text):
            return text.replace(",", ".")
        price = self._amount(text)
        if price < 0:
            raise CellError("negative_price", f"The price {short(text)} is below zero. Write 0 or more.")
        if price > MAX_PRICE:
            raise CellError("price_too_large", f"The price is above {MAX_PRICE:,}. Check the decimal point.")
        if price != (rounded := price.quantize(Decimal("0.01"))):
            message = f"The price {short(text)} has more than 2 decimals. Round it."
            raise CellError("too_many_decimals", message)
        return str(abs(rounded))

    def _amount(self, text: str) -> Decimal:
        written = numbers.split(text)
        around = {written.before, written.after} - {""} if written else set()
        if written and around <= CURRENCIES_OF.keys():
            amount = self._read(text, written.number)
            if amount is not None:
                self._check_currency(text, around)
                return amount
        self._refuse_percentage(text)
        sign, example = ("comma", "12,50") if self._style() == numbers.COMMA else ("point", "12.50")
        fix = f"Write digits with a {sign} for the cents, such as {example}."
        raise CellError("not_a_price", f"“{short(text)}” is not a plain number. {fix}")

    def _check_currency(self, text: str, names: set[str]) -> None:
        """A sign that is not the column's currency would bring in a price in other money."""
        chosen = self.chosen.get("currency", "")
        for named in map(CURRENCIES_OF.__getitem__, names):
            if chosen and chosen not in named:
                message = (
                    f"“{short(text)}” is in {named[0]}, this column’s prices are in {chosen}. Convert it."
                )
                raise CellError("other_currency", message)
            if not chosen:
                message = (
                    f"“{short(text)}” names a currency. Say that it is the one of all prices"
                    f" ({self.name}.currency: {named[0]}), or remove it."
                )
                raise CellError("currency_not_chosen", message)

    def clean_all(self, texts: list[str]) -> list[str] | None:
        style = self._style()
        if not _all_match(_PLAIN_PRICES[style], texts):
            return None
        return texts if style != numbers.COMMA else [text.replace(",", ".") for text in texts]


class CompareAtPrice(Price):
    """What the product cost before; 0 is none. One that is not above the price is kept as it is said: pages
    strike it through only while it is above."""

    name, label = "compare_at_price", "Compare-at price"
    equal = "p.compare_at_price IS NOT DISTINCT FROM nullif(k.compare_at_price::numeric, 0)"
    synonyms = HEADERS["compare_at_price"]
    needed_to_create = False
    cleared: ClassVar[str | None] = "0"
    example = "49.90"


class Stock(_Number):
    name, label, db_type, equal = "stock", "Stock", "integer", "p.stock = k.stock::integer"
    synonyms = HEADERS["stock"]
    cleared: ClassVar[str | None] = "0"
    example = "25"
    options = {"format": _FORMATS}
    _plain, _plains = _PLAIN_INTEGER, _PLAIN_INTEGERS

    def clean(self, text: str) -> str:
        if self._plain(text):
            return text
        written = numbers.split(text)
        stock = None
        if written and not written.before and written.after in ("", *PIECES):
            stock = self._read(text, written.number)
        if stock is None:
            self._refuse_percentage(text)
            raise CellError("not_a_number", f"“{short(text)}” is not a whole number. Write digits only, 25.")
        if stock != stock.to_integral_value():
            raise CellError("not_whole", f"The stock {short(text)} is not whole. Write a whole number.")
        self._check_range(int(stock), text)
        return str(int(stock))

    def _check_range(self, stock: int, text: str) -> None:
        if stock < 0:
            raise CellError("negative_stock", f"The stock {short(text)} is below zero. Write 0 or more.")
        if stock > MAX_STOCK:
            raise CellError("stock_too_large", f"The stock is above {MAX_STOCK:,}. Check the number.")

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return texts if _all_match(self._plains, texts) else None


class StockChange(Stock):
    """The column of stock in an import whose numbers are pieces to add (`5`, `+5`) or to take away (`-5`)."""

    equal = "k.stock::integer = 0"
    cleared = None  # what would be added?
    example = "-5"
    _plain, _plains = _PLAIN_CHANGE, _PLAIN_CHANGES

    def _check_range(self, stock: int, text: str) -> None:
        if abs(stock) > MAX_STOCK:
            message = f"The number of pieces is beyond {MAX_STOCK:,}. Check it."
            raise CellError("stock_too_large", message)


def _all_match(many: re.Pattern[str], texts: list[str]) -> bool:
    """Whether each of the texts is one of the items that `many` matches a row of."""
    joined = "\x1f".join([*texts, ""])
    return joined.count("\x1f") == len(texts) and many.fullmatch(joined) is not None
