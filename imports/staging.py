"""Plan the chunks of a file, then read, clean and COPY each into the import's staging table.

Rows that the catalogue already holds exactly so are recognised before anything is sent: PostgreSQL digests
the products of a chunk's SKUs, we digest the cleaned cells, and equal digests travel as a bare line and SKU.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection, transaction
from psycopg import DataError

from imports import pipeline
from imports.columns import BY_NAME, COLUMNS, CellError, Column, slug_for
from imports.dialect import Dialect, RefusedFile
from imports.models import Chunk, ImportRun, RejectedRow
from imports.planning import plan as plan_chunks
from imports.reading import ChunkReader
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
        if batch.rejected:
            Chunk.objects.filter(pk=chunk.pk).update(rejected=len(batch.rejected))
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


@dataclass(slots=True)
class Row:
    """One sound line: cleaned cells in the order of `Batch.columns`, None where the cell is blank."""

    line: int
    sku: str
    cells: list[str | None]
    extra: str | None = None
    found: bool = False
    same: bool = False


@dataclass(slots=True)
class Batch:
    """The rows of a chunk and what was rejected of it."""

    run: ImportRun
    columns: list[Column]
    rows: list[Row] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)

    def reject(self, line: int, errors: list[tuple[str, str, str, str]]) -> None:
        """Reject a line for `(column, value, code, message)` errors, the first of which is shown first."""
        column, value, code, message = errors[0]
        self.rejected.append(
            RejectedRow(
                run=self.run,
                line=line,
                column=column[:255],
                value=value[:200],
                code=code,
                message=message,
                more=[list(error) for error in errors[1:]],
            )
        )


def read_chunk(run: ImportRun, chunk: Chunk) -> tuple[ChunkReader, Batch]:
    """Read and clean a chunk, without the database."""
    with run.opened() as stream:
        stream.seek(chunk.offset)
        data = stream.read(chunk.length)
    width = len(run.header)
    reader = ChunkReader(
        data, dialect=Dialect.from_dict(run.dialect), width=width, first_line=chunk.first_line
    )
    names = [name for name in BY_NAME if name in run.mapping and name != "sku"]
    batch = Batch(run=run, columns=[BY_NAME[name]() for name in names])
    _clean(run, reader, batch)
    for problem in reader.problems:
        at = problem.column
        column = run.header[at] if at is not None and at < width else ""
        batch.reject(problem.line, [(column, problem.value, problem.code, problem.message)])
    return reader, batch


def _clean(run: ImportRun, reader: ChunkReader, batch: Batch) -> None:
    """Fill `batch.rows`; the loop that every row of every file runs through."""
    sku_at = run.mapping["sku"]
    clean_sku = BY_NAME["sku"]().clean
    cleaners = [(run.mapping[column.name], column.clean) for column in batch.columns]
    unknown = _unknown_columns(run)
    append = batch.rows.append
    for line, cells in reader:
        try:
            sku = clean_sku(cells[sku_at].strip())
            if not sku:
                raise CellError("missing_sku", "")
            row = Row(
                line, sku, [clean(text) if (text := cells[at].strip()) else None for at, clean in cleaners]
            )
        except CellError:
            batch.reject(line, _errors(run, batch, cells))
            continue
        if unknown:
            row.extra = _extra(unknown, cells)
        append(row)


def _errors(run: ImportRun, batch: Batch, cells: list[str]) -> list[tuple[str, str, str, str]]:
    """Everything that is wrong with a row's cells, so that one round of mending is enough."""
    errors = []
    for column in (BY_NAME["sku"](), *batch.columns):
        at = run.mapping[column.name]
        text = cells[at].strip()
        if column.name == "sku" and not text:
            message = "The SKU is missing; every row needs one. Fill it in."
            errors.append((run.header[at], "", "missing_sku", message))
        elif text:
            try:
                column.clean(text)
            except CellError as error:
                errors.append((run.header[at], text[:200], error.code, str(error)))
    return errors


def _unknown_columns(run: ImportRun) -> list[tuple[int, str]]:
    """Columns to be kept in the metadata. Ours that come back with a rejected-rows file are never data."""
    if not run.keep_unknown:
        return []
    mapped = set(run.mapping.values())
    return [
        (index, name)
        for index, name in enumerate(run.header)
        if index not in mapped and name.strip() and name not in ("_line", "_error")
    ]


def _extra(unknown: list[tuple[int, str]], cells: list[str]) -> str | None:
    kept = {name: cells[index] for index, name in unknown if cells[index].strip()}
    return json.dumps(kept, ensure_ascii=False) if kept else None


