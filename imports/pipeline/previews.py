"""Between check and load of an import with a preview: compare, show, and wait for a decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from imports import blast_radius, forecast, signals
from imports.models import ImportRun
from imports.pipeline.ending import end
from imports.pipeline.holding import State, count, hold, job
from imports.pipeline.turns import admit_next, one_at_a_time
from tasks import claiming
from tasks.queueing import create


def begin_comparing(run: ImportRun) -> None:
    """Create a job for each key range that is to be compared; with none, the preview is there."""
    if not run.ranges_total:
        _previewed(run)
        return
    both = [(between, False) for between in run.ranges] + [(between, True) for between in run.variant_ranges]
    create(
        job(
            run,
            "imports.compare",
            f"comparing part {number} of {run.ranges_total}",
            low=low,
            high=high,
            fresh=fresh,
            variants=variants,
        )
        for number, ((low, high, fresh), variants) in enumerate(both, start=1)
    )


def compared(claim: claiming.Claim, *, run_id: int, part: Mapping[str, Any]) -> None:
    """Count a range that was compared for the preview, and add its `part` to the forecast; the last one makes
    it ready for approval."""
    run = count(run_id, State.CHECKING, ranges_compared=1)  # and so holds the run's row
    run.forecast = forecast.added(run.forecast, part)
    run.save(update_fields=["forecast"])
    if run.ranges_compared == run.ranges_total:
        _previewed(run)
    claiming.complete(claim)


def _previewed(run: ImportRun) -> None:
    """All is compared: the forecast is complete, and nothing is written yet. A pause ends here as well, for
    nothing is left to do before somebody approves it."""
    from imports import mirroring

    run.lift_pause()
    run.forecast["unlisted"] = mirroring.count_unlisted(run)
    run.warnings = blast_radius.warnings_of(run)
    run.state, run.previewed_at = State.PREVIEWED, Now()
    run.save(
        update_fields=[
            "state",
            "previewed_at",
            "forecast",
            "warnings",
            "paused_at",
            "paused_by",
            "paused_seconds",
        ]
    )
    if blast_radius.needs_second(run):
        signals.import_needs_second.send(sender=ImportRun, run=run)


def approve(*, run: ImportRun, by: Any = None, accept_warnings: bool = False) -> ImportRun:
    """Let a previewed import write, when its turn has come. `by` is the user, None on the command line.

    Raises RunEnded unless it waits for that, NotAccepted when it has warnings that must be accepted first, or
    that this user may not accept.
    """
    with transaction.atomic():
        one_at_a_time()
        run = hold(run.pk, State.PREVIEWED)
        blast_radius.must_be_accepted(run, by=by, accept_warnings=accept_warnings)
        run.state, run.approved_at, run.queued_at, run.approved_by = State.WAITING, Now(), Now(), by
        run.save()
        admit_next()
    run.refresh_from_db()
    return run


def discard(*, run: ImportRun, reason: str = "") -> ImportRun:
    """End an import whose preview is not wanted, and say why. Raises RunEnded unless it awaits approval."""
    with transaction.atomic():
        one_at_a_time()
        run = hold(run.pk, State.PREVIEWED)
        run.error = reason
        end(run, State.CANCELLED)
    return run
