"""The details of old imports go: file, journal, and lists of rows. The run with its counts stays for good.

tick ─▶ begin_old: marks the runs, one job each ─▶ purge: rows in small batches, then the files

A run is marked as purged before anything is removed, in one transaction with its job, under its row's lock:
from then on nobody may undo it, so a half-removed journal is never read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db import connection, transaction
from django.db.models.functions import Now

from imports import storing
from imports.models import (
    Chunk,
    CreatedProducts,
    ImportRun,
    PlannedChange,
    RejectedRow,
    RepairedRow,
    RowChange,
    SetAsideRow,
)
from tasks import claiming
from tasks.claiming import Claim
from tasks.queueing import NewJob, create

_BATCH = 10_000  # rows that one transaction removes: some tens of milliseconds
_BATCHES = {
    # One row holds the keys of a whole load job.
    CreatedProducts: 10,
    **dict.fromkeys((RowChange, PlannedChange, RejectedRow, RepairedRow, SetAsideRow, Chunk), _BATCH),
}


def begin_old(*, older_than: timedelta) -> int:
    """Mark the runs that ended longer ago and create the jobs that purge them; returns how many.

    Runs that an unfinished undo needs are left for another time. Safe to call at any time, twice, or beside
    another call.
    """
    old = ImportRun.objects.filter(
        state__in=ImportRun.ENDED, finished_at__lte=Now() - older_than, purged_at=None
    )
    return sum(_begin(pk) for pk in old.order_by("finished_at", "pk").values_list("pk", flat=True))


def _begin(run_id: int) -> bool:
    with transaction.atomic():
        # Whoever asks for an undo right now locks the run as well.
        run = ImportRun.objects.select_for_update().get(pk=run_id)
        if run.purged_at or run.pk in _needed_by_undos():
            return False
        run.purged_at = Now()
        run.save(update_fields=["purged_at"])
        title = f"{run.get_kind_display().capitalize()} {run.pk}: removing its details"
        create([NewJob(kind="imports.purge", subject=run.subject, title=title, payload={"run": run.pk})])
    return True


def _needed_by_undos() -> set[int]:
    """Runs whose journal an undo at work reads, or may, when it takes back another undo."""
    undoes = dict(ImportRun.objects.filter(kind=ImportRun.Kind.UNDO).values_list("pk", "undoes_id"))
    unfinished = ImportRun.objects.filter(kind=ImportRun.Kind.UNDO).exclude(state__in=ImportRun.ENDED)
    needed: set[int] = set()
    for pk in unfinished.values_list("pk", flat=True):
        while pk in undoes:
            pk = undoes[pk]
            needed.add(pk)
    return needed


def purge(claim: Claim) -> None:
    """Remove the run's details; done again from anywhere, it goes on with what is left."""
    run = ImportRun.objects.get(pk=claim.payload["run"])
    removed, all_rows = 0, _rows_of(run)
    for count in _removing(run):
        removed += count
        claim.report(min(removed, all_rows), all_rows)
    storing.remove(run.file.name, run.rejected_file.name)
    with transaction.atomic():
        ImportRun.objects.filter(pk=run.pk).update(file="", rejected_file="")
        claiming.complete(claim)


def _rows_of(run: ImportRun) -> int:
    """About how many rows there are to remove, by the run's counters."""
    return sum((run.updated, run.removed, run.unlisted, run.skipped, run.superseded, run.rejected,
                run.repaired, run.chunks_total))  # fmt: skip


def _removing(run: ImportRun) -> Iterator[int]:
    """Remove batch after batch, each in a transaction of its own; yields how many rows went."""
    for model, size in _BATCHES.items():
        table = model._meta.db_table
        # Counted as found, not as removed: a worker that was thought lost may remove the same rows.
        statement = f"""
            WITH found AS MATERIALIZED (SELECT ctid FROM {table} WHERE run_id = %s LIMIT {size}),
                 removed AS (DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM found)))
            SELECT count(*) FROM found
        """
        found = size
        while found == size:
            with connection.cursor() as cursor:
                cursor.execute(statement, [run.pk])
                [found] = cursor.fetchone()
            yield found
