"""Jobs are rows; hints go to the broker when the row is committed, and a dead broker costs nothing."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from config.embedded import Servers
from tasks import registry
from tasks.claiming import claim, hold_waiting
from tasks.models import Job
from tasks.queueing import NewJob, create, ensure, release, retry
from tests.tasks.conftest import KIND, Register, new_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("handler")]

QUEUES = [queue.name for queue in settings.CELERY_TASK_QUEUES]


def lengths(broker: redis.Redis) -> dict[str, int]:
    """Messages in each queue that has any."""
    return {name: length for name in QUEUES if (length := int(broker.llen(name)))}


def test_hint_is_sent_when_the_transaction_commits(broker: redis.Redis) -> None:
    with transaction.atomic():
        new_job()
        assert lengths(broker) == {}

    assert lengths(broker) == {"default": 1}


def test_job_and_hint_vanish_with_their_transaction(broker: redis.Redis) -> None:
    with transaction.atomic():
        new_job()
        transaction.set_rollback(True)

    assert (lengths(broker), Job.objects.count()) == ({}, 0)


@pytest.mark.parametrize("queue", QUEUES)
def test_hint_lands_in_its_own_queue_only(queue: str, broker: redis.Redis, handler: Register) -> None:
    handler(lambda claim: None, queue=queue)

    assert (new_job().queue, lengths(broker)) == (queue, {queue: 1})


def test_hint_says_only_which_job_as_json(broker: redis.Redis) -> None:
    job = new_job()

    message = json.loads(broker.lrange("default", 0, 0)[0])
    assert (message["content-type"], message["headers"]["task"]) == ("application/json", KIND)
    assert message["headers"]["kwargsrepr"] == f"Test · job {job.pk}"
    args, kwargs, _ = json.loads(base64.b64decode(message["body"]))
    assert (args, kwargs) == ([], {"job_id": job.pk})


def test_only_json_is_accepted() -> None:
    assert (list(current_app.conf.accept_content), current_app.conf.task_serializer) == (["json"], "json")


def test_delayed_job_sends_no_hint_yet(broker: redis.Redis) -> None:
    (job,) = create([NewJob(kind=KIND, subject="test/1", title="Later", delay=timedelta(minutes=5))])

    job.refresh_from_db()
    assert lengths(broker) == {}
    assert timedelta(minutes=4) < job.run_after - timezone.now() <= timedelta(minutes=5)


def test_job_of_an_unknown_kind_is_not_created() -> None:
    with pytest.raises(LookupError, match=r"No handler for jobs of kind 'tests\.unknown'"):
        create([NewJob(kind="tests.unknown", subject="", title="")])

    assert Job.objects.count() == 0


def test_dead_broker_costs_a_job_only_its_hint(broker: redis.Redis, servers: Servers) -> None:
    servers.kill_valkey()
    try:
        first, _ = create(NewJob(kind=KIND, subject="test/1", title=name) for name in "ab")
        first.refresh_from_db()
        assert (first.state, first.hinted_at, Job.objects.count()) == ("queued", None, 2)
    finally:
        servers.start_valkey()


def test_dead_letters_can_be_tried_again_with_all_their_attempts(broker: redis.Redis) -> None:
    dead = new_job(state="dead", finished_at=timezone.now(), attempts=10, error="Broken")
    done = new_job(state="done", finished_at=timezone.now(), attempts=1)
    broker.flushdb()

    assert retry(Job.objects.all()) == [dead]

    dead.refresh_from_db()
    done.refresh_from_db()
    assert (dead.state, dead.attempts, dead.error, dead.finished_at) == ("queued", 0, "Broken", None)
    assert (done.state, lengths(broker)) == ("done", {"default": 1})


def test_every_kind_of_job_has_a_queue_and_a_task_of_its_name() -> None:
    for kind in registry.kinds():
        task = current_app.tasks[kind]
        assert (kind, task.queue in QUEUES, task.queue) == (kind, True, registry.handler_for(kind).queue)


def test_held_job_waits_for_its_release(broker: redis.Redis) -> None:
    [job] = create([NewJob(kind=KIND, subject="thing/1", title="Test", held=True)])

    assert (lengths(broker), claim(job_id=job.pk)) == ({}, None)
    assert release(subject="thing/1") == 1
    assert lengths(broker) == {"default": 1}
    assert claim(job_id=job.pk) is not None


def test_waiting_jobs_of_a_subject_are_held_and_others_are_not() -> None:
    mine, other = create([NewJob(KIND, "thing/1", "Mine"), NewJob(KIND, "thing/2", "Other")])

    assert hold_waiting(subject="thing/1") == 1
    assert (claim(job_id=mine.pk), claim(job_id=other.pk) is None) == (None, False)


def test_job_that_is_ensured_is_made_unless_one_waits_that_is_due_as_early() -> None:
    def ensured(seconds: int) -> int:
        ensure(NewJob(kind=KIND, subject="", title="Look", delay=timedelta(seconds=seconds)))
        return Job.objects.count()

    assert [ensured(60), ensured(90), ensured(0), ensured(0), ensured(60)] == [1, 1, 2, 2, 2]
    claim(job_id=Job.objects.due().get().pk)  # it may have looked already
    assert ensured(0) == 3
