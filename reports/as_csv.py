"""A report's first table as CSV: raw values for programs, in a stream.

RFC 4180, UTF-8 without a byte order mark. Numbers have a point and no thousands separators, days and moments
are ISO 8601 (moments in the report's time zone, with their offset). The last line begins with TOTAL. Where
the report compares, `gross_before` and `gross_change` follow `gross`: 0.0500 for 5 % more, of shares the
difference.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import batched
from typing import BinaryIO
from zoneinfo import ZoneInfo

from django.utils.functional import Promise

from reports.questions import Grouping
from reports.results import Answer, Row, Table, Value
from reports.shown import compared_columns
from reports.writing import change_of, is_number

_ROWS = 1_000  # at once: a write for each line would take longer than making it
# What spreadsheets take for a formula, also behind blanks.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]").match


def write(answer: Answer, out: BinaryIO) -> None:
    """Write the first table; nothing where there is none."""
    for table in answer.tables[:1]:
        for lines in batched(_lines(answer, table), _ROWS):
            text = io.StringIO()
            csv.writer(text).writerows(lines)
            out.write(text.getvalue().encode())


def plain(value: Value, zone: ZoneInfo) -> str:
    """A value as programs read it, and no spreadsheet runs it."""
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(zone).isoformat()
        case date():
            return value.isoformat()
        case str() | Promise():
            return guarded(str(value))
    return str(value) if isinstance(value, int) else f"{value:f}"


def guarded(text: str) -> str:
    """A text as no spreadsheet runs it.

    >>> guarded("=cmd|' /C calc'!A1"), guarded("Mug, -20 %")
    ("'=cmd|' /C calc'!A1", 'Mug, -20 %')
    """
    return f"'{text}" if _FORMULA(text) else text


def _lines(answer: Answer, table: Table) -> Iterator[Sequence[str]]:
    compared, rows = compared_columns(table)
    has_level = answer.question.group_by == Grouping.CATEGORY
    zone = answer.question.period.zone
    yield [*_header(table, compared), *(["level"] if has_level else [])]
    for row in rows:
        yield [*_cells(row, table, zone, compared), *([str(row.depth)] if has_level else [])]
    if table.total:
        _, *rest = _cells(table.total, table, zone, compared)
        yield ["TOTAL", *rest, *([""] if has_level else [])]


def _header(table: Table, compared: frozenset[int]) -> Iterator[str]:
    for at, column in enumerate(table.columns):
        yield column.key
        if at in compared:
            yield f"{column.key}_before"
        if at in compared and is_number(column.kind):
            yield f"{column.key}_change"


def _cells(row: Row, table: Table, zone: ZoneInfo, compared: frozenset[int]) -> Iterator[str]:
    if not compared:
        yield from (plain(value, zone) for value in row.cells)
        return
    for at, (column, value) in enumerate(zip(table.columns, row.cells, strict=True)):
        yield plain(value, zone)
        was = row.before[at] if row.before is not None else None
        if at in compared:
            yield plain(was, zone)
        if at in compared and is_number(column.kind):
            grown = change_of(column.kind, value, was)
            yield "" if grown is None else f"{grown:.4f}"
