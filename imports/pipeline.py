"""What comes after what. Every transition is one transaction with the work it follows.

confirm → plan → (wait) → stage × chunks → check, categories → load × ranges → finish
confirm → plan → stage × chunks → check → compare × ranges → (approve, wait) → load × ranges → finish
undo → (wait) → undo × parts of the journal → finish
                     discard ends a preview, cancel and fail end it from anywhere, pause holds its jobs
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Unpack

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from imports import blast_radius, choices, forecast, policies, remembering, removing
from imports.models import Chunk, ImportRun
from imports.signals import import_finished
from shop import indexing
from tasks import claiming
from tasks.queueing import NewJob, create

_ADMITTING = 0x7A11_0002  # key of the advisory lock under which the next import is let in
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


def confirm(
    *,
    run: ImportRun,
    mapping: dict[str, int] | None = None,
    mode: str = ImportRun.Mode.UPSERT,
    keep_unknown: bool | None = None,
    blank: str | None = None,
    clear_token: str | None = None,
    options: Mapping[str, Mapping[str, str]] | None = None,
    constants: Mapping[str, str] | None = None,
    repair: bool | None = None,
    stock_as: str | None = None,
    preview: bool = False,
    remember: bool = True,
    by: Any = None,
    **chosen_policies: Unpack[policies.Policies],
) -> ImportRun:
    """Start a draft with these choices, and `remember` them for its header; what is None is as in the draft.

    `mapping` is our column → index in the header. `blank` says what blank cells do, `clear_token` the text
    that clears. `options` is our column → how its cells are read, such as `{"price": {"format": "comma"}}`;
    what it leaves open is as the sample showed it. `constants` is our column → what it gets where the file
    has no such column or a blank cell. Without `repair`, lines that could be repaired are rejected.
    `stock_as` says what a number of stock means. With a `preview`, it stops before anything is written and
    waits for `approve`. `by` is the user who confirms it, if any. The policies
    are those of `policies.checked`.
    Raises MappingError, or RunEnded when it was started or discarded already.
    """
    with transaction.atomic():
        run = hold(run.pk, State.DRAFT)
        chosen = run.options if options is None else options
        checked = choices.checked(
            run,
            mapping=mapping,
            keep_unknown=keep_unknown,
            blank=blank,
            clear_token=clear_token,
            options=chosen,
            constants=constants,
            repair=repair,
            stock_as=stock_as,
        )
        checked |= policies.checked(mode=mode, **chosen_policies)
        for name, value in checked.items():
            setattr(run, name, value)
        run.preview, run.confirmed_by = preview, by
        if remember:
            remembering.remember(run, options=chosen, by=by)
        run.state, run.confirmed_at, run.queued_at = State.PLANNING, Now(), Now()
        run.save()
        create([_job(run, "imports.plan", "reading the file")])
    run.refresh_from_db()
    return run


def planned(claim: claiming.Claim, *, run_id: int, chunks: list[Chunk], lines: int, encoding: str) -> None:
    """Record the plan and let the import in when no other one writes to the catalogue; a preview goes on at
    once, as it writes nothing."""
    with transaction.atomic():
        _one_at_a_time()
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
            _admit_next()


def _one_at_a_time() -> None:
    """Let one transaction at a time change who is at work; before it locks a run, or two would deadlock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADMITTING])


def _admit_next() -> None:
    """Let in the import that has waited longest, unless one is at work; after `_one_at_a_time`."""
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
        _job(
            run,
            "imports.stage",
            f"lines {chunk.first_line:,}–{chunk.first_line + chunk.lines - 1:,}",
            chunk=chunk.pk,
        )
        for chunk in run.chunks.order_by("number")
    )


