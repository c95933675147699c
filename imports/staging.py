"""Plan the chunks of a file, then read, clean, compare and COPY each into the import's staging table."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.db import connection, transaction
from psycopg import DataError

from imports import pipeline
from imports.cleaning import Batch, Row, read_chunk
from imports.columns import COLUMNS, slug_for
from imports.comparing import look_up
from imports.dialect import Dialect, RefusedFile
from imports.models import Chunk, ImportRun, RejectedRow
from imports.planning import plan as plan_chunks
from tasks.claiming import Claim, JobFailed

# Columns of the staging table after line, sku, found and same. NULL: the file says nothing, so keep.
VALUES = (*(column.name for column in COLUMNS if column.name != "sku"), "slug", "extra")
_TYPES = {
    **{column.name: column.db_type for column in COLUMNS},
    "slug": 'varchar(200) COLLATE "C"',
    "extra": "jsonb",
}
_NULL = "\\N"
_SPECIAL = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_BATCH = 1000  # rows handed to COPY at once


def plan(claim: Claim) -> None:
    """Cut the file into chunks that begin at rows, and count its lines."""
    run = ImportRun.objects.get(pk=claim.payload["run"])
    dialect = Dialect.from_dict(run.dialect)
    try:
        with run.opened() as stream:
            result = plan_chunks(
                stream, dialect=dialect, width=len(run.header), target=settings.IMPORT_CHUNK_BYTES
            )
    except RefusedFile as refused:
        raise JobFailed(refused.message, permanent=True) from refused
    chunks = [
        Chunk(
            run=run,
            number=chunk.number,
            offset=chunk.offset,
            length=chunk.length,
            first_line=chunk.first_line,
            lines=chunk.lines,
        )
        for chunk in result.chunks
    ]
    pipeline.planned(claim, run_id=run.pk, chunks=chunks, lines=result.lines, encoding=result.encoding)


def make_table(run: ImportRun) -> None:
    """Make the run's staging tables anew. UNLOGGED: they can be made again from the file."""
    values = ", ".join(f"{name} {_TYPES[name]}" for name in VALUES)
    table = run.staging_table
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table}, {table}_categories")
        cursor.execute(
            f'CREATE UNLOGGED TABLE {table} (line bigint, sku varchar(100) COLLATE "C",'
            f" found boolean, same boolean, {values})"
        )
        cursor.execute(
            f"CREATE UNLOGGED TABLE {table}_categories"
            ' (path text COLLATE "C" PRIMARY KEY, category_id bigint)'
        )


def stage(claim: Claim) -> None:
    """Stage one chunk: its rows into the staging table, its broken lines into the rejected rows."""
    run = ImportRun.objects.get(pk=claim.payload["run"])
    pipeline.must_be(run, ImportRun.State.STAGING)
    chunk = run.chunks.get(pk=claim.payload["chunk"])
    reader, batch = read_chunk(run, chunk)
    claim.report(len(batch.rows), chunk.lines)
    look_up(run, batch)
    with transaction.atomic():
        kept = copy_rows(run, batch)
        batch.rejected.sort(key=lambda row: row.line)
        RejectedRow.objects.bulk_create(batch.rejected, batch_size=2000)
        pipeline.staged(
            claim,
            run_id=run.pk,
            lines=reader.physical_lines,
            blank=reader.blank_lines,
            continued=reader.continuation_lines,
            kept=kept,
            rejected=len(batch.rejected),
        )


def count_rows(run: ImportRun) -> int:
    """Rows in the staging table."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {run.staging_table}")
        return int(cursor.fetchone()[0])


def is_lost(run: ImportRun) -> bool:
    """Whether the table is empty, as a crash of PostgreSQL leaves an UNLOGGED one."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT NOT EXISTS (SELECT FROM {run.staging_table})")
        return bool(cursor.fetchone()[0])


def rebuild(run: ImportRun) -> None:
    """Stage all chunks again into a new table, without counting anything a second time."""
    with transaction.atomic():
        make_table(run)
        for chunk in run.chunks.order_by("number"):
            _, batch = read_chunk(run, chunk)
            look_up(run, batch)
            copy_rows(run, batch)


def copy_rows(run: ImportRun, batch: Batch) -> int:
    """COPY the rows into the staging table; returns how many it took.

    A value that PostgreSQL refuses although we let it through is found by halving, and its row rejected.
    """
    names = [column.name for column in batch.columns]
    columns = ", ".join(("line", "sku", "found", "same", "slug", "extra", *names))
    statement = f"COPY {run.staging_table} ({columns}) FROM STDIN"
    to_text = _copy_text(names)

    def send(rows: list[Row]) -> int:
        if not rows:
            return 0
        try:
            with transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as copy:
                for start in range(0, len(rows), _BATCH):
                    copy.write("".join(map(to_text, rows[start : start + _BATCH])))
        except DataError as error:  # psycopg's own: Django does not wrap what COPY raises
            if len(rows) == 1:
                reason = str(error).splitlines()[0]
                message = f"PostgreSQL refuses the row: {reason}."
                batch.reject(rows[0].line, [("", "", "not_storable", message)])
                return 0
            middle = len(rows) // 2
            return send(rows[:middle]) + send(rows[middle:])
        return len(rows)

    return send(batch.rows)


def _copy_text(names: list[str]) -> Callable[[Row], str]:
    """A function that writes a row, whose cells have these names, in COPY's text format."""
    name_at = names.index("name") if "name" in names else None
    nothing = "\t".join([_NULL] * (2 + len(names)))
    tabs = len(names) - 1

    def to_text(row: Row) -> str:
        sku = _escaped(row.sku) if "\\" in row.sku else row.sku
        if row.same:
            return f"{row.line}\t{sku}\tt\tt\t{nothing}\n"
        name = None if row.found or name_at is None else row.cells[name_at]
        slug = _NULL if name is None else slug_for(name)
        extra = _NULL if row.extra is None else _escaped(row.extra)
        return f"{row.line}\t{sku}\t{'t' if row.found else 'f'}\tf\t{slug}\t{extra}{fields(row.cells)}\n"

    def fields(cells: tuple[str | None, ...]) -> str:
        # Most rows have nothing to escape: one look at the whole instead of one at each cell.
        if cells and None not in cells:
            whole = "\t".join(cast("tuple[str, ...]", cells))
            if "\\" not in whole and "\n" not in whole and "\r" not in whole and whole.count("\t") == tabs:
                return f"\t{whole}"
        return "".join([f"\t{_NULL if cell is None else _escaped(cell)}" for cell in cells])

    return to_text


def _escaped(cell: str) -> str:
    return cell.translate(_SPECIAL)
