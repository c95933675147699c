"""Figures for Prometheus. What PostgreSQL knows is asked of it at each scrape, so that it is true whichever
process answers; requests are counted by the processes that answer them (counting.py).

    register(collect)        collect() gives Families; apps above add theirs in this way

Workers import this module, so it loads prometheus_client only when it is asked for figures.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import structlog
from django.conf import settings
from django.db import DatabaseError

from monitoring import backlog, health, servers
from monitoring.models import Alert, Heartbeat
from tasks.models import Job

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Family:
    """A metric: each of its samples is the values of its labels, and a number. A counter only grows."""

    name: str
    help: str
    samples: Sequence[tuple[Sequence[str], float]]
    labels: Sequence[str] = ()
    kind: Literal["gauge", "counter"] = "gauge"


type Collect = Callable[[], Iterable[Family]]

_collectors: list[Collect] = []


def register(collect: Collect) -> None:
    """Have its families among the figures; it may raise DatabaseError."""
    if collect not in _collectors:
        _collectors.append(collect)


def exposition() -> tuple[bytes, str]:
    """All figures in Prometheus' own format, and its content type. A database that is away leaves those of
    this process, and says so."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

    from monitoring import counting

    registry = CollectorRegistry()
    registry.register(_AtOnce())
    told = generate_latest(registry)
    return told + generate_latest(counting.registry()), CONTENT_TYPE_LATEST


class _AtOnce:
    """What prometheus_client calls a collector: it is asked at every scrape."""

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        families = {"gauge": GaugeMetricFamily, "counter": CounterMetricFamily}
        for family in _collected():
            metric = families[family.kind](family.name, family.help, labels=family.labels)
            for values, number in family.samples:
                metric.add_metric(list(values), number)
            yield metric


def _collected() -> list[Family]:
    found: list[Family] = []
    is_up = 1.0
    for collect in (_of_jobs, _of_processes, _of_health, *_collectors):
        try:
            found += collect()
        except DatabaseError as error:
            is_up = 0.0
            log.warning("no figures from the database", error=str(error))
    return [*found, Family("tallyman_database_up", "Whether the database gave its figures.", [((), is_up)])]


def _of_jobs() -> Iterator[Family]:
    by_queue = backlog.backlogs()
    for name, told, number in (
        ("waiting", "Jobs that wait, also for their next attempt.", lambda one: one.waiting),
        ("due", "Jobs that a worker could begin now.", lambda one: one.due),
        ("running", "Jobs that a worker is at.", lambda one: one.running),
    ):
        samples = [([one.queue], float(number(one))) for one in by_queue]
        yield Family(f"tallyman_queue_jobs_{name}", told, samples, ["queue"])
    oldest = [([one.queue], one.oldest) for one in by_queue]
    yield Family("tallyman_queue_oldest_due_seconds", "How long the oldest has been due.", oldest, ["queue"])
    dead = Job.objects.filter(state=Job.State.DEAD).order_by().count()
    yield Family("tallyman_jobs_dead", "Jobs that were given up.", [((), float(dead))])
    failing = float(backlog.failing())
    yield Family("tallyman_jobs_failing", "Jobs that failed and wait for another attempt.", [((), failing)])
    impossible = float(sum(count for _, count in backlog.impossible()))
    yield Family("tallyman_jobs_impossible", "Jobs that no worker can ever do.", [((), impossible)])
    yield from _of_endings()


def _of_endings() -> Iterator[Family]:
    ended = backlog.ended()
    labels = ["kind", "outcome"]
    for name, told, number in (
        ("jobs_ended_10m", "Jobs that ended in the last ten minutes.", lambda one: one.count),
        (
            "job_seconds_mean_10m",
            "What those took from their first attempt, on average.",
            lambda one: one.mean,
        ),
        ("job_seconds_max_10m", "… and at most.", lambda one: one.worst),
    ):
        samples = [([one.kind, one.state], float(number(one))) for one in ended]
        yield Family(f"tallyman_{name}", told, samples, labels)


def _of_processes() -> Iterator[Family]:
    processes = backlog.processes()
    workers = [one for one in processes if one.role == Heartbeat.Role.WORKER and one.is_alive]
    serving = [([queue], float(sum(queue in one.queues for one in workers))) for queue in backlog.queues()]
    yield Family("tallyman_workers", "Workers that live and serve the queue.", serving, ["queue"])
    ages = [([one.role, one.name], max(0.0, one.age)) for one in processes]
    told = "Since a process was last heard of; one that has ended stays for an hour."
    yield Family("tallyman_heartbeat_age_seconds", told, ages, ["role", "process"])
    beats = [one for one in processes if one.role == Heartbeat.Role.BEAT]
    for name, told, number in (
        ("tick", "Since beat last ticked.", lambda one: one.age),
        ("sent", "Since beat last sent a task.", lambda one: one.idle),
    ):
        latest = [((), max(0.0, min(number(one) for one in beats)))] if beats else []
        yield Family(f"tallyman_beat_{name}_age_seconds", told, latest)


def _of_health() -> Iterator[Family]:
    found = [([one.name], float(one.ok)) for one in health.findings()]
    yield Family("tallyman_check_ok", "What /readyz says of each check.", found, ["check"])
    names = Alert.objects.filter(raised_at__isnull=False, cleared_at=None).values_list(
        "check_name", flat=True
    )
    opened = set(names)
    alerts = [([name], float(name in opened)) for name in health.names()]
    yield Family("tallyman_alert_open", "Whether the built-in alert is raised.", alerts, ["check"])
    free = shutil.disk_usage(servers.existing(Path(settings.MEDIA_ROOT))).free
    yield Family(
        "tallyman_disk_free_bytes", "Room beside the files of imports and reports.", [((), float(free))]
    )