def staged(claim: claiming.Claim, *, run_id: int, lines: int, blank: int, continued: int,
           kept: int, merged: int, rejected: int, repaired: int) -> None:  # fmt: skip
    """Count a staged chunk, in the transaction that staged it; the last one starts the check.

    `kept` are rows in the staging table, all others are lines of the file.
    """
    run = _count(
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
        _stop(run)
    elif run.chunks_done == run.chunks_total:
        _move(run, State.CHECKING)
        jobs = [_job(run, "imports.check", "comparing with the catalogue")]
        if not run.preview and run.chunks.exclude(categories=[]).exists():
            jobs.append(_job(run, "imports.categories", "finding the categories"))
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
    run = _count(
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
        _stop(run)
    elif not run.preview:
        begin_loading(run)
    elif run.ranges_total:
        both = [(between, False) for between in run.ranges] + [
            (between, True) for between in run.variant_ranges
        ]
        create(
            _job(
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
    else:
        _previewed(run)
    claiming.complete(claim)


def compared(claim: claiming.Claim, *, run_id: int, part: Mapping[str, Any]) -> None:
    """Count a range that was compared for the preview, and add its `part` to the forecast; the last one makes
    it ready for approval."""
    run = _count(run_id, State.CHECKING, ranges_compared=1)  # and so holds the run's row
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


def approve(*, run: ImportRun, by: Any = None, accept_warnings: bool = False) -> ImportRun:
    """Let a previewed import write, when its turn has come. `by` is the user, None on the command line.

    Raises RunEnded unless it waits for that, NotAccepted when it has warnings that must be accepted first, or
    that this user may not accept.
    """
    with transaction.atomic():
        _one_at_a_time()
        run = hold(run.pk, State.PREVIEWED)
        blast_radius.must_be_accepted(run, by=by, accept_warnings=accept_warnings)
        run.state, run.approved_at, run.queued_at, run.approved_by = State.WAITING, Now(), Now(), by
        run.save()
        _admit_next()
    run.refresh_from_db()
    return run


def discard(*, run: ImportRun, reason: str = "") -> ImportRun:
    """End an import whose preview is not wanted, and say why. Raises RunEnded unless it awaits approval."""
    with transaction.atomic():
        _one_at_a_time()
        run = hold(run.pk, State.PREVIEWED)
        run.error = reason
        _end(run, State.CANCELLED)
    return run


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
    _move(run, State.LOADING)
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
    return _job(run, "imports.load", what, low=low, high=high, fresh=fresh, variants=variants)


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


def take_back(*, run: ImportRun, prepare: Callable[[ImportRun], ImportRun]) -> ImportRun:
    """Store the undo that `prepare` makes of the run, which is locked meanwhile, and let it in when its turn
    has come: it is the last in line unless it has a place. Its `variant_ranges` are the parts of its work, in
    steps."""
    with transaction.atomic():
        _one_at_a_time()
        undo = prepare(ImportRun.objects.select_for_update().get(pk=run.pk))
        undo.state, undo.confirmed_at, undo.queued_at = State.WAITING, Now(), undo.queued_at or Now()
        undo.save()
        _admit_next()
    undo.refresh_from_db()
    return undo


def _begin_step(run: ImportRun) -> None:
    """Create the jobs of an undo's next step; those of the one before are all done."""
    step = run.variant_ranges[0]["step"]
    parts = [part for part in run.variant_ranges if part["step"] == step]
    first = run.ranges_total - len(run.variant_ranges) + 1
    run.variant_ranges = run.variant_ranges[len(parts) :]
    run.save(update_fields=["variant_ranges"])
    create(
        _job(run, "imports.undo", f"part {number} of {run.ranges_total}", **part)
        for number, part in enumerate(parts, start=first)
    )


def loaded(claim: claiming.Claim, *, run_id: int, stock_kept: int = 0, **outcomes: int) -> None:
    """Count a loaded range, in the transaction that loaded it; the last one starts what comes next.

    `stock_kept` are rows of whose stock sales were taken off; they have an outcome like all others.
    """
    run = _count(
        run_id,
        State.LOADING,
        ranges_done=1,
        stock_kept=stock_kept,
        pending=-sum(outcomes.values()),
        **outcomes,
    )
    if policies.stops(run):
        _stop(run)
    elif run.ranges_done + len(run.variant_ranges) == run.ranges_total:
        if run.variant_ranges:
            _begin_variants(run) if run.kind == ImportRun.Kind.IMPORT else _begin_step(run)
        else:
            _begin_after_loading(run)
    claiming.complete(claim)


def _begin_after_loading(run: ImportRun) -> None:
    """Unpublish what the file lacks, where it is to be mirrored; else finish."""
    if not run.mirror:
        _begin_finishing(run)
        return
    _move(run, State.LOADING)
    create([_job(run, "imports.find_unlisted", "finding what the file lacks")])


def found_unlisted(claim: claiming.Claim, *, run_id: int, ranges: list[Range]) -> None:
    """Create a job for each key range in which products are to be unpublished; finish if there is none."""
    run = _count(run_id, State.LOADING, ranges_total=len(ranges))
    create(
        _job(run, "imports.mirror", f"unpublishing what the file lacks, SKU {low} and on", low=low, high=high)
        for low, high in ranges
    )
    if not ranges:
        _begin_finishing(run)
    claiming.complete(claim)


def mirrored(claim: claiming.Claim, *, run_id: int, unlisted: int) -> None:
    """Count a range whose unlisted products were unpublished; the last one ends the loading."""
    run = _count(run_id, State.LOADING, ranges_done=1, unlisted=unlisted)
    if run.ranges_done == run.ranges_total:
        _begin_finishing(run)
    claiming.complete(claim)


def _stop(run: ImportRun) -> None:
    """End the work on a run with too many broken rows; the last job stores those and lets it fail.

    A preview does not write to the catalogue, and so must not count as one that does.
    """
    run.error = policies.why_stopped(run)
    run.save(update_fields=["error"])
    claiming.cancel_waiting(subject=run.subject)
    _move(run, State.CHECKING if run.preview and run.state != State.LOADING else State.FINISHING)
    create([_job(run, "imports.finish", "storing the broken rows")])


def _begin_finishing(run: ImportRun) -> None:
    _move(run, State.FINISHING)
    create([_job(run, "imports.finish", "finishing")])


def finished(claim: claiming.Claim, *, run_id: int, rejected_file: str) -> None:
    """Complete the import, or fail it if it was stopped; announce it, and let the next one in."""
    with transaction.atomic():
        _one_at_a_time()
        run = hold(run_id, State.FINISHING, State.CHECKING)
        run.rejected_file.name = rejected_file
        _end(run, State.FAILED if run.error else State.COMPLETED)
        claiming.complete(claim)


def cancel(*, run: ImportRun, then: Callable[[ImportRun], object] | None = None) -> ImportRun:
    """Stop the import. What landed stays; the rest is counted as pending. Raises RunEnded if it has ended.

    `then` is called with the ended run in the same transaction, before the next one is let in.
    """
    with transaction.atomic():
        _one_at_a_time()
        run = hold(run.pk, *(state for state in State if state not in ImportRun.ENDED))
        _end(run, State.CANCELLED, then=then)
    return run


def fail(*, run_id: int, error: str) -> None:
    """End the import as failed with `error` for people; does nothing when it has ended already."""
    with transaction.atomic():
        _one_at_a_time()
        try:
            run = hold(run_id, *(state for state in State if state not in ImportRun.ENDED))
        except RunEnded:
            return
        run.error = error
        _end(run, State.FAILED)


def _end(run: ImportRun, state: State, *, then: Callable[[ImportRun], object] | None = None) -> None:
    was_draft = run.state == State.DRAFT
    run.lift_pause()
    run.state, run.finished_at = state, Now()
    run.save()
    run.refresh_from_db()
    claiming.cancel_waiting(subject=run.subject)
    if not was_draft:
        # Dropping a table waits for whoever still reads it, so not in this transaction.
        create([_job(run, "imports.clean", "clearing up")])
        import_finished.send(sender=ImportRun, run=run)
    if run.created or run.updated or run.removed or run.unlisted:
        indexing.catalogue_changed()
    if then is not None:
        then(run)
    _admit_next()


def _count(run_id: int, state: State, **changes: int) -> ImportRun:
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


def _move(run: ImportRun, state: State) -> None:
    run.state = state
    run.save(update_fields=["state"])


def _job(run: ImportRun, kind: str, what: str, *, delay: timedelta = timedelta(0), **payload: Any) -> NewJob:
    return NewJob(
        kind=kind,
        subject=run.subject,
        title=f"{run.name}: {what}",
        payload={"run": run.pk, **payload},
        delay=delay,
        held=run.paused_at is not None,
    )
