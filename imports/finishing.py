"""The end of an import: the file of rejected rows, the announcement, and clearing up."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from imports import pipeline, references, staging
from imports.columns import EXTRA_COLUMNS
from imports.models import ImportRun, RejectedRow
from imports.opening import open_chunk
from tasks import claiming
from tasks.claiming import Claim


def finish(claim: Claim) -> None:
    """Store the file of rejected rows, then complete the import."""
    run = ImportRun.objects.get(pk=claim.payload["run"])
    # A preview that was stopped is still being checked.
    pipeline.must_be(run, ImportRun.State.FINISHING, ImportRun.State.CHECKING)
    name = store_rejected_rows(run) if run.rejected else ""
    pipeline.finished(claim, run_id=run.pk, rejected_file=name)


def store_rejected_rows(run: ImportRun) -> str:
    """Write the rejected rows beside the uploaded file; returns the stored name."""
    folder = os.path.dirname(str(run.file.name))
    name = f"{folder}/rejected-rows-{run.pk}.csv"
    with tempfile.TemporaryFile() as whole:
        for line in rejected_rows_csv(run):
            whole.write(line.encode())
        whole.seek(0)
        default_storage.delete(name)  # an earlier attempt may have written it
        return default_storage.save(name, File(whole))


class Echo:
    """A file for the csv writer that hands each line back."""

    def write(self, value: str) -> str:
        return value


def rejected_rows_csv(run: ImportRun) -> Iterator[str]:
    """The rejected rows as CSV lines: the original columns in their order, then `_line` and `_error`.

    Cells are read again from the file, so that they are as they were. A row with too many cells has the
    surplus after `_error`. UTF-8 with a byte order mark, which spreadsheets need to read it right.
    """
    writer = csv.writer(Echo())
    header = [name for name in run.header if name not in EXTRA_COLUMNS]
    kept = [index for index, name in enumerate(run.header) if name not in EXTRA_COLUMNS]
    yield "\ufeff" + writer.writerow([*header, *EXTRA_COLUMNS])
    for row, cells in _rejected_cells(run):
        shown = [cells[index] if index < len(cells) else "" for index in kept]
        messages = [row.message, *(error[3] for error in row.more)]
        surplus = cells[len(run.header) :]
        yield writer.writerow([*shown, row.line, " ".join(messages), *surplus])


def _rejected_cells(run: ImportRun) -> Iterator[tuple[RejectedRow, list[str]]]:
    """Rejected rows in line order with their cells, chunk by chunk, so that memory stays small."""
    within = run.rejected_rows.filter(
        line__gte=OuterRef("first_line"), line__lt=OuterRef("first_line") + OuterRef("lines")
    )
    for chunk in run.chunks.filter(Exists(within)).order_by("number"):
        lines = (chunk.first_line, chunk.first_line + chunk.lines)
        rows = {row.line: row for row in run.rejected_rows.filter(line__gte=lines[0], line__lt=lines[1])}
        reader = open_chunk(run, chunk)
        cells = {line: row for line, row in reader if line in rows}
        cells |= {problem.line: problem.cells or [problem.value] for problem in reader.problems}
        for line in sorted(rows):
            yield rows[line], cells.get(line, [])


def clean(claim: Claim) -> None:
    """Drop the staging tables of a run that has ended, and forget what only its stages needed."""
    run = ImportRun.objects.get(pk=claim.payload["run"])
    with transaction.atomic(), connection.cursor() as cursor:
        run.chunks.update(categories=[], unchanged=b"", versions=b"")
        run.planned_changes.all().delete()
        tables = (*staging.tables_of(run), references.table_of(run))
        cursor.execute(f"DROP TABLE IF EXISTS {', '.join(tables)}")
        claiming.complete(claim)
