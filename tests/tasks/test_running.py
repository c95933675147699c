"""A Celery task looks at one job: does it, records how it ended, keeps its lease alive meanwhile."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest
from celery import current_app, states
from celery.result import EagerResult
from django.db import connection, transaction

from shop.models import Category
from tasks import claiming
from tasks.base import OutOfMemory
from tasks.claiming import Claim, JobFailed
from tasks.models import Job
from tests.tasks.conftest import KIND, Register, let_lease_expire, new_job

pytestmark = pytest.mark.django_db(transaction=True)


def deliver(job: Job) -> EagerResult:
    """As if a hint for the job had reached a worker."""
    result: EagerResult = current_app.tasks[KIND].apply(kwargs={"job_id": job.pk})
    job.refresh_from_db()
    return result


def make_a_category(claim: Claim) -> None:
    with transaction.atomic():
        Category.objects.create(name=f"Attempt {claim.job.attempts}")
        claiming.complete(claim)


def test_job_is_done_once_however_often_it_is_delivered(handler: Register) -> None:
    handler(make_a_category)
    job = new_job()

    results = [deliver(job).get() for _ in range(3)]

    assert results == ["done: Test", "nothing to do", "nothing to do"]
    assert (job.state, Category.objects.count()) == ("done", 1)


def test_failed_attempt_is_recorded_and_shown_and_leaves_no_effect(handler: Register) -> None:
    def fail(claim: Claim) -> None:
        with transaction.atomic():
            Category.objects.create(name="Never")
            raise ZeroDivisionError("no reason")

    handler(fail)
    job = new_job()

    result = deliver(job)

    assert (result.state, type(result.result)) == (states.FAILURE, ZeroDivisionError)
    assert (job.state, job.attempts, job.lease_token) == ("queued", 1, None)
    assert job.error.splitlines()[-1] == "ZeroDivisionError: no reason"
    assert Category.objects.count() == 0


@pytest.mark.parametrize(("permanent", "state"), [(False, "queued"), (True, "dead")])
def test_handler_says_whether_trying_again_helps(permanent: bool, state: str, handler: Register) -> None:
    def fail(claim: Claim) -> None:
        raise JobFailed("The file is gone. Upload it again.", permanent=permanent)

    handler(fail)
    job = new_job()

    deliver(job)

    assert (job.state, job.error) == (state, "The file is gone. Upload it again.")


def test_running_out_of_memory_spares_the_worker(handler: Register) -> None:
    def greedy(claim: Claim) -> None:
        raise MemoryError

    handler(greedy)
    job = new_job()

    result = deliver(job)

    assert (type(result.result), job.state) == (OutOfMemory, "queued")


def test_worker_that_lost_its_lease_writes_nothing(handler: Register) -> None:
    def overtaken(claim: Claim) -> None:
        let_lease_expire(claim.job)
        other = claiming.claim(job_id=claim.job.pk, worker="other")
        assert other is not None
        make_a_category(claim)

    handler(overtaken)
    job = new_job()

    assert deliver(job).get() == "lease lost"
    assert (job.state, job.worker, Category.objects.count()) == ("running", "other", 0)


def test_failure_on_a_broken_connection_is_recorded_on_a_fresh_one(handler: Register) -> None:
    def lose_connection(claim: Claim) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    handler(lose_connection)
    job = new_job()

    deliver(job)

    assert (job.state, job.attempts) == ("queued", 1)


def test_long_work_keeps_its_lease(handler: Register, settings: Any) -> None:
    settings.JOB_LEASE_SECONDS = 0.3
    extended = threading.Event()

    def long_work(claim: Claim) -> None:
        first = claim.job.lease_until
        for _ in range(500):
            claim.job.refresh_from_db()
            if claim.job.lease_until != first:
                extended.set()
                break
            threading.Event().wait(0.01)
        make_a_category(claim)

    handler(long_work)
    job = new_job()

    assert deliver(job).get() == "done: Test"
    assert extended.is_set()


def test_work_waiting_for_a_stopped_worker_ends_its_session(handler: Register, settings: Any) -> None:
    """Whoever could take the stopped one's job over may itself wait for its locks."""
    settings.JOB_LEASE_SECONDS = 0.3
    lost, shelf = new_job(), Category.objects.create(name="Shelf")
    with psycopg.connect(**connection.get_connection_params()) as stopped:
        _hold(stopped, lost, shelf)
        let_lease_expire(lost)

        def waiting(claim: Claim) -> None:
            with transaction.atomic():
                Category.objects.filter(pk=shelf.pk).update(name="Waited")
                claiming.complete(claim)

        handler(waiting)
        assert deliver(new_job()).get() == "done: Test"
        with pytest.raises(psycopg.OperationalError):
            stopped.execute("SELECT 1")
    assert list(Category.objects.values_list("name", flat=True)) == ["Waited"]


def _hold(session: psycopg.Connection[Any], job: Job, shelf: Category) -> None:
    """As a worker that was stopped in the job's transaction, with a lock on the shelf."""
    session.execute("UPDATE shop_category SET name = 'Stopped' WHERE id = %s", [shelf.pk])
    backend = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = %s"
    claiming.claim(job_id=job.pk, worker="stopped")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE tasks_job SET (backend_pid, backend_start) = ({backend}) WHERE id = %s",
            [session.info.backend_pid, job.pk],
        )


def test_progress_is_reported_between_transactions_only(handler: Register) -> None:
    seen: list[tuple[int, int]] = []

    def reporting(claim: Claim) -> None:
        deadline = time.monotonic() + 10
        while not claim.job.progress_current and time.monotonic() < deadline:  # the first ones are too soon
            with transaction.atomic():
                claim.report(1, 10)
            claim.report(5, 10)
            claim.report(6, 10)  # too soon after the last
            claim.job.refresh_from_db()
        seen.append((claim.job.progress_current, claim.job.progress_total))
        make_a_category(claim)

    handler(reporting)

    deliver(new_job())

    assert seen == [(5, 10)]


def test_job_of_an_unknown_kind_is_no_harm_to_the_worker(handler: Register) -> None:
    job = new_job()
    Job.objects.filter(pk=job.pk).update(kind="tests.newer")

    result = deliver(job)

    assert (type(result.result), job.state) == (LookupError, "queued")
    assert job.error.endswith("No handler for jobs of kind 'tests.newer'; is this worker an older release?\n")
