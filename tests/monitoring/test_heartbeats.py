"""Heartbeats, and beat's scheduler when the clock jumps."""

from __future__ import annotations

import os
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
import redis
from celery import current_app
from django.conf import settings as running
from django.db import connection, connections
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from monitoring import backlog, heartbeats
from monitoring.heartbeats import Pulse
from monitoring.models import Heartbeat
from monitoring.scheduler import Scheduler
from tests.monitoring.conftest import a_heartbeat
from tests.tasks.conftest import broker  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def a_pulse(**options: Any) -> Pulse:
    return Pulse(
        role=Heartbeat.Role.WORKER, name="worker@here", queues=lambda: ["mail", "imports"], **options
    )


def test_beats_write_one_row_and_move_its_time_on() -> None:
    pulse = a_pulse()
    pulse.beat()
    first = Heartbeat.objects.get()

    pulse.beat()

    second = Heartbeat.objects.get()
    assert (second.name, second.queues) == ("worker@here", ["imports", "mail"])
    assert (second.started_at, second.seen_at > first.seen_at) == (first.started_at, True)


def test_process_that_does_not_do_its_work_is_silent() -> None:
    a_pulse(is_well=lambda: False).beat()

    assert Heartbeat.objects.count() == 0


def test_rows_of_processes_that_are_long_gone_go() -> None:
    a_heartbeat("worker", ago=4000)
    a_heartbeat("worker", ago=100)

    a_pulse().beat()

    assert sorted(round(one.age) for one in backlog.processes()) == [0, 100]


def test_failing_heartbeat_is_told_once_and_goes_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse = a_pulse()
    with monkeypatch.context() as patch:
        patch.setitem(connections.settings["default"], "PORT", 1)
        patch.setitem(connection.settings_dict, "PORT", 1)
        connection.close()
        for _ in range(3):
            pulse.beat()
    pulse.beat()

    said = [record.getMessage() for record in caplog.records if "heartbeat" in record.getMessage()]
    assert [("can't be written" in one, "written again" in one) for one in said] == [
        (True, False), (False, True),
    ]  # fmt: skip
    assert Heartbeat.objects.count() == 1


def test_fork_waits_until_the_thread_has_ended_its_beat() -> None:
    begun, ended = threading.Event(), threading.Event()

    def beat() -> None:
        begun.set()
        time.sleep(0.2)  # nobody can see that a fork is waiting
        ended.set()

    pulse = a_pulse(then=[beat])
    thread = threading.Thread(target=pulse.in_peace)
    thread.start()
    begun.wait()

    child = os.fork()
    if not child:
        os._exit(0 if ended.is_set() and not heartbeats._at_work.locked() else 1)
    thread.join()

    assert os.waitpid(child, 0)[1] == 0


def a_scheduler() -> Scheduler:
    """One that writes nothing when the tests are over, as beat does at its end."""
    scheduler = Scheduler(app=current_app)
    scheduler._finalize.cancel()
    return scheduler


def test_clock_that_was_set_back_does_not_put_the_schedule_off(
    broker: redis.Redis,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    a_scheduler()  # writes the entries
    PeriodicTask.objects.update(last_run_at=timezone.now() + timedelta(hours=1))
    scheduler = a_scheduler()

    for _ in range(3):
        scheduler.tick()

    entries = [one for one in scheduler.schedule.values() if one.name in running.CELERY_BEAT_SCHEDULE]
    late = [one.name for one in entries if one.is_due().next > one.schedule.run_every.total_seconds()]
    assert (len(entries), late) == (len(running.CELERY_BEAT_SCHEDULE), [])
    assert sum("the clock was set back" in record.getMessage() for record in caplog.records) == 1


def test_scheduler_knows_when_it_last_sent_something(broker: redis.Redis) -> None:  # noqa: F811
    a_scheduler()
    PeriodicTask.objects.filter(task="tasks.sweep").update(last_run_at=timezone.now() - timedelta(hours=1))
    scheduler = a_scheduler()
    assert (scheduler.is_ticking, scheduler.sent_at) == (True, None)

    scheduler.tick()

    assert scheduler.sent_at is not None
    assert broker.llen("default") == 1
