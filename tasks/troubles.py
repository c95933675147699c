"""What keeps a job from going on, in words, with the remedy. None of it is an error of the job's own."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime

from django.conf import settings

from tasks.models import Job
from tasks.registry import knows

OVERDUE_SECONDS = 60  # a due job that nobody takes for so long is worth a look


def trouble(job: Job, *, now: datetime, paused: Set[str]) -> str:
    """What is wrong with an unfinished job; blank when nothing is. `paused`: the queues that are."""
    if job.state not in Job.UNFINISHED:
        return ""
    if job.queue not in {queue.name for queue in settings.CELERY_TASK_QUEUES}:
        return f"No worker serves a queue called “{job.queue}”. Discard the job, or give the queue a worker."
    if not knows(job.kind):
        return (
            f"No worker of this release knows jobs of the kind “{job.kind}”. Discard the job, or run the "
            "release that made it."
        )
    if job.state == Job.State.RUNNING:
        return _running(job, now=now)
    if job.queue in paused:
        return f"The queue {job.queue} is paused."
    if job.state == Job.State.QUEUED:
        return _waiting(job, now=now)
    return ""


def _running(job: Job, *, now: datetime) -> str:
    if job.lease_until is not None and job.lease_until <= now:
        return (
            f"{job.worker or 'Its worker'} has fallen silent. Another one takes the job over within seconds."
        )
    return ""


def _waiting(job: Job, *, now: datetime) -> str:
    if not job.has_attempts_left:
        return "It has no attempts left, so no worker takes it. Try it again, or discard it."
    if (now - job.run_after).total_seconds() > OVERDUE_SECONDS:
        return "It is due, and no worker has taken it yet: they are busy, or none serves its queue."
    return ""