# SKUs and masks travel as one text each: SKUs have no control characters, and arrays are slow to write.
_DIGESTS = """
SELECT k.number, md5(concat_ws(E'\\x1f', {parts}))
FROM unnest(string_to_array(%s, E'\\x1f'), string_to_array(%s, ',')::int[])
    WITH ORDINALITY AS k(sku, mask, number)
JOIN shop_product p ON p.sku = k.sku COLLATE "C" {unless}
LEFT JOIN shop_category c ON c.id = p.category_id
"""


# When rows are staged again, what the import created itself counts as not there, as it was the first time.
_NOT_OWN = """
AND NOT EXISTS (
    SELECT FROM imports_rowchange r WHERE r.run_id = {} AND r.product_id = p.id AND r.before IS NULL
)
"""


def look_up(run: ImportRun, batch: Batch) -> None:
    """Mark the rows whose SKU the catalogue has, and those whose product is already just so.

    Rejects rows that would create a product but lack what a new one needs.
    """
    unless = _NOT_OWN.format(int(run.pk)) if run.state == ImportRun.State.LOADING else ""
    parts = ", ".join(
        f"CASE WHEN k.mask & {1 << bit} > 0 THEN {column.compared} END"
        for bit, column in enumerate(batch.columns)
    )
    skus = "\x1f".join([row.sku for row in batch.rows])
    masks = ",".join([str(_mask(row.cells)) for row in batch.rows])
    with transaction.atomic(), connection.cursor() as cursor:
        # A hash join would read the whole catalogue for every chunk.
        cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
        cursor.execute(_DIGESTS.format(parts=parts or "NULL", unless=unless), [skus, masks])
        for number, digest in cursor:
            row = batch.rows[number - 1]
            row.found = True
            row.same = row.extra is None and digest == _digest(batch.columns, row)
    if run.mode != ImportRun.Mode.UPDATE:
        _reject_incomplete(run, batch)


def _mask(cells: list[str | None]) -> int:
    """One bit for each cell that is not blank."""
    if None not in cells:
        return (1 << len(cells)) - 1
    return sum(1 << bit for bit, cell in enumerate(cells) if cell is not None)


def _digest(columns: list[Column], row: Row) -> str:
    given = [
        column.comparable(cell) for column, cell in zip(columns, row.cells, strict=True) if cell is not None
    ]
    return hashlib.md5("\x1f".join(given).encode(), usedforsecurity=False).hexdigest()


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


def copy_rows(run: ImportRun, batch: Batch) -> int:
    """COPY the rows into the staging table; returns how many it took.

    A value that PostgreSQL refuses although we let it through is found by halving, and its row rejected.
    """
    to_text = _copy_text(batch)
    columns = ", ".join(("line", "sku", "found", "same", *VALUES))
    statement = f"COPY {run.staging_table} ({columns}) FROM STDIN"

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
                batch.reject(
                    rows[0].line, [("", "", "not_storable", f"PostgreSQL refuses the row: {reason}.")]
                )
                return 0
            middle = len(rows) // 2
            return send(rows[:middle]) + send(rows[middle:])
        return len(rows)

    return send(batch.rows)


def _copy_text(batch: Batch) -> Callable[[Row], str]:
    """A function that writes a row in COPY's text format."""
    names = [column.name for column in batch.columns]
    order = [names.index(name) if name in names else -1 for name in VALUES[:-2]]
    name_at = names.index("name") if "name" in names else -1
    nothing = "\t".join([_NULL] * len(VALUES))

    def to_text(row: Row) -> str:
        sku = _escaped(row.sku) if "\\" in row.sku else row.sku
        if row.same:
            return f"{row.line}\t{sku}\tt\tt\t{nothing}\n"
        cells = [*row.cells, None]  # the last stands for columns that the file lacks
        values = [cells[at] for at in order]
        name = cells[name_at]
        values += (None if row.found or name is None else slug_for(name), row.extra)
        # Most rows need no escaping: one look at the whole instead of one at each cell.
        whole = "".join(filter(None, values))
        if "\\" in whole or "\n" in whole or "\t" in whole or "\r" in whole:
            values = [None if value is None else _escaped(value) for value in values]
        fields = "\t".join([_NULL if value is None else value for value in values])
        return f"{row.line}\t{sku}\t{'t' if row.found else 'f'}\tf\t{fields}\n"

    return to_text


def _escaped(cell: str) -> str:
    return cell.translate(_SPECIAL)
