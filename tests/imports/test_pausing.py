"""Pause and resume: no chunk begins, nothing is lost, and the place in line is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from imports import line, merging, pausing, pipeline, staging
from imports.models import ImportRun
from shop.models import Product
from tasks import claiming, sweeping
from tasks.models import Job
from tests.imports.running import (
    catalogue,
    confirm,
    do,
    due_jobs,
    import_rows,
    in_small_pieces,
    outcomes,
    products,
    receive,
    row,
    staging_tables,
    work,
    work_up_to,
)
from tests.imports.test_races import in_another_connection, wait_until_blocked

pytestmark = pytest.mark.django_db
STATES = ("plan", "stage", "check", "load", "finish")


def states(*runs: ImportRun) -> list[str]:
    for run in runs:
        run.refresh_from_db()
    return [run.state for run in runs]


def kinds_held(run: ImportRun) -> set[str]:
    return set(Job.objects.of(run.subject).filter(state=Job.State.HELD).values_list("kind", flat=True))


@pytest.mark.parametrize("kind", STATES)
def test_import_paused_at_any_stage_goes_on_to_the_same_end(kind: str, settings: Any) -> None:
    in_small_pieces(settings)
    undisturbed = import_rows(catalogue())
    expected = products(), outcomes(undisturbed)
    with transaction.atomic():
        Product.objects.all().delete()
    run = confirm(catalogue())
    work_up_to(run, kind)

    pausing.pause(run=run)
    assert due_jobs() == []
    assert kinds_held(run) >= {f"imports.{kind}"}

    pausing.resume(run=run)
    work(run)
    assert (products(), outcomes(run)) == expected


def test_job_that_was_running_ends_its_chunk_and_what_follows_is_held() -> None:
    run = confirm([row("A")])
    job = work_up_to(run, "load")
    claim = claiming.claim(job_id=job.pk)
    assert claim is not None
    pausing.pause(run=run)

    merging.load(claim)

    job.refresh_from_db()
    assert (job.state, states(run), kinds_held(run)) == ("done", ["finishing"], {"imports.finish"})
    assert Product.objects.get().sku == "A"


def test_attempt_that_failed_while_paused_is_held_and_does_not_count(settings: Any) -> None:
    settings.JOB_RETRY_BASE_SECONDS = 0
    run = confirm([row("A")])
    job = work_up_to(run, "load")
    claim = claiming.claim(job_id=job.pk)
    assert claim is not None
    pausing.pause(run=run)
    claiming.fail(claim, error="Boom")

    assert [due.pk for due in due_jobs()] == [job.pk]
    do(job)

    job.refresh_from_db()
    assert (job.state, job.attempts, Product.objects.count()) == ("held", 1, 0)
    pausing.resume(run=run)
    assert outcomes(work(run)) == {"created": 1}


def test_worker_killed_while_paused_is_not_replaced_before_the_resume() -> None:
    run = confirm([row("A")])
    job = work_up_to(run, "load")
    claiming.claim(job_id=job.pk)
    pausing.pause(run=run)
    Job.objects.filter(pk=job.pk).update(lease_until=F("lease_until") - timedelta(days=1))

    do(job)  # the sweeper's hint

    assert (kinds_held(run), Product.objects.count()) == ({"imports.load"}, 0)
    pausing.resume(run=run)
    assert outcomes(work(run)) == {"created": 1}


def test_sweeper_sends_no_hint_for_a_paused_import(settings: Any) -> None:
    settings.JOB_HINT_PATIENCE_SECONDS = 0
    run = confirm([row("A")])
    pausing.pause(run=run)

    assert sweeping.sweep() == {"buried": 0, "sent": 0}
    pausing.resume(run=run)
    Job.objects.update(hinted_at=None)
    assert sweeping.sweep() == {"buried": 0, "sent": 1}


def test_pause_and_resume_twice_are_as_once() -> None:
    run = confirm([row("A")])
    kim, sam = User.objects.create_user("kim"), User.objects.create_user("sam")

    paused_at = pausing.pause(run=run, by=kim).paused_at
    again = pausing.pause(run=run, by=sam)
    assert (again.paused_at, again.paused_by) == (paused_at, kim)

    pausing.resume(run=run)
    seconds = pausing.resume(run=run).paused_seconds
    assert seconds > 0
    assert outcomes(work(run)) == {"created": 1}
    assert (run.paused_at, run.paused_by, run.paused_seconds) == (None, None, seconds)


@pytest.mark.parametrize("change", [pausing.pause, pausing.resume])
def test_import_that_ended_is_neither_paused_nor_resumed(change: Any) -> None:
    run = import_rows([row("A")])

    with pytest.raises(pipeline.RunEnded):
        change(run=run)


def test_draft_has_nothing_to_pause() -> None:
    with pytest.raises(pipeline.RunEnded, match="to be confirmed"):
        pausing.pause(run=receive("sku,name,price\nA,B,1\n"))


def test_paused_import_that_writes_keeps_its_place() -> None:
    first, second = confirm([row("A")]), confirm([row("B")])
    work_up_to(first, "load")
    pausing.pause(run=first)

    work(second)

    assert states(first, second) == ["loading", "waiting"]
    place = line.place_of(second)
    assert place is not None
    assert place.writing is not None
    assert (place.writing.pk, place.writing.paused_at is None, place.before) == (first.pk, False, 0)
    pausing.resume(run=first)
    work(second)
    assert states(first, second) == ["completed", "completed"]


def test_waiting_import_that_is_paused_lets_the_next_one_by() -> None:
    first, second, third = (confirm([row(sku)]) for sku in "ABC")
    work_up_to(first, "load")
    assert states(second, third) == ["waiting", "waiting"]
    assert [line.place_of(run).before for run in (second, third)] == [0, 1]  # type: ignore[union-attr]

    pausing.pause(run=second)
    assert line.place_of(third).before == 0  # type: ignore[union-attr]
    work(third)

    assert states(first, second, third) == ["completed", "waiting", "completed"]
    pausing.resume(run=second)
    assert outcomes(work(second)) == {"created": 1}


def test_import_paused_while_its_file_is_read_lets_the_next_one_by() -> None:
    first, second = confirm([row("A")]), confirm([row("B")])
    plans = {job.subject: job for job in due_jobs()}
    do(plans[second.subject])
    assert states(second) == ["waiting"]
    assert line.place_of(second) == line.Place(None, 1)

    pausing.pause(run=first)

    assert states(first, second) == ["planning", "staging"]
    work(second)
    pausing.resume(run=first)
    work(first)
    assert states(first, second) == ["completed", "completed"]


def test_first_in_line_begins_when_it_is_resumed_and_nobody_writes() -> None:
    run = confirm([row("A")])
    [plan] = due_jobs()
    claim = claiming.claim(job_id=plan.pk)
    assert claim is not None
    pausing.pause(run=run)
    staging.plan(claim)
    assert states(run) == ["waiting"]

    pausing.resume(run=run)

    assert states(run) == ["staging"]


def test_paused_import_can_be_cancelled_and_is_cleared_up() -> None:
    first, second = confirm([row("A")]), confirm([row("B")])
    work_up_to(first, "load")
    pausing.pause(run=first)

    pipeline.cancel(run=first)
    work(second)

    assert states(first, second) == ["cancelled", "completed"]
    assert (first.paused_at, kinds_held(first), staging_tables(first)) == (None, set(), [])


def test_preview_that_is_paused_is_held_and_then_waits_for_nobody_but_its_approval() -> None:
    run = confirm([row("A")], preview=True)
    job = work_up_to(run, "stage")
    pausing.pause(run=run)
    assert (due_jobs(), kinds_held(run)) == ([], {"imports.stage"})
    pausing.resume(run=run)

    assert [due.pk for due in due_jobs()] == [job.pk]


def test_paused_time_is_nobodys_work() -> None:
    run = import_rows([row("A")])
    took = run.seconds
    assert took is not None
    ImportRun.objects.filter(pk=run.pk).update(
        confirmed_at=F("confirmed_at") - timedelta(hours=1), paused_seconds=3600
    )
    run.refresh_from_db()
    assert run.seconds == pytest.approx(took)
    run.finished_at, run.paused_at = None, timezone.now() - timedelta(hours=2)
    assert run.seconds is not None
    assert run.seconds < 0  # it stands still at the pause, two hours ago


@pytest.mark.django_db(transaction=True)
def test_attempt_that_begins_while_its_import_is_resumed_is_not_left_on_hold() -> None:
    run = confirm([row("A")])
    job = work_up_to(run, "load")
    claim = claiming.claim(job_id=job.pk)
    assert claim is not None
    pausing.pause(run=run)
    held: list[bool] = []
    errors: list[BaseException] = []
    with transaction.atomic():
        ImportRun.objects.select_for_update().get(pk=run.pk)  # so that both are at it when we let go
        resuming = in_another_connection(lambda: pausing.resume(run=run), errors)
        wait_until_blocked(resuming)
        holding = in_another_connection(lambda: held.append(pausing.holds_back(claim)), errors)
        wait_until_blocked(holding, sessions=2)
    resuming.join(30)
    holding.join(30)

    job.refresh_from_db()
    assert (errors, held == [job.state == "held"], kinds_held(run)) == ([], True, set())
    Job.objects.filter(state="running").update(lease_until=F("lease_until") - timedelta(days=1))
    do(job)  # whichever came first, somebody does it
    assert outcomes(work(run)) == {"created": 1}
