"""From the first load to the finish: what is written to the catalogue, and what ends that."""

from __future__ import annotations

from django.db.models.functions import Now

from imports import policies, removing
from imports.models import ImportRun
from imports.pipeline.holding import Range, State, count, job, move
from tasks import claiming
from tasks.queueing import NewJob, create


def begin_loading(run: ImportRun) -> None:
    """Create the load jobs of a run whose ranges are known."""
    run.refresh_from_db()
    if run.preview and not run.ranges and run.unchanged:
        # Whether the products that need no write are still so is looked at by key ranges as well.
        run.ranges, run.ranges_total = [["", None, False]], run.ranges_total + 1
        run.save(update_fields=["ranges", "ranges_total"])
    if not run.ranges_total:
        _begin_after_loading(run)
        return
    if removing.goes_twice(run):
        run.variant_ranges, run.ranges_total = run.ranges, 2 * run.ranges_total
    run.started_at = run.started_at or Now()
    run.save(update_fields=["started_at", "variant_ranges", "ranges_total"])
    move(run, State.LOADING)
    if run.kind == ImportRun.Kind.UNDO:
        _begin_step(run)
    elif run.ranges:
        create(_load(run, number, *between) for number, between in enumerate(run.ranges, start=1))
    else:
        _begin_variants(run)


def _load(
    run: ImportRun, number: int, low: str, high: str | None, fresh: bool, *, variants: bool = False
) -> NewJob:
    what = f"part {number} of {run.ranges_total}" + (f", SKU {low} and on" if low else "")
    return job(run, "imports.load", what, low=low, high=high, fresh=fresh, variants=variants)


def _begin_variants(run: ImportRun) -> None:
    """Create the load jobs of variants, whose parents are all in the catalogue now; in a deletion those of
    products with variants, which are all gone."""
    first = run.ranges_total - len(run.variant_ranges) + 1
    jobs = [
        _load(run, number, *between, variants=True)
        for number, between in enumerate(run.variant_ranges, start=first)
    ]
    run.variant_ranges = []
    run.save(update_fields=["variant_ranges"])
    create(jobs)


def _begin_step(run: ImportRun) -> None:
    """Create the jobs of an undo's next step; those of the one before are all done."""
    step = run.variant_ranges[0]["step"]
    parts = [part for part in run.variant_ranges if part["step"] == step]
    first = run.ranges_total - len(run.variant_ranges) + 1
    run.variant_ranges = run.variant_ranges[len(parts) :]
    run.save(update_fields=["variant_ranges"])
    create(
        job(run, "imports.undo", f"part {number} of {run.ranges_total}", **part)
        for number, part in enumerate(parts, start=first)
    )


def loaded(claim: claiming.Claim, *, run_id: int, stock_kept: int = 0, **outcomes: int) -> None:
    """Count a loaded range, in the transaction that loaded it; the last one starts what comes next.

    `stock_kept` are rows of whose stock sales were taken off; they have an outcome like all others.
    """
    run = count(
        run_id,
        State.LOADING,
        ranges_done=1,
        stock_kept=stock_kept,
        pending=-sum(outcomes.values()),
        **outcomes,
    )
    if policies.stops(run):
        stop(run)
    elif run.ranges_done + len(run.variant_ranges) == run.ranges_total:
        if run.variant_ranges:
            _begin_variants(run) if run.kind == ImportRun.Kind.IMPORT else _begin_step(run)
        else:
            _begin_after_loading(run)
    claiming.complete(claim)


def _begin_after_loading(run: ImportRun) -> None:
    """Unpublish what the file lacks, where it is to be mirrored; else finish."""
    if not run.mirror:
        begin_finishing(run)
        return
    move(run, State.LOADING)
    create([job(run, "imports.find_unlisted", "finding what the file lacks")])


def found_unlisted(claim: claiming.Claim, *, run_id: int, ranges: list[Range]) -> None:
    """Create a job for each key range in which products are to be unpublished; finish if there is none."""
    run = count(run_id, State.LOADING, ranges_total=len(ranges))
    create(
        job(run, "imports.mirror", f"unpublishing what the file lacks, SKU {low} and on", low=low, high=high)
        for low, high in ranges
    )
    if not ranges:
        begin_finishing(run)
    claiming.complete(claim)


def mirrored(claim: claiming.Claim, *, run_id: int, unlisted: int) -> None:
    """Count a range whose unlisted products were unpublished; the last one ends the loading."""
    run = count(run_id, State.LOADING, ranges_done=1, unlisted=unlisted)
    if run.ranges_done == run.ranges_total:
        begin_finishing(run)
    claiming.complete(claim)


def begin_finishing(run: ImportRun) -> None:
    """Create the last job: all that was to be written is."""
    move(run, State.FINISHING)
    create([job(run, "imports.finish", "finishing")])


def stop(run: ImportRun) -> None:
    """End the work on a run with too many broken rows; the last job stores those and lets it fail.

    A preview does not write to the catalogue, and so must not count as one that does.
    """
    run.error = policies.why_stopped(run)
    run.save(update_fields=["error"])
    claiming.cancel_waiting(subject=run.subject)
    move(run, State.CHECKING if run.preview and run.state != State.LOADING else State.FINISHING)
    create([job(run, "imports.finish", "storing the broken rows")])
