"""Tables as people see them, on pages, in mails and in PDFs: cells in words, changes, cut where they are long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from reports.results import Column, Kind, Row, Table, Value
from reports.writing import NOTHING, Change, Writer, is_number

TOTAL = "Total"


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column; `of` is the column whose changes it has, where it has those."""

    title: str
    is_number: bool
    of: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """`before` is the value that it is compared with, in words; `change` makes it the cell of a change."""

    text: str
    is_number: bool
    before: str = ""
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class ShownRow:
    cells: list[Cell]
    depth: int = 0


@dataclass(frozen=True, slots=True)
class ShownTable:
    """`more` says how many rows were left out, and is empty where none were."""

    title: str
    heads: list[Head]
    rows: list[ShownRow]
    total: ShownRow | None
    note: str
    more: str


def has_before(table: Table) -> tuple[bool, Iterator[Row]]:
    """Whether its rows are compared with others, and all of its rows."""
    if isinstance(table.rows, Sequence):
        rows = iter(table.rows)
        is_compared = any(row.before is not None for row in table.rows)
    else:
        rows = iter(table.rows)
        first = list(islice(rows, 1))
        is_compared, rows = any(row.before is not None for row in first), chain(first, rows)
    return is_compared or (table.total is not None and table.total.before is not None), rows


def shown(table: Table, writer: Writer, *, most: int, columns: int | None = None) -> ShownTable:
    """Its first `most` rows and `columns` columns in words."""
    is_compared, rows = has_before(table)
    chosen = table.columns[:columns]
    kept = list(islice(rows, most))
    left = len(table.rows) - len(kept) if isinstance(table.rows, Sequence) else next(rows, None) is not None
    as_shown = [_row(row, chosen, writer, is_compared) for row in kept]
    total = _total(table.total, chosen, writer, is_compared) if table.total else None
    return ShownTable(
        table.title, list(_heads(chosen, is_compared)), as_shown, total, table.note, _more(left, most, writer)
    )


def _more(left: int | bool, most: int, writer: Writer) -> str:
    if left is True:
        return f"These are the first {writer.value(Kind.COUNT, most)} rows; there are more."
    if not left:
        return ""
    return f"{writer.value(Kind.COUNT, left)} more {'row is' if left == 1 else 'rows are'} not shown here."


def _heads(columns: Sequence[Column], is_compared: bool) -> Iterator[Head]:
    for column in columns:
        yield Head(column.title, is_number(column.kind))
        if is_compared and is_number(column.kind):
            yield Head("Change", is_number=True, of=column.title)


def _row(row: Row, columns: Sequence[Column], writer: Writer, is_compared: bool) -> ShownRow:
    before = row.before if row.before is not None else (None,) * len(row.cells)
    cells = [
        cell
        for column, value, was in zip(columns, row.cells, before, strict=False)
        for cell in _cells(column.kind, value, was, writer, is_compared=is_compared)
    ]
    return ShownRow(cells, row.depth)


def _cells(kind: Kind, value: Value, was: Value, writer: Writer, *, is_compared: bool) -> Iterator[Cell]:
    """The cell, and the one of its change where the column has those."""
    text = writer.value(kind, value)
    then = writer.value(kind, was) if was is not None else ""
    yield Cell(text, is_number(kind), before="" if then == text and not is_number(kind) else then)
    if is_compared and is_number(kind):
        change = writer.change(kind, value, was)
        yield Cell("" if change else NOTHING, is_number=True, change=change)


def _total(total: Row, columns: Sequence[Column], writer: Writer, is_compared: bool) -> ShownRow:
    shown_row = _row(total, columns, writer, is_compared)
    first, *rest = shown_row.cells
    label = first.text if isinstance(total.cells[0], str) and total.cells[0] else TOTAL
    named = Cell(label, is_number=False) if not first.is_number else first
    return ShownRow([named, *(_without_dash(cell) for cell in rest)])


def _without_dash(cell: Cell) -> Cell:
    """What has no total is left blank."""
    return Cell("", cell.is_number) if cell.text == NOTHING else cell
