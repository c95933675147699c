"""Doormen: each names the stage that does the work. An import that ended or is paused is no error."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from celery import shared_task
from django.conf import settings

from imports import (
    checking,
    dry_run,
    exporting,
    finishing,
    merging,
    mirroring,
    pausing,
    pipeline,
    purging,
    receiving,
    restoring,
    staging,
)
from tasks import claiming
from tasks.claiming import Claim
from tasks.registry import Work, handles


def _unless_stopped(work: Work) -> Work:
    @wraps(work)
    def guarded(claim: Claim) -> None:
        if pausing.holds_back(claim):
            return
        try:
            work(claim)
        except pipeline.RunEnded as ended:
            claiming.abandon(claim, reason=str(ended))

    return guarded


def _fail_import(claim: Claim, error: str) -> None:
    last_line = (error.strip().splitlines() or [""])[-1]
    after = f" after {claim.job.attempts} attempts" if claim.job.attempts > 1 else ""
    pipeline.fail(
        run_id=claim.payload["run"], error=f"{claim.job.title} could not be done{after}: {last_line}"
    )


def _stage_of_import(kind: str) -> Callable[[Work], Work]:
    def register(work: Work) -> Work:
        return handles(kind, queue="imports", max_attempts=8, on_dead=_fail_import)(_unless_stopped(work))

    return register


@_stage_of_import("imports.plan")
def plan(claim: Claim) -> None:
    """planning → waiting (→ staging): cut the file into chunks and count its lines."""
    staging.plan(claim)


@_stage_of_import("imports.stage")
def stage(claim: Claim) -> None:
    """Read and clean one chunk into the staging table; the last chunk: staging → checking."""
    staging.stage(claim)


@_stage_of_import("imports.check")
def check(claim: Claim) -> None:
    """checking → loading: settle duplicates and slugs, and cut key ranges."""
    checking.check(claim)


@_stage_of_import("imports.categories")
def categories(claim: Claim) -> None:
    """Find or create the categories, beside the check."""
    checking.find_categories(claim)


@_stage_of_import("imports.compare")
def compare(claim: Claim) -> None:
    """Forecast one key range for the preview; the last range: checking → previewed."""
    dry_run.compare(claim)


@_stage_of_import("imports.load")
def load(claim: Claim) -> None:
    """Merge one key range into the catalogue; the last range: loading → finishing."""
    merging.load(claim)


@_stage_of_import("imports.undo")
def undo(claim: Claim) -> None:
    """Take back one part of an import's journal; the last part: loading → finishing."""
    restoring.restore(claim)


@_stage_of_import("imports.find_unlisted")
def find_unlisted(claim: Claim) -> None:
    """Find what a mirror has to unpublish; if nothing: loading → finishing."""
    mirroring.find(claim)


@_stage_of_import("imports.mirror")
def mirror(claim: Claim) -> None:
    """Unpublish the unlisted products of one key range; the last range: loading → finishing."""
    mirroring.unpublish(claim)


@_stage_of_import("imports.finish")
def finish(claim: Claim) -> None:
    """finishing → completed (or failed, if too many rows are broken): write the file of rejected rows and
    announce the end."""
    finishing.finish(claim)


@handles("imports.clean", queue="imports")
def clean(claim: Claim) -> None:
    """Drop the staging tables of an import that has ended."""
    finishing.clean(claim)


@handles("imports.purge", queue="imports")
def purge(claim: Claim) -> None:
    """Remove file, journal and lists of an import that ended long ago."""
    purging.purge(claim)


@shared_task(name="imports.purge_old_runs", queue="default", ignore_result=True)
def purge_old_runs() -> int:
    """Beat's tick: one job for each import whose details are kept no longer, and the files of old exports at
    once. The next tick does the same."""
    age = timedelta(days=settings.IMPORT_RETENTION_DAYS)
    return purging.begin_old(older_than=age) + exporting.purge_old(older_than=age)


def _fail_export(claim: Claim, error: str) -> None:
    exporting.fail(run_id=claim.payload["run"], error=(error.strip().splitlines() or [""])[-1])


@handles("imports.export", queue="imports", max_attempts=8, on_dead=_fail_export)
def export(claim: Claim) -> None:
    """waiting → running → completed: write the catalogue, or a part of it, into a file."""
    try:
        exporting.export(claim)
    except exporting.ExportEnded as ended:
        claiming.abandon(claim, reason=str(ended))


@shared_task(name="imports.discard_old_drafts", queue="default", ignore_result=True)
def discard_old_drafts() -> int:
    """Beat's tick: delete drafts that nobody confirmed and discard previews that nobody approved. Losing one
    is harmless, the next does the same."""
    age = timedelta(days=settings.IMPORT_DRAFT_DAYS)
    return receiving.discard_old_drafts(older_than=age) + receiving.discard_old_previews(older_than=age)
