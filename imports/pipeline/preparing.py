"""From the plan to the check: the file is read and compared, and nothing is written to the catalogue."""

from __future__ import annotations

from django.db import transaction

from imports import forecast, policies
from imports.models import Chunk
from imports.pipeline.holding import Range, State, count, hold, job, move
from imports.pipeline.previews import begin_comparing
from imports.pipeline.turns import admit_next, begin_staging, one_at_a_time
from imports.pipeline.writing import begin_loading, stop
from tasks import claiming
from tasks.queueing import create


def planned(claim: claiming.Claim, *, run_id: int, chunks: list[Chunk], lines: int, encoding: str) -> None:
    """Record the plan and let the import in when no other one writes to the catalogue; a preview goes on at
    once, as it writes nothing."""
    with transaction.atomic():
        one_at_a_time()
        run = hold(run_id, State.PLANNING)
        Chunk.objects.bulk_create(chunks)
        run.dialect["encoding"] = encoding
        run.lines = run.rows = run.pending = lines
        run.chunks_total = len(chunks)
        run.state = State.WAITING
        run.save()
        claiming.complete(claim)
        if run.preview:
            begin_staging(run)
        else:
            admit_next()


def staged(claim: claiming.Claim, *, run_id: int, lines: int, blank: int, continued: int,
           kept: int, merged: int, rejected: int, repaired: int) -> None:  # fmt: skip
    """Count a staged chunk, in the transaction that staged it; the last one starts the check.

    `kept` are rows in the staging table, all others are lines of the file.
    """
    run = count(
        run_id,
        State.STAGING,
        chunks_done=1,
        lines_staged=lines,
        rows_staged=kept,
        blank_lines=blank,
        continuation_lines=continued,
        rows=-blank - continued,
        pending=-blank - continued - merged - rejected,
        merged=merged,
        rejected=rejected,
        repaired=repaired,
    )
    if policies.stops(run, at_check=False):
        stop(run)
    elif run.chunks_done == run.chunks_total:
        move(run, State.CHECKING)
        jobs = [job(run, "imports.check", "comparing with the catalogue")]
        if not run.preview and run.chunks.exclude(categories=[]).exists():
            jobs.append(job(run, "imports.categories", "finding the categories"))
        create(jobs)
    claiming.complete(claim)


def checked(
    claim: claiming.Claim,
    *,
    run_id: int,
    ranges: list[Range],
    variant_ranges: list[Range],
    fresh: bool,
    **outcomes: int,
) -> None:
    """Record the check; one load job for each key range `(first SKU, next range's first or None)`.

    Variants come in ranges of their own, after all others: their parents may be in any of those.
    `fresh`: the catalogue had none of the SKUs, so a range need not look for them unless it fails.
    With a preview, the ranges are compared first, and loaded when it is approved.
    """
    run = count(
        run_id,
        State.CHECKING,
        ranges_total=len(ranges) + len(variant_ranges),
        pending=-sum(outcomes.values()),
        **outcomes,
    )
    run.ranges = [[*between, fresh] for between in ranges]
    run.variant_ranges = [[*between, fresh] for between in variant_ranges]
    run.forecast = forecast.nothing() if run.preview else {}
    run.save(update_fields=["ranges", "variant_ranges", "forecast"])
    if policies.stops(run):
        stop(run)
    elif not run.preview:
        begin_loading(run)
    else:
        begin_comparing(run)
    claiming.complete(claim)
