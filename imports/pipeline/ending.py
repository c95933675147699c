"""How a run ends: completed, failed or cancelled. Whoever ends it lets the next one in."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.db.models.functions import Now

from imports.models import ImportRun
from imports.pipeline.holding import RunEnded, State, hold, job
from imports.pipeline.turns import admit_next, one_at_a_time
from imports.signals import import_finished
from shop import indexing
from tasks import claiming
from tasks.queueing import create


def finished(claim: claiming.Claim, *, run_id: int, rejected_file: str) -> None:
    """Complete the import, or fail it if it was stopped; announce it, and let the next one in."""
    with transaction.atomic():
        one_at_a_time()
        run = hold(run_id, State.FINISHING, State.CHECKING)
        run.rejected_file.name = rejected_file
        end(run, State.FAILED if run.error else State.COMPLETED)
        claiming.complete(claim)


def cancel(*, run: ImportRun, then: Callable[[ImportRun], object] | None = None) -> ImportRun:
    """Stop the import. What landed stays; the rest is counted as pending. Raises RunEnded if it has ended.

    `then` is called with the ended run in the same transaction, before the next one is let in.
    """
    with transaction.atomic():
        one_at_a_time()
        run = hold(run.pk, *(state for state in State if state not in ImportRun.ENDED))
        end(run, State.CANCELLED, then=then)
    return run


def fail(*, run_id: int, error: str) -> None:
    """End the import as failed with `error` for people; does nothing when it has ended already."""
    with transaction.atomic():
        one_at_a_time()
        try:
            run = hold(run_id, *(state for state in State if state not in ImportRun.ENDED))
        except RunEnded:
            return
        run.error = error
        end(run, State.FAILED)


def end(run: ImportRun, state: State, *, then: Callable[[ImportRun], object] | None = None) -> None:
    """End the run, whose row is held, after `one_at_a_time`; `then` as in `cancel`."""
    was_draft = run.state == State.DRAFT
    run.lift_pause()
    run.state, run.finished_at = state, Now()
    run.save()
    run.refresh_from_db()
    claiming.cancel_waiting(subject=run.subject)
    if not was_draft:
        # Dropping a table waits for whoever still reads it, so not in this transaction.
        create([job(run, "imports.clean", "clearing up")])
        import_finished.send(sender=ImportRun, run=run)
    if run.created or run.updated or run.removed or run.unlisted:
        indexing.catalogue_changed()
    if then is not None:
        then(run)
    admit_next()
