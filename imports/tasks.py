"""Doormen: each names the stage that does the work. An import that ended meanwhile is no error."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from celery import shared_task
from django.conf import settings

from imports import checking, finishing, merging, mirroring, pipeline, receiving, staging
from tasks import claiming
from tasks.claiming import Claim
from tasks.registry import Work, handles


def _unless_ended(work: Work) -> Work:
    @wraps(work)
    def guarded(claim: Claim) -> None:
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
        return handles(kind, queue="imports", max_attempts=8, on_dead=_fail_import)(_unless_ended(work))

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


@_stage_of_import("imports.load")
def load(claim: Claim) -> None:
    """Merge one key range into the catalogue; the last range: loading → finishing."""
    merging.load(claim)


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


@shared_task(name="imports.discard_old_drafts", queue="default", ignore_result=True)
def discard_old_drafts() -> int:
    """Beat's tick: delete drafts that nobody confirmed. Losing one is harmless, the next does the same."""
    return receiving.discard_old_drafts(older_than=timedelta(days=settings.IMPORT_DRAFT_DAYS))
