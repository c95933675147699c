"""Plan the chunks of a file, then read, clean, compare and COPY each into the import's staging table."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from itertools import compress
from operator import and_

from django.conf import settings
from django.db import connection, transaction

from imports import copying, parents, pipeline, removing, shaping
from imports.cleaning import Batch, clean
from imports.columns import BY_NAME
from imports.comparing import look_up, mark_found
from imports.dialect import Dialect, RefusedFile
from imports.models import Chunk, ImportRun, RejectedRow, RepairedRow, SetAsideRow
from imports.opening import open_chunk
from imports.planning import plan as plan_chunks
from imports.reading import ChunkReader
from imports.recognising import recognise
from tasks.claiming import Claim, JobFailed

# Columns of the staging table and their types. NULL in one of the file's: it says nothing, so keep. What the
# check reads comes first and the long texts last: PostgreSQL walks through a row to reach a column.
_TYPES = {
    "line": "bigint",
    "hash": "bigint",
    "found": "boolean",
    "same": "boolean DEFAULT false",
    "counts": "boolean DEFAULT true",  # False for a row that only accompanies another one of its line
    "version": "bigint",  # of the product when the row was compared; NULL: there was none
    "sku": BY_NAME["sku"].db_type,
    "slug": 'varchar(200) COLLATE "C"',
    **{
        name: BY_NAME[name].db_type for name in sorted(BY_NAME, key=("name", "description", "metadata").count)
    },
    "extra": "jsonb",
}
# Only in the tables of imports that write them.
_SELDOM = {"counts", "version", "compare_at_price", "parent", "options", "images"}


def plan(claim: Claim) -> None:
    """Cut the file into chunks that begin at rows, and count its lines."""
    run = ImportRun.objects.get(pk=claim.payload["run"])
    pipeline.must_be(run, ImportRun.State.PLANNING)
    dialect = Dialect.from_dict(run.dialect)
    try:
        with run.opened() as stream:
            result = plan_chunks(
                stream,
                dialect=dialect,
                width=len(run.header),
                target=settings.IMPORT_CHUNK_BYTES,
                starts_group=shaping.starts_group(run),
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
    shaping.note_references(run, chunks, encoding=result.encoding)
    pipeline.planned(claim, run_id=run.pk, chunks=chunks, lines=result.lines, encoding=result.encoding)


def make_table(run: ImportRun) -> None:
    """Make the run's staging tables anew. UNLOGGED: they can be made again from the file."""
    left_out = _SELDOM - run.written - ({"counts"} if run.is_shaped else set())
    if run.preview:
        left_out -= {"version"}
    columns = ", ".join(f"{name} {definition}" for name, definition in _TYPES.items() if name not in left_out)
    table = run.staging_table
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {', '.join(tables_of(run))}")
        cursor.execute(f"CREATE UNLOGGED TABLE {table} ({columns})")
        cursor.execute(
            f"CREATE UNLOGGED TABLE {table}_categories"
            ' (path text COLLATE "C" PRIMARY KEY, category_id bigint)'
        )
        if run.preview:
            cursor.execute(
                f"CREATE UNLOGGED TABLE {table}_paths"
                ' (path text COLLATE "C" PRIMARY KEY, category_id bigint, full_name text)'
            )


def tables_of(run: ImportRun) -> tuple[str, ...]:
    """Its tables, as far as they exist: the rows, the categories they name, and those in a preview."""
    return run.staging_table, f"{run.staging_table}_categories", f"{run.staging_table}_paths"


def stage(claim: Claim) -> None:
    """Stage one chunk: its rows into the staging table, its broken lines into the rejected rows."""
    run = ImportRun.objects.get(pk=claim.payload["run"])
    pipeline.must_be(run, ImportRun.State.STAGING)
    chunk = run.chunks.get(pk=claim.payload["chunk"])
    reader, batch = _prepare(run, chunk)
    claim.report(reader.records, chunk.lines)
    with transaction.atomic():
        kept = copying.copy(run, batch)
        batch.settle_merged()
        _note(run, chunk, batch)
        rejected = [batch.rejected[line] for line in sorted(batch.rejected)]
        RejectedRow.objects.bulk_create(rejected, batch_size=2000)
        repaired = _repaired(run, reader, batch)
        RepairedRow.objects.bulk_create(repaired, batch_size=2000)
        pipeline.staged(
            claim,
            run_id=run.pk,
            lines=reader.physical_lines,
            blank=reader.blank_lines,
            continued=reader.continuation_lines,
            kept=kept,
            merged=len(batch.merged),
            rejected=len(rejected),
            repaired=len(repaired),
        )


def _repaired(run: ImportRun, reader: ChunkReader, batch: Batch) -> list[RepairedRow]:
    """What is to be told of repairs; a row that was rejected for its cells is told of there."""
    return [
        RepairedRow(run=run, line=repair.line, code=repair.code, message=repair.message)
        for repair in reader.repairs
        if repair.line not in batch.rejected
    ]


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


