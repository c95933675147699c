"""Tables as people see them, on pages, in mails and in PDFs: cells in words, changes, cut where they are
long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain, islice

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from reports.results import Column, Kind, Row, Table, Text, Value
from reports.wording import TOTAL
from reports.writing import NOTHING, Change, Writer, is_number


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column; `of` is the column whose changes it has, where it has those."""

    title: Text
    is_number: bool
    of: Text = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """`before` is the value that it is compared with, in words; `change` makes it the cell of a change.
    `is_name`: a text, which may be long."""

    text: str
    is_number: bool
    before: str = ""
    change: Change | None = None
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class ShownRow:
    cells: list[Cell]
    depth: int = 0

    @property
    def levels(self) -> range:
        """One for each step in, for templates."""
        return range(self.depth)


@dataclass(frozen=True, slots=True)
class ShownTable:
    """`more` says how many rows were left out, and is empty where none were."""

    title: Text
    heads: list[Head]
    rows: list[ShownRow]
    total: ShownRow | None
    note: Text
    more: str


def compared_columns(table: Table) -> tuple[frozenset[int], Iterator[Row]]:
    """The places of the columns that have values before, and all of its rows: of numbers, all have them or
    none; of days and moments those whose first row has one."""
    rows = iter(table.rows)
    first = list(islice(rows, 1))
    rows = chain(first, rows)
    known = list(table.rows) if isinstance(table.rows, Sequence) else first
    olds = [row.before for row in [*known, *([table.total] if table.total else [])] if row.before is not None]
    if not olds:
        return frozenset(), rows
    return frozenset(
        at
        for at, column in enumerate(table.columns)
        if is_number(column.kind)
        or (column.kind != Kind.TEXT and any(isinstance(old[at], date) for old in olds))
    ), rows


def shown(
    table: Table, writer: Writer, *, most: int, columns: int | None = None, stacked_from: int | None = None
) -> ShownTable:
    """Its first `most` rows and `columns` columns in words. Changes have columns of their own; in tables of
    `stacked_from` columns or more they stand below the values, instead of the values before."""
    compared, rows = compared_columns(table)
    chosen = table.columns[:columns]
    kept = list(islice(rows, most))
    left = len(table.rows) - len(kept) if isinstance(table.rows, Sequence) else next(rows, None) is not None
    lay = _Layout(chosen, compared, writer, is_stacked=_is_stacked(chosen, compared, stacked_from))
    return ShownTable(
        table.title,
        list(lay.heads()),
        [lay.row(row) for row in kept],
        lay.total(table.total) if table.total else None,
        table.note,
        _more(left, most, writer),
    )


def _is_stacked(columns: Sequence[Column], compared: frozenset[int], most: int | None) -> bool:
    changes = sum(is_number(column.kind) for at, column in enumerate(columns) if at in compared)
    return most is not None and len(columns) + changes >= most


def _more(left: int | bool, most: int, writer: Writer) -> str:
    if left is True:
        first = writer.value(Kind.COUNT, most)
        return _("These are the first %(count)s rows; there are more.") % {"count": first}
    if not left:
        return ""
    return ngettext(
        "%(count)s more row is not shown here.", "%(count)s more rows are not shown here.", left
    ) % {"count": writer.value(Kind.COUNT, left)}


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which cells a row has."""

    columns: Sequence[Column]
    compared: frozenset[int]
    writer: Writer
    is_stacked: bool

    def heads(self) -> Iterator[Head]:
        for at, column in enumerate(self.columns):
            yield Head(column.title, is_number(column.kind))
            if self._has_change(at) and not self.is_stacked:
                yield Head(pgettext("report", "Change"), is_number=True, of=column.title)

    def row(self, row: Row) -> ShownRow:
        before = row.before if row.before is not None else (None,) * len(row.cells)
        return ShownRow(
            [cell for at in range(len(self.columns)) for cell in self._cells(at, row.cells[at], before[at])],
            row.depth,
        )

    def total(self, total: Row) -> ShownRow:
        row = self.row(total)
        first, *rest = row.cells
        text = total.cells[0]
        label = Cell(str(text if isinstance(text, str) and text else TOTAL), is_number=False)
        named = first if isinstance(text, int | Decimal) else label
        return ShownRow([named, *(_without_dash(cell) for cell in rest)])

    def _has_change(self, at: int) -> bool:
        return at in self.compared and is_number(self.columns[at].kind)

    def _cells(self, at: int, value: Value, was: Value) -> Iterator[Cell]:
        """The cell, and the one of its change where the column has those."""
        kind = self.columns[at].kind
        text = self.writer.value(kind, value)
        before = self.writer.value(kind, was) if at in self.compared and was is not None else ""
        change = self.writer.change(kind, value, was) if self._has_change(at) else None
        if self.is_stacked:
            yield Cell(text, is_number(kind), change=change, is_name=kind == Kind.TEXT)
            return
        yield Cell(text, is_number(kind), before, is_name=kind == Kind.TEXT)
        if self._has_change(at):
            yield Cell("" if change else NOTHING, is_number=True, change=change)


def _without_dash(cell: Cell) -> Cell:
    """What has no total is left blank."""
    return Cell("", cell.is_number) if cell.text == NOTHING else cell
