"""One import at a time writes to the catalogue: who is next, and what begins when it is let in."""

from __future__ import annotations

from django.db import connection
from django.db.models.functions import Now

from imports.models import ImportRun
from imports.pipeline.holding import State, job
from imports.pipeline.writing import begin_loading
from tasks.queueing import create

_ADMITTING = 0x7A11_0002  # key of the advisory lock under which the next import is let in


def one_at_a_time() -> None:
    """Let one transaction at a time change who is at work; before it locks a run, or two would deadlock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADMITTING])


def admit_next() -> None:
    """Let in the import that has waited longest, unless one is at work; after `one_at_a_time`."""
    if ImportRun.objects.active().exists():
        return
    run = ImportRun.objects.in_line().select_for_update().first()
    if run is None:
        return
    if ImportRun.objects.being_read().filter(queued_at__lt=run.queued_at).exists():
        return  # an earlier one is still being read; landing after this one, it would bring back old values
    if run.kind == ImportRun.Kind.UNDO or run.preview:
        begin_loading(run)
    else:
        begin_staging(run)


def begin_staging(run: ImportRun) -> None:
    """Make the staging table and one job a chunk."""
    from imports import staging

    run.state, run.started_at = State.STAGING, Now()
    run.save(update_fields=["state", "started_at"])
    staging.make_table(run)
    create(
        job(
            run,
            "imports.stage",
            f"lines {chunk.first_line:,}–{chunk.first_line + chunk.lines - 1:,}",
            chunk=chunk.pk,
        )
        for chunk in run.chunks.order_by("number")
    )
