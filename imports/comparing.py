"""Compare a chunk's rows with the catalogue before they are sent to the staging table.

PostgreSQL compares value by value, in one query by index. A row whose product is just so already travels on
as a bare line and SKU. Most such rows never come here: `recognising` told them by their text.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.db import DataError, connection, transaction

from imports import sold
from imports.cleaning import Batch
from imports.columns import COLUMNS, Column
from imports.models import ImportRun
from imports.recognising import Recognised, not_own

# Each column travels as one text, because arrays of strings are slow to write.
_CELL_END, _NO_CELL = "\x1f", "\x1e"
_FEW = 200  # rows that are compared in any case
_AT_ONCE = 2_000  # rows whose cells are sent together: more take memory and save nothing
# An array of one empty string would come out as one of none.
_ARRAY = "coalesce(nullif(string_to_array(%s, E'\\x1f', E'\\x1e'), '{}'), '{\"\"}')"
# The load takes off what was sold since the file came, so it is the load that finds these the same or not.
_NOT_SOLD = f"NOT EXISTS (SELECT FROM shop_stockmovement m WHERE m.product_id = p.id AND {sold.SINCE})"
_LOOK_UP = """
SELECT k.number, {same}, {version}
FROM unnest({arrays}) WITH ORDINALITY AS k(sku{names}, number)
JOIN shop_product p ON p.sku = k.sku COLLATE "C" {unless}
LEFT JOIN shop_category c ON c.id = p.category_id
"""


def look_up(run: ImportRun, batch: Batch, recognised: Recognised) -> None:
    """Mark the rows whose SKU the catalogue has, and reduce those whose product is just so to line and SKU.

    Rejects rows that would create a product but lack what a new one needs.
    """
    mark_found(run, batch, recognised)
    if run.removes:
        return
    # Where most lines were recognised, the others have probably changed: loading them finds out.
    found = batch.found.count(True)
    if 0 < found < _FEW or found > len(batch.unchanged):
        _compare(run, batch, [at for at, found in enumerate(batch.found) if found])
    if run.mode != ImportRun.Mode.UPDATE:
        _reject_incomplete(run, batch)


def mark_found(run: ImportRun, batch: Batch, recognised: Recognised) -> None:
    """Say of each row whether the catalogue has its SKU."""
    batch.found = list(map(recognised.known.__contains__, batch.skus))
    batch.versions = recognised.versions
    asked = set(recognised.skus)
    if not (recognised.is_empty or asked.issuperset(batch.skus)):
        _ask(run, batch, [at for at, sku in enumerate(batch.skus) if sku not in asked], [])


def _compare(run: ImportRun, batch: Batch, rows: list[int]) -> None:
    """Take the rows out that are just so. Ones with separators in them are compared when they are loaded."""
    rows = [at for at in rows if batch.extras[at] is None]
    columns = ("".join([cells[at] or "" for at in rows]) for cells in batch.cells)
    if any(_CELL_END in column or _NO_CELL in column for column in columns):
        rows = [at for at in rows if not _has_separator(batch, at)]
    same: set[int] = set()
    for start in range(0, len(rows), _AT_ONCE):
        # A value that PostgreSQL refuses: storing the rows will find out which.
        with suppress(DataError):
            same |= _ask(run, batch, rows[start : start + _AT_ONCE], batch.columns)
    batch.unchanged.extend((batch.lines[at], batch.skus[at]) for at in same)
    batch.keep(at not in same for at in range(len(batch.lines)))


def _has_separator(batch: Batch, at: int) -> bool:
    return any(_CELL_END in cell or _NO_CELL in cell for cells in batch.cells if (cell := cells[at]))


def _ask(run: ImportRun, batch: Batch, rows: Sequence[int], columns: list[Column]) -> set[int]:
    """Set `found` of the rows; returns those that are the same in all of `columns`, if there are any."""
    if not rows:
        return set()
    skus = [batch.skus[at] for at in rows]
    texts: dict[str, Any] = {"sku": _CELL_END.join(skus)} | {
        column.name: _CELL_END.join([_NO_CELL if (cell := cells[at]) is None else cell for at in rows])
        for column, cells in zip(columns, batch.cells, strict=False)
    }
    arrays = {name: _ARRAY.replace("%s", f"%({name})s") for name in texts}
    # Only an exact cell of our own files says such a SKU.
    if texts["sku"].count(_CELL_END) >= len(skus) or _NO_CELL in texts["sku"]:
        texts["sku"], arrays["sku"] = skus, "%(sku)s::text[]"
    equal = [f"(k.{column.name} IS NULL OR coalesce({column.equal}, false))" for column in columns]
    if any(column.name == "stock" for column in columns) and not run.adjusts_stock and sold.is_any(run):
        equal.append(_NOT_SOLD)
    if columns and run.source:  # which the products are to remember
        equal.append("p.source = %(source_of_run)s")
    same = " AND ".join(equal)
    query = _LOOK_UP.format(
        same=same or "false",
        version="p.version" if run.preview else "NULL",
        arrays=", ".join(arrays.values()),
        names="".join(f", {column.name}" for column in columns),
        unless=not_own(run),
    )
    with transaction.atomic(), connection.cursor() as cursor:
        # A hash join would read the whole catalogue for every chunk.
        cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
        cursor.execute(query, {**texts, "received": run.created_at, "source_of_run": run.source})
        answers = [(rows[number - 1], is_same, version) for number, is_same, version in cursor]
    for at, _, _ in answers:
        batch.found[at] = True
    if run.preview:
        batch.versions.update((batch.skus[at], version) for at, _, version in answers)
    return {at for at, is_same, _ in answers if is_same}


def _reject_incomplete(run: ImportRun, batch: Batch) -> None:
    """Reject the rows for new products in which one of the columns that those need is blank."""
    nothing: list[str | None] = [None] * len(batch.skus)
    needed = [column for column in COLUMNS if column.needed_to_create]
    cells = [batch.column(column.name) or nothing for column in needed]
    if not any(None in column for column in cells):
        return
    complete = [
        found or None not in row for found, row in zip(batch.found, zip(*cells, strict=True), strict=True)
    ]
    broken = set()
    for at, is_complete in enumerate(complete):
        if not is_complete:
            lacking = [
                column for column, column_cells in zip(needed, cells, strict=True) if column_cells[at] is None
            ]
            errors = [_lacking(run, column) for column in lacking]
            batch.reject(batch.lines[at], errors, sku=batch.skus[at])
            if (batch.lines[at], batch.skus[at]) in batch.companions:
                broken.add(batch.lines[at])
    batch.keep(complete)
    if broken:
        batch.drop_lines(broken)


def _lacking(run: ImportRun, column: type[Column]) -> tuple[str, str, str, str]:
    fix = "Fill it in." if column.name in run.mapping else "Add the column, or map it."
    label = column.label.lower()
    return (
        run.header_of(column.name),
        "",
        f"missing_{column.name}",
        f"The {label} is missing; a new product needs one. {fix}",
    )
