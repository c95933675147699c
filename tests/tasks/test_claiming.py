"""A claim is a lease: one holder at a time, attempts counted first, nothing written by who lost it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from shop.models import Category
from tasks import claiming
from tasks.claiming import Claim, LeaseLost
from tasks.models import Job
from tests.tasks.conftest import Register, let_lease_expire, new_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("handler")]


def claimed(job: Job, worker: str = "") -> Claim:
    claim = claiming.claim(job_id=job.pk, worker=worker)
    assert claim is not None
    return claim


def complete(claim: Claim, effect: str = "") -> None:
    with transaction.atomic():
        if effect:
            Category.objects.create(name=effect)
        claiming.complete(claim)


def test_job_is_claimed_by_one_only() -> None:
    job = new_job()

    claim = claimed(job, worker="one@host")

    assert claiming.claim(job_id=job.pk) is None
    job.refresh_from_db()
    assert (job.state, job.attempts, job.worker, job.lease_token) == ("running", 1, "one@host", claim.token)
    assert claim.payload == {"n": 1}


@pytest.mark.parametrize("state", ["done", "dead", "cancelled"])
def test_ended_job_is_not_claimed(state: str) -> None:
    job = new_job(state=state, finished_at=timezone.now())

    assert claiming.claim(job_id=job.pk) is None


def test_job_is_not_claimed_before_its_time() -> None:
    job = new_job(run_after=timezone.now() + timedelta(minutes=1))

    assert claiming.claim(job_id=job.pk) is None


def test_job_without_attempts_left_is_not_claimed() -> None:
    job = new_job(attempts=10)

    assert claiming.claim(job_id=job.pk) is None


def test_unknown_job_is_not_claimed() -> None:
    assert claiming.claim(job_id=0) is None


def test_completed_job_is_done_with_its_effect() -> None:
    job = new_job()

    complete(claimed(job), effect="Made")

    job.refresh_from_db()
    assert (job.state, job.lease_token, job.lease_until, job.error) == ("done", None, None, "")
    assert job.finished_at is not None
    assert Category.objects.get().name == "Made"


def test_job_cannot_be_completed_outside_the_transaction_of_its_effects() -> None:
    claim = claimed(new_job())

    with pytest.raises(RuntimeError, match="belongs in the transaction"):
        claiming.complete(claim)


def test_job_is_completed_once() -> None:
    claim = claimed(new_job())
    complete(claim)

    with pytest.raises(LeaseLost):
        complete(claim, effect="Again")

    assert Category.objects.count() == 0


def test_silent_worker_is_taken_over_and_writes_nothing() -> None:
    job = new_job()
    first = claimed(job)
    let_lease_expire(job)

    second = claimed(job)

    assert (second.job.attempts, second.token != first.token) == (2, True)
    with pytest.raises(LeaseLost):
        complete(first, effect="First")
    assert not claiming.extend(first)
    claiming.fail(first, error="First failed")
    claiming.abandon(first, reason="First gave up")
    claiming.bury(first, error="First is dead")
    claiming.record_progress(first, current=1, total=2)
    complete(second, effect="Second")
    job.refresh_from_db()
    assert (job.state, job.error, job.progress_total) == ("done", "", 0)
    assert list(Category.objects.values_list("name", flat=True)) == ["Second"]


def test_extended_lease_is_not_taken_over() -> None:
    job = new_job()
    claim = claimed(job)
    let_lease_expire(job)

    assert claiming.extend(claim)

    assert claiming.claim(job_id=job.pk) is None


def test_takeover_ends_the_session_of_the_stopped_worker_with_its_locks() -> None:
    job, shelf = new_job(), Category.objects.create(name="Shelf")
    holding, taken_over = threading.Event(), threading.Event()
    ended: list[type[BaseException]] = []

    def stopped_worker() -> None:
        try:
            claimed(job)
            with transaction.atomic():
                Category.objects.filter(pk=shelf.pk).update(name="Stopped")
                holding.set()
                taken_over.wait(20)
                Category.objects.create(name="Too late")
        except OperationalError as error:
            ended.append(type(error))
        finally:
            holding.set()
            connection.close()

    thread = threading.Thread(target=stopped_worker)
    thread.start()
    assert holding.wait(20)
    let_lease_expire(job)
    claim = claimed(job)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10s'")
    Category.objects.filter(pk=shelf.pk).update(name="Successor")
    taken_over.set()
    thread.join(20)

    assert ended == [OperationalError]
    assert list(Category.objects.values_list("name", flat=True)) == ["Successor"]
    complete(claim)


def test_takeover_spares_a_session_that_only_has_the_same_number() -> None:
    job = new_job()
    pids: list[int] = []
    proceed = threading.Event()
    alive: list[int] = []

    def bystander() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pids.append(cursor.fetchone()[0])
                proceed.wait(20)
                cursor.execute("SELECT 42")
                alive.append(cursor.fetchone()[0])
        finally:
            connection.close()

    thread = threading.Thread(target=bystander)
    thread.start()
    while not pids and thread.is_alive():
        thread.join(0.01)
    claimed(job)
    Job.objects.filter(pk=job.pk).update(backend_pid=pids[0])  # whose start time is another
    let_lease_expire(job)
    claimed(job)
    proceed.set()
    thread.join(20)

    assert alive == [42]


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 2), (1, 4), (3, 16), (7, 256), (8, 300)])
def test_failed_attempt_is_repeated_after_a_growing_pause(attempts: int, seconds: int, settings: Any) -> None:
    settings.JOB_RETRY_BASE_SECONDS = 2
    job = new_job(attempts=attempts)
    before = timezone.now()

    claiming.fail(claimed(job), error="The server is away")

    job.refresh_from_db()
    pause = (job.run_after - before).total_seconds()
    assert (job.state, job.error, job.hinted_at) == ("queued", "The server is away", None)
    assert 0.8 * seconds <= pause < seconds + 5
    assert claiming.claim(job_id=job.pk) is None


def test_jobs_that_failed_together_do_not_come_back_together(settings: Any) -> None:
    settings.JOB_RETRY_BASE_SECONDS = 2
    jobs = [new_job(attempts=8) for _ in range(10)]

    for job in jobs:
        claiming.fail(claimed(job), error="The server is away")

    times = sorted(Job.objects.values_list("run_after", flat=True))
    assert times[-1] - times[0] > timedelta(seconds=5)


def test_last_failed_attempt_ends_as_dead_letter_and_the_handler_is_told(handler: Register) -> None:
    told: list[tuple[int, str]] = []
    handler(lambda claim: None, on_dead=lambda claim, error: told.append((claim.job.pk, error)))
    job = new_job(attempts=9)

    claiming.fail(claimed(job), error="Broken")

    job.refresh_from_db()
    assert (job.state, job.error, told) == ("dead", "Broken", [(job.pk, "Broken")])


def test_permanent_failure_is_not_repeated() -> None:
    job = new_job()

    claiming.fail(claimed(job), error="No such file", permanent=True)

    job.refresh_from_db()
    assert (job.state, job.attempts, job.error) == ("dead", 1, "No such file")


def test_job_is_not_buried_when_its_handler_cannot_be_told(handler: Register) -> None:
    def broken(claim: Claim, error: str) -> None:
        raise OperationalError

    handler(lambda claim: None, on_dead=broken)
    job = new_job(attempts=9)

    with pytest.raises(OperationalError):
        claiming.fail(claimed(job), error="Broken")

    job.refresh_from_db()
    assert job.state == "running"


def test_job_whose_payload_its_handler_does_not_understand_is_buried_and_says_so(handler: Register) -> None:
    def confused(claim: Claim, error: str) -> None:
        new_job(title="half of it")
        claim.payload["run"]

    handler(lambda claim: None, on_dead=confused)
    job = new_job(attempts=9)

    claiming.fail(claimed(job), error="Broken")

    job.refresh_from_db()
    assert (job.state, job.error) == ("dead", "Broken\nWhat it works for could not be told: KeyError: 'run'")
    assert Job.objects.count() == 1


def test_job_of_a_kind_that_nobody_knows_any_more_can_be_buried() -> None:
    job = new_job(kind="tests.gone")

    claiming.bury(claimed(job), error="Nobody knows it")

    job.refresh_from_db()
    assert job.state == "dead"


def test_cancelling_spares_running_jobs_and_other_subjects() -> None:
    running, waiting, other = new_job(), new_job(), new_job(subject="test/2")
    claimed(running)

    assert claiming.cancel_waiting(subject="test/1") == 1

    states = {job.pk: job.state for job in Job.objects.all()}
    assert states == {running.pk: "running", waiting.pk: "cancelled", other.pk: "queued"}


def test_progress_is_a_share_of_the_total() -> None:
    job = new_job()
    claim = claimed(job)
    assert job.percent is None

    claiming.record_progress(claim, current=1, total=3)

    job.refresh_from_db()
    assert (job.progress_current, job.progress_total, job.percent) == (1, 3, 33)
