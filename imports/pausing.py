"""Pause and resume a run: its waiting jobs are held and let go again, running ones finish their chunk.

A paused run keeps its place: if it was the one that writes to the catalogue, it stays that, and others wait.
One that only waits for its turn, or whose file is still being read, lets the others by.

Whoever creates or ends a job of a run holds the run's row meanwhile, as pausing and resuming do. So each of
them is wholly before or after a pause, and no job is left on hold that nobody will let go.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from imports import pipeline
from imports.models import ImportRun
from tasks import claiming, queueing
from tasks.claiming import Claim

State = ImportRun.State

# A draft has nothing to pause, nor has a preview that somebody looks at.
_PAUSABLE = (
    State.PLANNING, State.WAITING, State.STAGING, State.CHECKING, State.LOADING, State.FINISHING,
)  # fmt: skip


def can_be_paused(run: ImportRun) -> bool:
    """Whether `pause` would do something."""
    return run.state in _PAUSABLE and run.paused_at is None


def pause(*, run: ImportRun, by: Any = None) -> ImportRun:
    """Let no job of the run begin any more; those that run finish their chunk. `by` is the user, if any.

    Does nothing when it is paused already. Raises RunEnded when it has ended, or has nothing to pause.
    """
    with transaction.atomic():
        pipeline.one_at_a_time()
        run = pipeline.hold(run.pk, *_PAUSABLE)
        if run.paused_at is None:
            run.paused_at, run.paused_by = Now(), by
            run.save(update_fields=["paused_at", "paused_by"])
            claiming.hold_waiting(subject=run.subject)
            pipeline.admit_next()  # those that waited only for this one's turn to come
    run.refresh_from_db()
    return run


def resume(*, run: ImportRun) -> ImportRun:
    """Let a paused run go on where it was. Does nothing when it is not paused; raises RunEnded when it has
    ended."""
    with transaction.atomic():
        pipeline.one_at_a_time()
        run = pipeline.hold(run.pk, *(state for state in State if state not in ImportRun.ENDED))
        if run.paused_at is not None:
            run.lift_pause()
            run.save(update_fields=["paused_at", "paused_by", "paused_seconds"])
            queueing.release(subject=run.subject)
            pipeline.admit_next()
    run.refresh_from_db()
    return run


def holds_back(claim: Claim) -> bool:
    """Whether the claim's run is paused; its job is then on hold again instead of being done.

    That is for attempts that begin although the run is paused: the next one of a job that failed or whose
    worker was killed. The attempt does not count.
    """
    if not ImportRun.objects.filter(pk=claim.payload["run"], paused_at__isnull=False).exists():
        return False
    with transaction.atomic():
        run = ImportRun.objects.select_for_update().get(pk=claim.payload["run"])
        if run.paused_at is None:
            return False  # resumed meanwhile, and nobody would let the job go
        claiming.put_back(claim)
    return True
