"""The sweeper makes lost messages and killed workers harmless, and never sends more than is missing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone

from config.embedded import Servers
from tasks import claiming
from tasks.claiming import Claim
from tasks.models import Job
from tasks.sweeping import purge, sweep
from tests.tasks.conftest import Register, let_lease_expire, new_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("handler")]

NOTHING = {"buried": 0, "sent": 0}


def old_job(**changes: Any) -> Job:
    """A job that was hinted at longer ago than the sweeper's patience."""
    return new_job(hinted_at=F("hinted_at") - timedelta(minutes=1), **changes)


def test_lost_hint_is_sent_again_once(broker: redis.Redis) -> None:
    old_job()
    broker.flushdb()

    assert (sweep(), broker.llen("default")) == ({"buried": 0, "sent": 1}, 1)
    assert (sweep(), broker.llen("default")) == (NOTHING, 1)


def test_hint_that_still_waits_in_its_queue_is_not_sent_again(broker: redis.Redis) -> None:
    for _ in range(3):
        old_job()

    assert (sweep(), broker.llen("default")) == (NOTHING, 3)


def test_only_as_many_hints_are_sent_as_the_queue_is_short_of(broker: redis.Redis) -> None:
    for _ in range(5):
        old_job()
    broker.lpop("default", 2)

    assert (sweep(), broker.llen("default")) == ({"buried": 0, "sent": 2}, 5)


def test_hint_sent_just_now_may_be_on_its_way_to_a_worker(broker: redis.Redis) -> None:
    new_job()
    broker.flushdb()

    assert sweep() == NOTHING


@pytest.mark.parametrize("state", ["done", "dead", "cancelled"])
def test_ended_job_is_left_alone(state: str, broker: redis.Redis) -> None:
    old_job(state=state, finished_at=timezone.now())
    broker.flushdb()

    assert sweep() == NOTHING


def test_kind_that_nobody_knows_gets_no_hint_and_one_line_in_the_log(
    broker: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    old_job(kind="tests.unknown")
    broker.flushdb()

    assert [sweep(), sweep(), broker.llen("default")] == [NOTHING, NOTHING, 0]
    assert [record.getMessage().count("tests.unknown") for record in caplog.records] == [1]


def test_job_before_its_time_is_left_alone(broker: redis.Redis) -> None:
    old_job(run_after=timezone.now() + timedelta(minutes=1))
    broker.flushdb()

    assert sweep() == NOTHING


def test_failed_job_is_sent_when_its_pause_is_over(broker: redis.Redis) -> None:
    job = new_job()
    claim = claiming.claim(job_id=job.pk)
    assert claim is not None
    claiming.fail(claim, error="Broken")
    broker.flushdb()
    assert sweep() == NOTHING

    Job.objects.filter(pk=job.pk).update(run_after=timezone.now())

    assert sweep() == {"buried": 0, "sent": 1}


def test_job_of_a_silent_worker_is_sent_once(broker: redis.Redis) -> None:
    job = new_job()
    claiming.claim(job_id=job.pk)
    broker.flushdb()
    assert sweep() == NOTHING
    let_lease_expire(job)

    assert (sweep(), broker.llen("default")) == ({"buried": 0, "sent": 1}, 1)
    assert (sweep(), broker.llen("default")) == (NOTHING, 1)
    assert claiming.claim(job_id=job.pk) is not None


def test_job_whose_lease_ran_out_sooner_than_patience_is_sent_at_once(
    broker: redis.Redis, settings: Any
) -> None:
    settings.JOB_LEASE_SECONDS, settings.JOB_HINT_PATIENCE_SECONDS = 0, 3600
    job = new_job()
    claiming.claim(job_id=job.pk)
    broker.flushdb()

    assert (sweep(), sweep()) == ({"buried": 0, "sent": 1}, NOTHING)


def test_job_whose_last_worker_vanished_is_buried_and_its_handler_told(
    broker: redis.Redis, handler: Register
) -> None:
    told: list[str] = []
    handler(lambda claim: None, on_dead=lambda claim, error: told.append(error))
    job = new_job(attempts=9)
    claiming.claim(job_id=job.pk, worker="one@host")
    let_lease_expire(job)

    assert sweep() == {"buried": 1, "sent": 0}

    job.refresh_from_db()
    message = "Gave up after 10 attempts; in the last one one@host vanished."
    assert (job.state, job.error, told) == ("dead", message, [message])


def test_job_that_cannot_be_given_up_keeps_the_sweeper_from_no_other(
    broker: redis.Redis, handler: Register
) -> None:
    def away(claim: Claim, error: str) -> None:
        raise OperationalError

    handler(lambda claim: None, on_dead=away)
    stuck, lost = new_job(attempts=9), old_job()
    claiming.claim(job_id=stuck.pk)
    let_lease_expire(stuck)
    broker.flushdb()

    assert sweep() == {"buried": 0, "sent": 2}
    assert Job.objects.filter(pk=lost.pk, hinted_at__gt=lost.hinted_at).exists()


def test_each_queue_is_looked_at_by_itself(broker: redis.Redis, handler: Register) -> None:
    for _ in range(3):
        old_job()
    handler(lambda claim: None, queue="mail")
    old_job()
    broker.delete("mail")

    assert (sweep()["sent"], broker.llen("default"), broker.llen("mail")) == (1, 3, 1)


def test_sweeping_with_a_dead_broker_raises_nothing_and_loses_nothing(
    broker: redis.Redis, servers: Servers
) -> None:
    old_job()
    servers.kill_valkey()
    try:
        assert sweep() == NOTHING
    finally:
        servers.start_valkey()
    broker.flushdb()

    assert sweep() == {"buried": 0, "sent": 1}


def test_purge_deletes_old_finished_jobs_but_no_dead_letters(settings: Any) -> None:
    settings.JOB_RETENTION_DAYS = 30
    long_ago, lately = timezone.now() - timedelta(days=31), timezone.now() - timedelta(days=29)
    new_job(state="done", finished_at=long_ago)
    new_job(state="cancelled", finished_at=long_ago)
    kept = [
        new_job(state="dead", finished_at=long_ago),
        new_job(state="done", finished_at=lately),
        new_job(run_after=long_ago),
    ]

    assert purge() == 2
    assert set(Job.objects.all()) == set(kept)
