"""A workbook that takes typed values, row by row: formats, names of sheets, widths of columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, BinaryIO

from babel import Locale
from babel.numbers import get_currency_precision, get_currency_symbol
from django.utils.functional import Promise

from reports.results import Answer, Kind, Value
from reports.writing import Writer, is_number

_LONGEST = 32_767  # characters of a cell
_NAME = 31  # characters of a sheet's name
_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
_WIDEST, _NARROWEST = 60, 8  # in letters
_OPTIONS = {
    "constant_memory": True,  # rows go to a temporary file as they come
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


@dataclass(slots=True)
class Widths:
    """How wide the columns must be for what was written into them."""

    letters: dict[int, int] = field(default_factory=dict)

    def see(self, at: int, text: str) -> None:
        self.letters[at] = max(self.letters.get(at, _NARROWEST), len(text) + 2)

    def set(self, sheet: Any) -> None:
        for at, letters in self.letters.items():
            sheet.set_column(at, at, min(letters, _WIDEST))


def _money_pattern(currency: str, locale: Locale) -> str:
    """Where the language puts the currency's sign; separators are those of whoever opens the workbook.

    >>> _money_pattern("EUR", Locale("de")), _money_pattern("JPY", Locale("en"))
    ('#,##0.00 "€"', '"¥"#,##0')
    """
    symbol = get_currency_symbol(currency, locale=locale).replace('"', "")
    decimals = get_currency_precision(currency)
    whole = f"#,##0.{'0' * decimals}" if decimals else "#,##0"
    is_after = locale.currency_formats["standard"].pattern.split(";")[0].strip("\u200f\xa0 ").endswith("¤")
    return f'{whole} "{symbol}"' if is_after else f'"{symbol}"{whole}'


class Workbook:
    """A workbook while it is filled, each sheet from top to bottom."""

    def __init__(self, out: BinaryIO, answer: Answer) -> None:
        import xlsxwriter  # only workbooks need it

        self.book = xlsxwriter.Workbook(out, _OPTIONS)
        self.book.use_zip64()
        self.book.set_properties({"title": str(answer.title)})
        self.writer = Writer.of(answer)
        self._formats: dict[tuple[Any, ...], Any] = {}
        self._names: set[str] = set()
        self._money = _money_pattern(answer.currency, self.writer.locale)

    def close(self) -> None:
        """Put it together; what it was given stays open."""
        self.book.close()

    def format(self, kind: Kind | None = None, **more: Any) -> Any:
        """The workbook's format for values of a kind, made once."""
        key = (kind, *sorted(more.items()))
        if key not in self._formats:
            pattern = {"num_format": self.pattern(kind)} if kind and kind != Kind.TEXT else {}
            align = {"align": "right" if is_number(kind) else "left"} if kind and kind != Kind.TEXT else {}
            looks = {"bold": True, "bottom": 1, "text_wrap": True} if more.get("head") else {}
            rest = {name: value for name, value in more.items() if name != "head"}
            self._formats[key] = self.book.add_format({**pattern, **align, **looks, **rest})
        return self._formats[key]

    def pattern(self, kind: Kind) -> str:
        """How numbers of the kind are shown."""
        if kind == Kind.MONEY:
            return self._money
        return {
            Kind.COUNT: "#,##0",
            Kind.SHARE: "0.0%",
            Kind.DAY: "yyyy-mm-dd",
            Kind.MOMENT: "yyyy-mm-dd hh:mm",
        }[kind]

    def cell(self, sheet: Any, row: int, at: int, kind: Kind, value: Value, **looks: Any) -> None:
        """Write a value as what it is: a text stays a text, whatever it begins with."""
        form = self.format(kind, **looks)
        if isinstance(value, Promise):
            value = str(value)
        match value:
            case None:
                if looks:
                    sheet.write_blank(row, at, None, form)
            case str():
                sheet.write_string(row, at, value[:_LONGEST], self.format(**looks) if looks else None)
            case datetime():
                sheet.write_datetime(row, at, value.astimezone(self.writer.zone).replace(tzinfo=None), form)
            case date():
                sheet.write_datetime(row, at, value, form)
            case _:
                sheet.write_number(row, at, value, form)

    def sheet(self, title: str) -> Any:
        """A new sheet, by a name that no other has."""
        name = _FORBIDDEN.sub(" ", title).strip()[:_NAME].strip() or "Sheet"
        number = 1
        while name.lower() in self._names or name.lower() == "history":
            number += 1
            end = f" ({number})"
            name = f"{_FORBIDDEN.sub(' ', title).strip()[: _NAME - len(end)].strip()}{end}"
        self._names.add(name.lower())
        sheet = self.book.add_worksheet(name)
        if self.writer.locale.text_direction == "rtl":
            sheet.right_to_left()
        return sheet
