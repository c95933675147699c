"""A report as a workbook: a sheet of figures, one of charts, one for each table; typed cells, flat memory.

A table with more rows than a sheet takes goes on in the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, islice
from typing import Any, BinaryIO

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from reports import xlsx_charts
from reports.results import Answer, Column, Kind, Row, Table, Value
from reports.shown import compared_columns
from reports.wording import TOTAL
from reports.workbook import Widths, Workbook
from reports.writing import change_of, is_number

MOST_ROWS = 1_048_576  # of a sheet
_MEASURED = 200  # rows that the widths of columns are made for
_SOFT = "#6f6962"


def write(answer: Answer, out: BinaryIO) -> None:
    """Write the workbook; what it keeps aside meanwhile is in the folder for temporary files."""
    book = Workbook(out, answer)
    try:
        _figures(book, answer)
        if charts := [chart for chart in answer.charts if chart.labels]:
            xlsx_charts.draw(book, charts)
        for table in answer.tables:
            _table(book, table)
    finally:
        book.close()


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
        title = str(column.title)
        yield _Field(title, column.kind, at)
        if at in compared:
            yield _Field(_("%(title)s, before") % {"title": title}, column.kind, at, "before")
        if at in compared and is_number(column.kind):
            in_points = column.kind == Kind.SHARE
            changed = _("%(title)s, change in points") if in_points else _("%(title)s, change")
            yield _Field(changed % {"title": title}, column.kind, at, "change")


def _figures(book: Workbook, answer: Answer) -> None:
    sheet, writer = book.sheet(pgettext("report", "Summary")), book.writer
    sheet.hide_gridlines(2)
    soft, widths = book.format(font_color=_SOFT), Widths()
    sheet.set_row(0, 26)
    sheet.write_string(0, 0, answer.title, book.format(bold=True, font_size=18))
    sheet.write_string(1, 0, writer.period(answer.question.period), book.format(bold=True))
    if answer.compared:
        compared = _("compared with %(days)s") % {"days": writer.period(answer.compared)}
        sheet.write_string(2, 0, compared, soft)
    heads = _heads(is_compared=answer.compared is not None)
    for at, head in enumerate(heads):
        sheet.write_string(4, at, head, book.format(Kind.TEXT if at == 0 else Kind.COUNT, head=True))
        widths.see(at, head)
    row = 4
    for figure in answer.figures:
        row += 1
        sheet.write_string(row, 0, figure.label)
        book.cell(sheet, row, 1, figure.kind, figure.value, bold=True)
        widths.see(0, str(figure.label))
        widths.see(1, writer.value(figure.kind, figure.value))
        if answer.compared:
            book.cell(sheet, row, 2, figure.kind, figure.before)
            book.cell(sheet, row, 3, Kind.SHARE, change_of(figure.kind, figure.value, figure.before))
            widths.see(2, writer.value(figure.kind, figure.before))
    row += 1
    made = _("Made on %(made_at)s (%(zone)s). Amounts are in %(currency)s.") % {
        "made_at": writer.moment(answer.made_at),
        "zone": writer.zone.key,
        "currency": answer.currency,
    }
    for note in [*answer.notes, made]:
        row += 1
        sheet.write_string(row, 0, note, soft)
    widths.set(sheet)


def _heads(*, is_compared: bool) -> list[str]:
    heads = [pgettext("report", "Figure"), pgettext("report", "Value")]
    return [*heads, pgettext("report", "Before"), pgettext("report", "Change")] if is_compared else heads


def _table(book: Workbook, table: Table) -> None:
    compared, rows = compared_columns(table)
    fields = list(_fields(table.columns, compared))
    room = MOST_ROWS - 2  # beside head and total
    first: list[Row] = []
    while True:
        sheet = book.sheet(str(table.title))
        widths = _head(book, sheet, fields)
        row = 0
        for row, one in enumerate(islice(chain(first, rows), room), 1):
            _row(book, sheet, row, one, fields, widths if row <= _MEASURED else None)
        sheet.autofilter(0, 0, max(row, 1), len(fields) - 1)
        if not (first := list(islice(rows, 1))):
            break
        widths.set(sheet)
    if table.total:
        _total(book, sheet, row + 1, table.total, fields, widths)
    widths.set(sheet)


def _head(book: Workbook, sheet: Any, fields: list[_Field]) -> Widths:
    widths = Widths()
    sheet.freeze_panes(1, 1)
    sheet.outline_settings(True, False)
    sheet.set_landscape()
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)
    for at, one in enumerate(fields):
        sheet.write_string(0, at, one.title, book.format(one.shown_as, head=True))
        widths.see(at, f"{one.title}  ")  # and the button of the filter
    return widths


def _row(book: Workbook, sheet: Any, row: int, one: Row, fields: list[_Field], widths: Widths | None) -> None:
    for at, field_ in enumerate(fields):
        value = field_.of(one)
        looks = {"indent": one.depth} if at == 0 and one.depth else {}
        book.cell(sheet, row, at, field_.shown_as, value, **looks)
        if widths:
            widths.see(at, " " * 2 * one.depth + book.writer.value(field_.shown_as, value))


def _total(book: Workbook, sheet: Any, row: int, total: Row, fields: list[_Field], widths: Widths) -> None:
    for at, field_ in enumerate(fields):
        value = field_.of(total)
        label = value if isinstance(value, str | Promise) and value else TOTAL
        is_label = at == 0 and not isinstance(value, int | Decimal)
        kind = Kind.TEXT if is_label else field_.shown_as
        book.cell(sheet, row, at, kind, label if is_label else value, bold=True, top=1)
        if isinstance(value, int | Decimal):
            widths.see(at, book.writer.value(field_.shown_as, value))
