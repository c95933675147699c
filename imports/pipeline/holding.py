"""What every transition does: hold the run's row, count, move it on, make its jobs."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import F

from imports.models import ImportRun
from tasks.queueing import NewJob

State = ImportRun.State

type Range = tuple[str, str | None]


class RunEnded(Exception):  # noqa: N818 - an outcome, not a fault
    """The import was cancelled or failed meanwhile: its jobs write nothing more."""


def must_be(run: ImportRun, *states: State) -> None:
    """Raise RunEnded unless the run, as just read, is in one of `states`: spares work that could not be
    recorded."""
    if run.state not in states:
        raise RunEnded(f"{run} is {run.get_state_display()}")


def hold(run_id: int, *states: State) -> ImportRun:
    """Lock the run's row for the rest of the transaction; raises RunEnded unless it is in one of `states`."""
    run = ImportRun.objects.select_for_update().get(pk=run_id)
    if run.state not in states:
        raise RunEnded(f"{run} is {run.get_state_display()}")
    return run


def count(run_id: int, state: State, **changes: int) -> ImportRun:
    """Add to the run's counters while it is in `state`; raises RunEnded when it is not any more.

    The transaction is the one of a job's work, so its commit need not wait for the disk: should PostgreSQL
    crash before it is written there, work, counters and the job's end are gone together and done again.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    added: dict[str, Any] = {name: F(name) + change for name, change in changes.items()}
    if not ImportRun.objects.filter(pk=run_id, state=state).update(**added):
        run = ImportRun.objects.get(pk=run_id)
        raise RunEnded(f"{run} is {run.get_state_display()}")
    return ImportRun.objects.get(pk=run_id)


def move(run: ImportRun, state: State) -> None:
    """Put the run, whose row is held, into `state`."""
    run.state = state
    run.save(update_fields=["state"])


def job(run: ImportRun, kind: str, what: str, **payload: Any) -> NewJob:
    """A job for the run, on hold while that is paused; `what` says in its title what it does."""
    return NewJob(
        kind=kind,
        subject=run.subject,
        title=f"{run.name}: {what}",
        payload={"run": run.pk, **payload},
        held=run.paused_at is not None,
    )
