"""What operators do to jobs and queues: first in line, discarded, paused and resumed."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
import redis
from celery import current_app
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tasks import operating, queueing
from tasks.claiming import Claim, claim
from tasks.models import Job, Queue, Tick
from tasks.sweeping import sweep
from tests.tasks.conftest import KIND, Register, let_lease_expire, new_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("handler")]


def next_hint(broker: redis.Redis, queue: str = "default") -> int:
    """The job that the hint names which a worker gets next."""
    message = json.loads(broker.rpop(queue) or b"")
    return int(json.loads(base64.b64decode(message["body"]))[1]["job_id"])


def test_paused_queue_lets_no_job_begin_and_another_does(broker: redis.Redis, handler: Register) -> None:
    job = new_job()
    handler(lambda claim: None, queue="mail")
    other = new_job()

    assert operating.pause(["default"], by="boss") == ["default"]

    assert (claim(job_id=job.pk), claim(job_id=other.pk) is None) == (None, False)
    assert (Job.objects.get(pk=job.pk).attempts, Queue.objects.get(pk="default").paused_by) == (0, "boss")
    assert operating.pause(["default"], by="other") == []


def test_pause_costs_the_claim_no_query() -> None:
    first, second = new_job(), new_job()
    taken = []
    for job in (first, second):
        with CaptureQueriesContext(connection) as captured:
            claim(job_id=job.pk)
        taken.append(len(captured))
        operating.pause(["mail"], by="boss")

    assert taken == [3, 3]


def test_job_at_work_ends_in_a_paused_queue_and_a_lost_one_waits(broker: redis.Redis) -> None:
    job = new_job()
    assert claim(job_id=job.pk)
    operating.pause(["default"], by="boss")
    broker.flushdb()
    let_lease_expire(job)

    assert (claim(job_id=job.pk), sweep()) == (None, {"buried": 0, "sent": 0})

    operating.resume(["default"], by="boss")
    assert (broker.llen("default"), claim(job_id=job.pk) is None) == (1, False)


def test_sweeper_sends_nothing_to_a_paused_queue_and_resuming_sends_at_once(broker: redis.Redis) -> None:
    jobs = [new_job() for _ in range(3)]
    operating.pause(["default"], by="boss")
    broker.flushdb()  # workers have looked, and found nothing to do
    Job.objects.update(hinted_at=None)

    assert (sweep()["sent"], broker.llen("default")) == (0, 0)
    assert operating.resume(["default", "mail"], by="boss") == ["default"]
    assert [next_hint(broker) for _ in jobs] == [job.pk for job in jobs]
    assert operating.resume(["default"], by="boss") == []


def test_jobs_put_first_are_hinted_before_all_that_wait(broker: redis.Redis) -> None:
    jobs = [new_job() for _ in range(5)]
    paused = new_job(run_after=timezone.now() + timedelta(minutes=5))

    found = queueing.put_first(Job.objects.filter(pk__in=[jobs[3].pk, jobs[4].pk, paused.pk]))

    assert found == [jobs[3], jobs[4], paused]
    assert [next_hint(broker) for _ in range(4)] == [jobs[3].pk, jobs[4].pk, paused.pk, jobs[0].pk]
    assert Job.objects.due().filter(pk=paused.pk).exists()


def test_lost_hints_of_first_jobs_go_to_the_head_when_they_are_sent_again(broker: redis.Redis) -> None:
    [new_job() for _ in range(3)]
    first = new_job(priority=queueing.FIRST, hinted_at=None)
    broker.rpop("default")

    assert (sweep()["sent"], next_hint(broker)) == (1, first.pk)


def test_only_waiting_jobs_are_put_first_and_taken_back() -> None:
    running, waiting = new_job(), new_job()
    claim(job_id=running.pk)

    assert queueing.put_first(Job.objects.all()) == [waiting]
    assert queueing.put_back_in_line(Job.objects.all()) == [waiting]
    assert set(Job.objects.values_list("priority", flat=True)) == {0}


def test_pause_between_attempts_is_ended_by_trying_again(broker: redis.Redis) -> None:
    later = timezone.now() + timedelta(minutes=5)
    pausing, delayed = new_job(run_after=later, attempts=2), new_job(run_after=later)

    assert queueing.retry(Job.objects.all()) == [pausing]

    assert (list(Job.objects.due()), Job.objects.get(pk=pausing.pk).attempts) == ([pausing], 2)
    assert Job.objects.get(pk=delayed.pk).run_after == later


def test_waiting_job_that_has_no_attempts_left_gets_them_all_again() -> None:
    stuck = new_job(attempts=10)
    assert claim(job_id=stuck.pk) is None

    assert queueing.retry(Job.objects.all()) == [stuck]
    assert claim(job_id=stuck.pk) is not None


def test_dead_letters_are_alike_by_kind_and_last_line() -> None:
    ended = {"state": "dead", "finished_at": timezone.now()}
    ends = ("", "\n")
    like = [new_job(error=f"Traceback\nDiskFull: 100% of <x>{end}", **ended) for end in ends]
    new_job(error="Traceback\nOther", **ended)
    new_job(error="Traceback\nDiskFull: 100% of <x>", kind="tests.other", **ended)
    new_job(error="DiskFull: 100% of <x>")

    for job in like:
        assert set(operating.alike(job)) == set(like)


def test_discarded_jobs_are_cancelled_and_whom_they_work_for_is_told_once(handler: Register) -> None:
    told: list[str] = []
    handler(lambda claim: None, on_dead=lambda claim, error: told.append(f"{claim.job.pk}: {error}"))
    running, waiting, held = new_job(), new_job(error="Later"), new_job(state="held")
    dead = new_job(state="dead", finished_at=timezone.now(), error="Disk full")
    claim(job_id=running.pk)

    assert operating.discard(Job.objects.all(), by="boss") == [waiting, held, dead]

    assert told == [f"{waiting.pk}: Discarded by boss.", f"{held.pk}: Discarded by boss."]
    assert dict(Job.objects.values_list("pk", "state")) == {
        running.pk: "running", waiting.pk: "cancelled", held.pk: "cancelled", dead.pk: "cancelled",
    }  # fmt: skip
    assert Job.objects.get(pk=dead.pk).error == "Disk full\nDiscarded by boss."


def test_discarding_survives_that_who_is_told_cancels_the_rest(handler: Register) -> None:
    told: list[int] = []

    def cancel_all(claim: Claim, error: str) -> None:
        told.append(claim.job.pk)
        Job.objects.filter(state="queued").update(state="cancelled", finished_at=timezone.now())

    handler(lambda claim: None, on_dead=cancel_all)
    first, _ = new_job(), new_job()

    assert operating.discard(Job.objects.all(), by="boss") == [first]
    assert (told, set(Job.objects.values_list("state", flat=True))) == ([first.pk], {"cancelled"})


def test_job_that_a_worker_takes_meanwhile_is_not_discarded_and_nobody_was_told(handler: Register) -> None:
    def taken_meanwhile(at: Claim, error: str) -> None:
        Queue.objects.create(name="told")  # undone with the rest
        assert claim(job_id=at.job.pk)

    handler(lambda claim: None, on_dead=taken_meanwhile)
    new_job()

    assert operating.discard(Job.objects.all(), by="boss") == []
    assert not Queue.objects.filter(name="told").exists()


def test_figures_count_by_queue(handler: Register) -> None:
    oldest = timezone.now() - timedelta(minutes=3)
    new_job(run_after=oldest)
    new_job()
    new_job(run_after=timezone.now() + timedelta(minutes=1))
    new_job(state="held")
    new_job(state="dead", finished_at=timezone.now())
    new_job(state="done", finished_at=timezone.now())
    handler(lambda claim: None, queue="mail")
    claim(job_id=new_job().pk)

    assert operating.figures() == {
        "default": operating.Figures(waiting=2, later=1, held=1, running=0, dead=1, oldest=oldest),
        "mail": operating.Figures(running=1),
    }


def test_every_queue_of_the_settings_has_its_row(settings: Any) -> None:
    Queue.objects.all().delete()
    operating.ensure_queues(apps=apps)
    operating.ensure_queues(apps=apps)

    assert {queue.name for queue in Queue.objects.all()} == {q.name for q in settings.CELERY_TASK_QUEUES}


def test_how_a_tick_ended_is_noted_when_beat_sent_it() -> None:
    task = current_app.tasks[KIND]

    def ended(*, error: Exception | None = None, **request: Any) -> Tick | None:
        task.push_request(**request)
        if error:
            task.on_failure(error, "1", [], {}, None)
        else:
            task.on_success({"buried": 0, "sent": 3}, "1", [], {})
        task.pop_request()
        return Tick.objects.first()

    assert ended() is None
    first = ended(periodic_task_name="sweeping")
    assert first
    assert (first.name, first.said, first.failures) == ("sweeping", "buried 0, sent 3", 0)
    assert first.ended_at == first.succeeded_at

    ended(error=OSError("no luck"), periodic_task_name="sweeping")
    failed = ended(error=OSError("no luck"), periodic_task_name="sweeping")
    assert failed
    assert (failed.failures, failed.said) == (2, "OSError: no luck")
    assert failed.succeeded_at == first.succeeded_at < failed.ended_at
    again = ended(periodic_task_name="sweeping")
    assert again
    assert again.failures == 0
