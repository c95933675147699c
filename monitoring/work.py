"""Checks of the work: queues, workers, beat, jobs that failed and jobs that nobody can do."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from monitoring import backlog
from monitoring.health import Check, Finding, register
from monitoring.models import Heartbeat
from tasks.models import Job

_FEW = 5  # failures: a share of fewer says nothing


def connect() -> None:
    """Register the checks; called once, when Django is ready."""
    register(Check("queues", queues, "jobs-that-wait"))
    register(Check("workers", workers, "no-worker-on-a-queue"))
    register(Check("beat", beat, "beat-is-silent"))
    register(Check("jobs", jobs, "poisoned-job"))
    register(Check("dead letters", dead_letters, "dead-letters", is_for_readiness=False))
    register(Check("failures", failures, "many-failures", is_for_readiness=False))


def queues() -> Iterator[Finding]:
    """For how long the oldest job that could begin has waited, queue by queue."""
    remedy = (
        "See in the admin's jobs what runs before it. Nothing? Then its worker stands still: restart it."
        " Much? Then add workers."
    )
    for one in backlog.backlogs():
        oldest = f", the oldest for {one.oldest:,.0f} s" if one.due else ""
        figure = f"{one.due:,} due{oldest}; {one.running:,} running"
        yield Finding(f"queue {one.queue}", one.oldest <= settings.ALERT_OLDEST_JOB_SECONDS, figure, remedy)


def workers() -> Iterator[Finding]:
    """How many workers serve each queue."""
    alive = [one for one in backlog.processes() if one.role == Heartbeat.Role.WORKER and one.is_alive]
    for queue in backlog.queues():
        serving = [one for one in alive if queue in one.queues]
        figure = "no worker"
        if serving:
            how_many = "1 worker" if len(serving) == 1 else f"{len(serving)} workers"
            figure = f"{how_many}, heard of {min(max(0.0, one.age) for one in serving):.0f} s ago"
        remedy = "Start a worker that has it among its --queues, or restart the one that is gone."
        yield Finding(f"worker {queue}", bool(serving), figure, remedy)


def beat() -> Iterator[Finding]:
    """When beat last ticked, and sent something."""
    remedy = "Start beat, one for all: celery -A config beat. If it runs, its log says why it does nothing."
    beats = [one for one in backlog.processes() if one.role == Heartbeat.Role.BEAT]
    if not beats:
        yield Finding("beat", False, "not heard of within the last hour", remedy)
        return
    best = min(beats, key=lambda one: (not one.is_alive, one.idle))
    silent = 4 * settings.JOB_SWEEP_SECONDS + settings.HEARTBEAT_PATIENCE_SECONDS
    figure = (
        f"last tick {max(0.0, best.age):,.0f} s ago, last sent something {max(0.0, best.idle):,.0f} s ago"
    )
    yield Finding("beat", best.is_alive and best.idle <= silent, figure, remedy)


def jobs() -> Iterator[Finding]:
    """Jobs that no worker can ever do: changed by hand, of another release, or from a clock that jumped."""
    found = backlog.impossible()
    figure = ", ".join(f"{count:,} {what}" for what, count in found) or "none that nobody can do"
    remedy = (
        "Of another release: update every process to the same one. From the future: mend the clock."
        " Otherwise discard it on the jobs page."
    )
    yield Finding("jobs", not found, figure, remedy)


def dead_letters() -> Iterator[Finding]:
    """Jobs that were given up."""
    count = Job.objects.filter(state=Job.State.DEAD).order_by().count()
    figure = f"{count:,} given up" if count else "none"
    remedy = "Read the error of each on the jobs page, mend what it says, and try it again."
    yield Finding("dead letters", count <= settings.ALERT_DEAD_LETTERS, figure, remedy)


def failures() -> Iterator[Finding]:
    """The share of jobs whose attempts fail, of those that ended or failed in the last ten minutes."""
    ended = backlog.ended()
    bad = backlog.failing() + sum(one.count for one in ended if one.state == Job.State.DEAD)
    good = sum(one.count for one in ended if one.state == Job.State.DONE)
    percent = 100 * bad / (bad + good) if bad else 0.0
    remedy = (
        "See on the jobs page what their errors have in common: a server that is away, a disk, a release."
    )
    figure = f"{bad:,} of {bad + good:,} in ten minutes, {percent:.0f} %"
    is_well = bad < _FEW or percent <= settings.ALERT_FAILURE_PERCENT
    yield Finding("failures", is_well, figure, remedy)