def rebuild(run: ImportRun, *, state: ImportRun.State | None = None) -> None:
    """Stage all chunks again into a new table, as they were staged first, without counting anything again.

    Whoever does not hold the run names the `state` that it must be in: else RunEnded, and no table is made.
    """
    with transaction.atomic():
        make_table(run)
        if state:  # after the table: the job that finds the categories locks theirs first and then the run
            pipeline.hold(run.pk, state)
        for chunk in run.chunks.order_by("number"):
            _, batch = _prepare(run, chunk)
            copying.copy(run, batch)
        if _keeps_misplaced(run):
            parents.keep_misplaced(run)


def _keeps_misplaced(run: ImportRun) -> bool:
    """Whether rows that the load rejects for their parents stay in the table. Where broken rows stop the
    import, those that the check foresaw have left it."""
    return "parent" in run.written and run.errors == ImportRun.Errors.LAND


def _prepare(run: ImportRun, chunk: Chunk) -> tuple[ChunkReader, Batch]:
    """Read, clean and compare a chunk. Nothing is written."""
    reader = open_chunk(run, chunk)
    recognised = recognise(run, reader)
    was_unchanged = b""
    if run.state != ImportRun.State.STAGING:
        was_unchanged = zlib.decompress(chunk.unchanged)
        reader.recognised[:] = bytes(map(and_, reader.recognised, was_unchanged))
    batch = clean(run, reader, recognised.hashes)
    batch.unchanged = [
        (reader.first_line + index, recognised.skus[index])
        for index in compress(range(reader.physical_lines), reader.recognised)
    ]
    if was_unchanged:
        mark_found(run, batch, recognised)
        batch.versions = _noted_versions(chunk)
        _sort_as_before(run, chunk, batch, was_unchanged)
    else:
        look_up(run, batch, recognised)
    return reader, batch


def _sort_as_before(run: ImportRun, chunk: Chunk, batch: Batch, was_unchanged: bytes) -> None:
    """Rows stay what they were taken for when they were staged first, whatever happened to the catalogue
    since; the others are loaded, as they would have been. Rows that don't count are loaded in any case: what
    they would leave alone they leave alone again."""
    gone = _counted_out(run, chunk) | removing.lines_done(run, chunk)
    settled = [
        (line in gone or bool(was_unchanged[line - chunk.first_line])) and (line, sku) not in batch.companions
        for line, sku in zip(batch.lines, batch.skus, strict=True)
    ]
    batch.unchanged += [
        (line, sku)
        for line, sku in compress(zip(batch.lines, batch.skus, strict=True), settled)
        if line not in gone
    ]
    batch.keep(not is_settled for is_settled in settled)


def _counted_out(run: ImportRun, chunk: Chunk) -> set[int]:
    """The chunk's lines that are rejected already, and the superseded ones: those stay so even where the load
    has rejected the line that superseded them."""
    last = chunk.first_line + chunk.lines
    rejected = run.rejected_rows.filter(line__gte=chunk.first_line, line__lt=last)
    if _keeps_misplaced(run):
        rejected = rejected.exclude(code__in=parents.CODES)
    superseded = run.set_aside.filter(
        line__gte=chunk.first_line, line__lt=last, outcome=SetAsideRow.Outcome.SUPERSEDED
    )
    lines = [*rejected.values_list("line", flat=True), *superseded.values_list("line", flat=True)]
    return {line for line in lines if line is not None}


def _note(run: ImportRun, chunk: Chunk, batch: Batch) -> None:
    """Keep what later stages need to know of a chunk."""
    unchanged = bytearray(chunk.lines)
    for line, sku in batch.unchanged:
        if not batch.companions or (line, sku) not in batch.companions:
            unchanged[line - chunk.first_line] = 1
    Chunk.objects.filter(pk=chunk.pk).update(
        categories=_categories(run, batch),
        unchanged=zlib.compress(unchanged, 1),
        versions=zlib.compress(json.dumps(batch.versions).encode(), 1) if batch.versions else b"",
    )


def _noted_versions(chunk: Chunk) -> dict[str, int]:
    versions: dict[str, int] = json.loads(zlib.decompress(chunk.versions)) if chunk.versions else {}
    return versions


def _categories(run: ImportRun, batch: Batch) -> list[str]:
    """The paths that rows name which the import's mode lets in."""
    cells: Iterable[str | None] = batch.column("category")
    if run.mode == ImportRun.Mode.CREATE:
        cells = compress(cells, [not found for found in batch.found])
    elif run.mode == ImportRun.Mode.UPDATE:
        cells = compress(cells, batch.found)
    return sorted(set(filter(None, cells)))
