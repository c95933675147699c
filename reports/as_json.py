"""A report as JSON, in a stream: amounts are texts, so that no program makes floats of them.

    {"report": {…the question…}, "title", "currency", "made_at", "compared", "notes": […],
     "figures": [{"key", "label", "kind", "value", "before"}],
     "tables": [{"title", "note", "columns": [{"key", "title", "kind"}],
                 "rows": [{column key: value, …, "_before": {…}, "_depth": 1}], "total": {…}}]}

`_before` and `_depth` are there where a row has them. Charts show what the tables hold, and are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import batched
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from django.utils.functional import Promise

from reports.periods import Period
from reports.results import Answer, Column, Row, Table, Value

_ROWS = 500  # at once


def write(answer: Answer, out: BinaryIO) -> None:
    """Write it piece by piece."""
    for pieces in batched(_pieces(answer), _ROWS):
        out.write("".join(pieces).encode())


def _pieces(answer: Answer) -> Iterator[str]:
    zone = answer.question.period.zone
    yield _text(_head(answer), zone).removesuffix("}")
    yield ', "tables": ['
    for at, table in enumerate(answer.tables):
        yield from _table(table, zone, ",\n" if at else "\n")
    yield "]}\n"


def _head(answer: Answer) -> dict[str, Any]:
    return {
        "report": answer.question.to_json(),
        "title": answer.title,
        "currency": answer.currency,
        "made_at": answer.made_at,
        "compared": _days(answer.compared) if answer.compared else None,
        "notes": list(answer.notes),
        "figures": [
            {"key": one.key, "label": one.label, "kind": one.kind, "value": one.value, "before": one.before}
            for one in answer.figures
        ],
    }


def _days(period: Period) -> dict[str, date]:
    return {"first": period.first, "last": period.last}


def _table(table: Table, zone: ZoneInfo, begin: str) -> Iterator[str]:
    columns = [{"key": one.key, "title": one.title, "kind": one.kind} for one in table.columns]
    head = {"title": table.title, "note": table.note, "columns": columns}
    yield f'{begin}{_text(head, zone).removesuffix("}")}, "rows": ['
    for at, row in enumerate(table.rows):
        yield f"{',' if at else ''}\n{_text(_row(row, table), zone)}"
    total = _row(table.total, table) if table.total else None
    yield f'], "total": {_text(total, zone)}}}'


def _row(row: Row, table: Table) -> dict[str, Any]:
    found: dict[str, Any] = _named(table.columns, row.cells)
    if row.before is not None:
        found["_before"] = _named(table.columns, row.before)
    if row.depth:
        found["_depth"] = row.depth
    return found


def _named(columns: Sequence[Column], cells: tuple[Value, ...]) -> dict[str, Value]:
    return {column.key: cell for column, cell in zip(columns, cells, strict=True)}


def _text(value: Any, zone: ZoneInfo) -> str:
    return json.dumps(value, ensure_ascii=False, default=lambda one: _plain(one, zone))


def _plain(value: Any, zone: ZoneInfo) -> str:
    match value:
        case Promise():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.astimezone(zone).isoformat()
        case date():
            return value.isoformat()
    raise TypeError(f"{value!r} has no place in a report")
