"""Compare a chunk's rows with the catalogue before they are sent to the staging table.

PostgreSQL compares value by value, in one query by index. A row whose product is just so already travels on
as a bare line and SKU, which makes importing the same file again nearly free.
"""

from __future__ import annotations

from django.db import DataError, connection, transaction

from imports.cleaning import Batch, Row
from imports.columns import COLUMNS, Column
from imports.models import ImportRun

_PROBE = 50  # rows that tell whether a chunk is about known products

# Each column travels as one text, because arrays of strings are slow to write.
_CELL_END, _NO_CELL = "\x1f", "\x1e"
_LOOK_UP = """
SELECT k.number, {same}
FROM unnest({arrays}) WITH ORDINALITY AS k(sku{names}, number)
JOIN shop_product p ON p.sku = k.sku COLLATE "C" {unless}
LEFT JOIN shop_category c ON c.id = p.category_id
"""

# When rows are staged again, what the import created itself counts as not there, as it was the first time.
_NOT_OWN = """
AND NOT EXISTS (SELECT FROM imports_createdproducts r WHERE r.run_id = {} AND r.at = p.created_at)
"""


def look_up(run: ImportRun, batch: Batch) -> None:
    """Mark the rows whose SKU the catalogue has, and those whose product is already just so.

    Rejects rows that would create a product but lack what a new one needs.
    """
    _mark(run, batch.rows[:_PROBE], [])
    if any(row.found for row in batch.rows[:_PROBE]):
        _compare(run, batch, batch.rows)
    else:  # probably all new: ask for the SKUs alone, and compare what is there after all
        _mark(run, batch.rows[_PROBE:], [])
        _compare(run, batch, [row for row in batch.rows if row.found])
    if run.mode != ImportRun.Mode.UPDATE:
        _reject_incomplete(run, batch)


def _compare(run: ImportRun, batch: Batch, rows: list[Row]) -> None:
    odd = _with_separators(rows)
    if odd:  # they take the long way: compared when they are loaded
        _mark(run, odd, [])
        rows = [row for row in rows if row not in odd]
    try:
        _mark(run, rows, batch.columns)
    except DataError:  # a value that PostgreSQL refuses; storing the rows will find out which
        _mark(run, rows, [])


def _with_separators(rows: list[Row]) -> list[Row]:
    """Rows one of whose cells has a separator in it. One look at each column tells that there are none."""
    columns = ("".join(filter(None, cells)) for cells in zip(*(row.cells for row in rows), strict=True))
    if not any(_CELL_END in column or _NO_CELL in column for column in columns):
        return []
    return [row for row in rows if any(_CELL_END in cell or _NO_CELL in cell for cell in row.cells if cell)]


def _mark(run: ImportRun, rows: list[Row], columns: list[Column]) -> None:
    """Set `found` and, comparing `columns`, `same`; without columns no row counts as the same."""
    if not rows:
        return
    texts = [_CELL_END.join([row.sku for row in rows])]
    for at in range(len(columns)):
        cells = [row.cells[at] for row in rows]
        texts.append(_CELL_END.join([_NO_CELL if cell is None else cell for cell in cells]))
    same = " AND ".join(f"(k.{column.name} IS NULL OR coalesce({column.equal}, false))" for column in columns)
    query = _LOOK_UP.format(
        same=same or "false",
        arrays=", ".join(["string_to_array(%s, E'\\x1f', E'\\x1e')"] * len(texts)),
        names="".join(f", {column.name}" for column in columns),
        unless=_NOT_OWN.format(int(run.pk)) if run.state == ImportRun.State.LOADING else "",
    )
    with transaction.atomic(), connection.cursor() as cursor:
        # A hash join would read the whole catalogue for every chunk.
        cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
        cursor.execute(query, texts)
        for number, is_same in cursor:
            row = rows[number - 1]
            row.found, row.same = True, is_same and row.extra is None


def _reject_incomplete(run: ImportRun, batch: Batch) -> None:
    positions = {column.name: index for index, column in enumerate(batch.columns)}
    needed = [(column, positions.get(column.name)) for column in COLUMNS if column.needed_to_create]
    positions_needed = [position for _, position in needed if position is not None]
    all_mapped = len(positions_needed) == len(needed)
    complete = []
    for row in batch.rows:
        if row.found or (all_mapped and None not in [row.cells[at] for at in positions_needed]):
            complete.append(row)
            continue
        lacking = [column for column, at in needed if at is None or row.cells[at] is None]
        batch.reject(row.line, [_lacking(run, column) for column in lacking])
    batch.rows = complete


def _lacking(run: ImportRun, column: type[Column]) -> tuple[str, str, str, str]:
    at = run.mapping.get(column.name)
    header = column.name if at is None else run.header[at]
    fix = "Fill it in." if at is not None else "Add the column, or map it."
    label = column.label.lower()
    return header, "", f"missing_{column.name}", f"The {label} is missing; a new product needs one. {fix}"
