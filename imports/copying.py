"""COPY what was staged into the import's staging table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import cast

from django.db import connection, transaction
from psycopg import Copy, DataError

from imports.cleaning import Batch
from imports.columns import slugs_for
from imports.models import ImportRun

_NULL = "\\N"
_SPECIAL = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}  # the backslash first
_BATCH = 1000  # rows handed to COPY at once


def copy(run: ImportRun, batch: Batch) -> int:
    """COPY a batch into its run's staging table; returns how many rows it took.

    Rows that PostgreSQL refuses are found and rejected in the batch.
    """
    names = ["line", "sku", *_seldom(run), "found", "same"]
    statement = f"COPY {run.staging_table} ({', '.join(names)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as stream:
        for start in range(0, len(batch.unchanged), _BATCH):
            lines, skus = zip(*batch.unchanged[start : start + _BATCH], strict=True)
            seldom = _seldom_cells(batch, lines, skus)
            _send(stream, _joined(map(str, lines), _escaped(skus), *seldom, repeat("t"), repeat("t")))
    _copy_rows(run, batch)
    return len(batch.unchanged) + len(batch.lines)


def _copy_rows(run: ImportRun, batch: Batch) -> None:
    """COPY the rows that may change something, in the order of their SKUs: a load then finds its rows of the
    chunk on a few pages, not on all of them.

    A value that PostgreSQL refuses although we let it through is found by halving, and its line rejected.
    """
    columns = [column.name for column in batch.columns]
    names = ["line", "sku", *_seldom(run), "found", "hash", "slug", "extra", *columns]
    statement = f"COPY {run.staging_table} ({', '.join(names)}) FROM STDIN"
    order = sorted(range(len(batch.skus)), key=batch.skus.__getitem__)
    texts = _texts(batch)

    refused, parts = set(), [(0, len(order))]
    while parts:
        start, end = parts.pop()
        try:
            with transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as stream:
                for at in range(start, end, _BATCH):
                    _send(stream, [texts[row] for row in order[at : min(at + _BATCH, end)]])
        except DataError as error:  # psycopg's own: Django does not wrap what COPY raises
            if end - start == 1:
                reason, row = str(error).splitlines()[0], order[start]
                message = f"PostgreSQL refuses the row: {reason}."
                batch.reject(batch.lines[row], [("", "", "not_storable", message)], sku=batch.skus[row])
                refused.add(batch.lines[row])
            else:
                middle = (start + end) // 2
                parts += [(start, middle), (middle, end)]
    if refused:
        batch.drop_lines(refused)
        with connection.cursor() as cursor:  # other rows of these lines
            cursor.execute(f"DELETE FROM {run.staging_table} WHERE line = ANY(%s)", [list(refused)])


def _texts(batch: Batch) -> list[str]:
    """Each row of the batch in COPY's text format. Made in the order in which the cells lie in memory, and
    sorted as a whole: to sort the cells, and read them in that order, takes twice as long."""
    texts: list[str] = []
    for start in range(0, len(batch.lines), _BATCH):
        texts += _copy_text(batch, start, start + _BATCH)
    return texts


def _seldom(run: ImportRun) -> list[str]:
    """Columns about the row that not every table has."""
    return [*(["counts"] if run.is_shaped else []), *(["version"] if run.preview else [])]


def _seldom_cells(batch: Batch, lines: Sequence[int], skus: Sequence[str]) -> Iterator[Sequence[str]]:
    """The cells of those columns for these rows."""
    if batch.run.is_shaped:
        rows = zip(lines, skus, strict=True)
        yield ["f" if row in batch.companions else "t" for row in rows]
    if batch.run.preview:
        yield [str(batch.versions.get(sku, _NULL)) for sku in skus]


def _copy_text(batch: Batch, start: int, end: int) -> list[str]:
    """Rows of the batch in COPY's text format."""
    found = batch.found[start:end]
    lines, skus = batch.lines[start:end], batch.skus[start:end]
    return _joined(
        map(str, lines),
        _escaped(skus),
        *_seldom_cells(batch, lines, skus),
        ["t" if is_found else "f" for is_found in found],
        _hashes(batch.hashes[start:end]),
        _slugs(batch, start, end),
        _escaped(batch.extras[start:end]),
        *[_escaped(cells[start:end]) for cells in batch.cells],
    )


def _hashes(values: list[int | None]) -> Iterable[str]:
    if None in values:
        return [_NULL if value is None else str(value) for value in values]
    return map(str, values)


def _slugs(batch: Batch, start: int, end: int) -> Iterable[str]:
    """Slugs for new products, which have names; NULL for all others."""
    names = batch.column("name")[start:end]
    if not names:
        return repeat(_NULL)
    slugs = slugs_for([name or "" for name in names])
    if None not in names and not any(batch.found[start:end]):
        return slugs
    return [
        _NULL if is_found or name is None else slug
        for slug, is_found, name in zip(slugs, batch.found[start:end], names, strict=True)
    ]


def _joined(*columns: Iterable[str]) -> list[str]:
    """Columns of texts as lines without their ends. The first column is as long as there are rows."""
    return ["\t".join(row) for row in zip(*columns, strict=False)]


def _send(stream: Copy, lines: list[str]) -> None:
    stream.write("\n".join(lines) + "\n")


def _escaped(cells: Sequence[str | None]) -> Sequence[str]:
    """The cells as COPY reads them. Most have nothing to escape: one look at all instead of one at each."""
    texts = cast("Sequence[str]", cells)
    try:
        whole = "".join(texts)
    except TypeError:  # some say nothing
        texts, whole = [_NULL if cell is None else cell for cell in cells], "".join(filter(None, cells))
    for special, escape in _SPECIAL.items():
        if special in whole:
            texts = [
                text.replace(special, escape) if cell is not None and special in text else text
                for text, cell in zip(texts, cells, strict=True)
            ]
    return texts
