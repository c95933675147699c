"""A report as a workbook: a sheet of figures, one of charts, one for each table; typed cells, flat memory.

Rows go to a temporary file as they come, so sheets are written from top to bottom. Texts stay texts, whatever
they begin with. A table with more rows than a sheet takes goes on in the next one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate, chain, islice
from typing import Any, BinaryIO

from babel import Locale
from babel.numbers import get_currency_precision, get_currency_symbol

from reports.results import Answer, Chart, Column, Kind, Row, Shape, Table, Value
from reports.shown import TOTAL, compared_columns
from reports.writing import Writer, change_of, is_number

MOST_ROWS = 1_048_576  # of a sheet
_LONGEST = 32_767  # characters of a cell
_NAME = 31  # characters of a sheet's name
_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
_MEASURED = 200  # rows that the widths of columns are made for
_WIDEST, _NARROWEST = 60, 8  # in letters
_CHART_ROWS, _ROW_HEIGHT = 20, 20  # of the sheet, that a chart covers; pixels of one
_CHART_WIDTH, _CHART_COLUMNS = 860, 15  # in pixels; what it is made of begins at that column
_ACCENT, _MUTED, _SOFT = "#026d71", "#a9a49c", "#6f6962"
_SERIES = (_ACCENT, "#8b3d7e", "#6e5f10", "#40599b")


def write(answer: Answer, out: BinaryIO) -> None:
    """Write the workbook; what it keeps aside meanwhile is in the folder for temporary files."""
    import xlsxwriter  # only workbooks need it

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(out, options)
    book.use_zip64()
    book.set_properties({"title": answer.title})
    try:
        _Book(book, answer).fill()
    finally:
        book.close()


@dataclass(slots=True)
class _Widths:
    """How wide the columns must be for what was written into them."""

    letters: dict[int, int] = field(default_factory=dict)

    def see(self, at: int, text: str) -> None:
        self.letters[at] = max(self.letters.get(at, _NARROWEST), len(text) + 2)

    def set(self, sheet: Any) -> None:
        for at, letters in self.letters.items():
            sheet.set_column(at, at, min(letters, _WIDEST))


@dataclass(frozen=True, slots=True)
class _Field:
    """A column of a sheet: of the values now, before, or of the change between."""

    title: str
    kind: Kind
    at: int
    part: str = "now"

    def of(self, row: Row) -> Value:
        if self.part == "now":
            return row.cells[self.at]
        before = row.before[self.at] if row.before is not None else None
        return before if self.part == "before" else change_of(self.kind, row.cells[self.at], before)

    @property
    def shown_as(self) -> Kind:
        return Kind.SHARE if self.part == "change" else self.kind


def _fields(columns: Sequence[Column], compared: frozenset[int]) -> Iterator[_Field]:
    for at, column in enumerate(columns):
        yield _Field(column.title, column.kind, at)
        if at in compared:
            yield _Field(f"{column.title}, before", column.kind, at, "before")
        if at in compared and is_number(column.kind):
            unit = ", change in points" if column.kind == Kind.SHARE else ", change"
            yield _Field(f"{column.title}{unit}", column.kind, at, "change")


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


class _Book:
    """The workbook while it is filled."""

    def __init__(self, book: Any, answer: Answer) -> None:
        self._book, self._answer = book, answer
        self._writer = Writer.of(answer)
        self._zone = answer.question.period.zone
        self._formats: dict[tuple[Any, ...], Any] = {}
        self._names: set[str] = set()
        self._money = _money_pattern(answer.currency, self._writer.locale)

    def fill(self) -> None:
        self._figures()
        if any(chart.labels for chart in self._answer.charts):
            self._charts()
        for table in self._answer.tables:
            self._table(table)

    # Cells.

    def _format(self, kind: Kind | None = None, **more: Any) -> Any:
        """The workbook's format for values of a kind, made once."""
        key = (kind, *sorted(more.items()))
        if key not in self._formats:
            pattern = {"num_format": self._pattern(kind)} if kind and kind != Kind.TEXT else {}
            align = {"align": "right"} if more.get("head") and kind and is_number(kind) else {}
            looks = {"bold": True, "bottom": 1, "text_wrap": True} if more.get("head") else {}
            rest = {name: value for name, value in more.items() if name != "head"}
            self._formats[key] = self._book.add_format({**pattern, **align, **looks, **rest})
        return self._formats[key]

    def _pattern(self, kind: Kind) -> str:
        if kind == Kind.MONEY:
            return self._money
        return {
            Kind.COUNT: "#,##0",
            Kind.SHARE: "0.0%",
            Kind.DAY: "yyyy-mm-dd",
            Kind.MOMENT: "yyyy-mm-dd hh:mm",
        }[kind]

    def _cell(self, sheet: Any, row: int, at: int, kind: Kind, value: Value, **looks: Any) -> None:
        form = self._format(kind, **looks)
        match value:
            case None:
                if looks:
                    sheet.write_blank(row, at, None, form)
            case str():
                sheet.write_string(row, at, value[:_LONGEST], self._format(**looks) if looks else None)
            case datetime():
                sheet.write_datetime(row, at, value.astimezone(self._zone).replace(tzinfo=None), form)
            case date():
                sheet.write_datetime(row, at, value, form)
            case _:
                sheet.write_number(row, at, value, form)

    def _sheet(self, title: str) -> Any:
        """A new sheet, by a name that no other has."""
        name = _FORBIDDEN.sub(" ", title).strip()[:_NAME].strip() or "Sheet"
        number = 1
        while name.lower() in self._names or name.lower() == "history":
            number += 1
            end = f" ({number})"
            name = f"{_FORBIDDEN.sub(' ', title).strip()[: _NAME - len(end)].strip()}{end}"
        self._names.add(name.lower())
        return self._book.add_worksheet(name)

    # Sheets.

    def _figures(self) -> None:
        sheet, answer, writer = self._sheet("Summary"), self._answer, self._writer
        sheet.hide_gridlines(2)
        soft, widths = self._format(font_color=_SOFT), _Widths()
        sheet.set_row(0, 26)
        sheet.write_string(0, 0, answer.title[:_LONGEST], self._format(bold=True, font_size=18))
        sheet.write_string(1, 0, writer.period(answer.question.period), self._format(bold=True))
        if answer.compared:
            sheet.write_string(2, 0, f"compared with {writer.period(answer.compared)}", soft)
        heads = ["Figure", "Value", *(["Before", "Change"] if answer.compared else [])]
        for at, head in enumerate(heads):
            sheet.write_string(4, at, head, self._format(Kind.TEXT if at == 0 else Kind.COUNT, head=True))
            widths.see(at, head)
        row = 4
        for figure in answer.figures:
            row += 1
            sheet.write_string(row, 0, figure.label)
            self._cell(sheet, row, 1, figure.kind, figure.value, bold=True)
            widths.see(0, figure.label)
            widths.see(1, writer.value(figure.kind, figure.value))
            if answer.compared:
                self._cell(sheet, row, 2, figure.kind, figure.before)
                self._cell(sheet, row, 3, Kind.SHARE, change_of(figure.kind, figure.value, figure.before))
                widths.see(2, writer.value(figure.kind, figure.before))
        row += 1
        made = f"Made on {writer.moment(answer.made_at)} ({self._zone.key}), in {answer.currency}."
        for note in [*answer.notes, made]:
            row += 1
            sheet.write_string(row, 0, note[:_LONGEST], soft)
        widths.set(sheet)

    def _charts(self) -> None:
        """Native charts, and beside them the cells that they are made of."""
        sheet, widths = self._sheet("Charts"), _Widths()
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        charts = [chart for chart in self._answer.charts if chart.labels]
        places = list(accumulate((len(chart.series) + 2 for chart in charts), initial=_CHART_COLUMNS))
        for row in range(max(len(chart.labels) for chart in charts) + 1):
            for chart, first in zip(charts, places, strict=False):
                self._chart_row(sheet, chart, first, row, widths)
        widths.set(sheet)
        for number, (chart, first) in enumerate(zip(charts, places, strict=False)):
            sheet.insert_chart(number * (_CHART_ROWS + 1), 0, self._chart(sheet, chart, first))

    def _chart_row(self, sheet: Any, chart: Chart, first: int, row: int, widths: _Widths) -> None:
        if row > len(chart.labels):
            return
        heads = [chart.title, *(series.name for series in chart.series)]
        values = [series.values[row - 1] for series in chart.series]
        if row == 0:
            for at, head in enumerate(heads):
                sheet.write_string(0, first + at, head, self._format(chart.kind if at else None, head=True))
                widths.see(first + at, head)
            return
        sheet.write_string(row, first, chart.labels[row - 1][:_LONGEST])
        widths.see(first, chart.labels[row - 1])
        for at, value in enumerate(values, first + 1):
            self._cell(sheet, row, at, chart.kind, value)
            widths.see(at, self._writer.value(chart.kind, value))

    def _chart(self, sheet: Any, chart: Chart, first: int) -> Any:
        is_line = chart.shape == Shape.LINE
        drawn = self._book.add_chart({"type": "line" if is_line else "bar"})
        colours = iter(_SERIES * len(chart.series))
        for at, series in enumerate(chart.series, first + 1):
            colour = _MUTED if series.is_before else next(colours)
            dash = {"dash_type": "dash"} if series.is_before else {}
            looks = (
                {"line": {"color": colour, "width": 2, **dash}}
                if is_line
                else {"fill": {"color": colour}, "gap": 60}
            )
            rows = len(chart.labels)
            drawn.add_series(
                {
                    "name": [sheet.name, 0, at],
                    "categories": [sheet.name, 1, first, rows, first],
                    "values": [sheet.name, 1, at, rows, at],
                    **looks,
                }
            )
        self._axes(drawn, chart)
        drawn.set_title({"name": chart.title, "overlay": False, "name_font": {"size": 13, "bold": True}})
        drawn.set_legend({"none": True} if len(chart.series) == 1 else {"position": "bottom"})
        height = _CHART_ROWS * _ROW_HEIGHT
        drawn.set_size({"width": _CHART_WIDTH, "height": height, "object_position": 3})
        return drawn

    def _axes(self, drawn: Any, chart: Chart) -> None:
        grid = {"visible": True, "line": {"color": "#e6e3dd"}}
        values = {"num_format": self._pattern(chart.kind), "major_gridlines": grid, "line": {"none": True}}
        names = {"label_position": "low", "major_gridlines": {"visible": False}}
        if chart.shape == Shape.LINE:
            drawn.set_x_axis(names)
            drawn.set_y_axis(values)
        else:  # without `reverse` the first thing would stand at the bottom
            drawn.set_y_axis(names | {"reverse": True})
            drawn.set_x_axis(values | {"label_position": "high"})

    def _table(self, table: Table) -> None:
        compared, rows = compared_columns(table)
        fields = list(_fields(table.columns, compared))
        room = MOST_ROWS - 2  # beside head and total
        first: list[Row] = []
        while True:
            sheet = self._sheet(table.title)
            widths = self._head(sheet, fields)
            row = 0
            for row, one in enumerate(islice(chain(first, rows), room), 1):
                self._row(sheet, row, one, fields, widths if row <= _MEASURED else None)
            sheet.autofilter(0, 0, max(row, 1), len(fields) - 1)
            if not (first := list(islice(rows, 1))):
                break
            widths.set(sheet)
        if table.total:
            self._total(sheet, row + 1, table.total, fields, widths)
        widths.set(sheet)

    def _head(self, sheet: Any, fields: list[_Field]) -> _Widths:
        widths = _Widths()
        sheet.freeze_panes(1, 1)
        sheet.outline_settings(True, False)
        sheet.set_landscape()
        sheet.repeat_rows(0)
        sheet.fit_to_pages(1, 0)
        for at, one in enumerate(fields):
            sheet.write_string(0, at, one.title, self._format(one.shown_as, head=True))
            widths.see(at, f"{one.title}  ")  # and the button of the filter
        return widths

    def _row(self, sheet: Any, row: int, one: Row, fields: list[_Field], widths: _Widths | None) -> None:
        for at, field_ in enumerate(fields):
            value = field_.of(one)
            looks = {"indent": one.depth} if at == 0 and one.depth else {}
            self._cell(sheet, row, at, field_.shown_as, value, **looks)
            if widths:
                widths.see(at, " " * 2 * one.depth + self._writer.value(field_.shown_as, value))

    def _total(self, sheet: Any, row: int, total: Row, fields: list[_Field], widths: _Widths) -> None:
        for at, field_ in enumerate(fields):
            value = field_.of(total)
            label = value if isinstance(value, str) and value else TOTAL
            is_label = at == 0 and not is_number(field_.kind)
            kind = Kind.TEXT if is_label else field_.shown_as
            self._cell(sheet, row, at, kind, label if is_label else value, bold=True, top=1)
            if isinstance(value, int | Decimal):
                widths.see(at, self._writer.value(field_.shown_as, value))
