"""Create jobs and send their hints. The one place that publishes to the broker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from celery import current_app
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from tasks.models import Job
from tasks.registry import handler_for

log = structlog.get_logger(__name__)

FIRST = 10  # the priority of jobs that go before all others of their queue


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is to be done: `subject` is the thing it works for (`import/12`), `title` what a person reads."""

    kind: str
    subject: str
    title: str
    payload: dict[str, Any] = field(default_factory=dict)
    delay: timedelta = timedelta(0)
    held: bool = False  # no worker takes it before `release`


def create(jobs: Iterable[NewJob]) -> list[Job]:
    """Store the jobs and, once the surrounding transaction commits, send one hint each.

    Never raises for a dead broker: the rows are safe and the sweeper sends the hints later.
    """
    jobs = list(jobs)
    rows = [
        Job(
            kind=job.kind,
            subject=job.subject,
            title=job.title[:200],
            queue=(handler := handler_for(job.kind)).queue,
            max_attempts=handler.max_attempts,
            payload=job.payload,
            state=Job.State.HELD if job.held else Job.State.QUEUED,
            run_after=Now() + job.delay,
            hinted_at=Now() + job.delay,
            created_at=Now(),
        )
        for job in jobs
    ]
    Job.objects.bulk_create(rows)
    # Redis would keep a delayed hint in a worker's memory; the sweeper sends it when it is due.
    _hint_on_commit([row for row, job in zip(rows, jobs, strict=True) if not (job.held or job.delay)])
    return rows


def ensure(job: NewJob) -> None:
    """See to it that a job of this kind waits that is due when this one would be; the payload does not count.

    For work that is looked up when the job begins: what was committed before this call, a job that is still
    queued will find. Call it after the commit, not in the transaction. Two callers at once may create two.
    """
    waiting = Job.objects.filter(kind=job.kind, state=Job.State.QUEUED, run_after__lte=Now() + job.delay)
    if not waiting.exists():
        create([job])


def remind(kind: str) -> bool:
    """Send one more hint for a due job of this kind; False where there is none, or the broker is dead."""
    job = Job.objects.due().filter(kind=kind).first()
    return job is not None and send_hint(job)


@transaction.atomic
def release(*, subject: str) -> int:
    """Let the held jobs of `subject` go on; returns how many. Hints go out when the transaction commits."""
    held = list(Job.objects.of(subject).filter(state=Job.State.HELD).order_by("pk").select_for_update())
    Job.objects.filter(pk__in=[job.pk for job in held]).update(
        state=Job.State.QUEUED, run_after=Now(), hinted_at=Now()
    )
    _hint_on_commit(held)
    return len(held)


@transaction.atomic
def retry(jobs: QuerySet[Job]) -> list[Job]:
    """Queue the dead letters among `jobs` again with all their attempts before them, also those that wait
    without any left, and end the pause of those that wait for their next attempt; returns which.

    Their last error stays readable until an attempt succeeds. Others are left as they are. Hints go out
    when the transaction commits, as with `create`.
    """
    pausing = Q(state=Job.State.QUEUED, attempts__gt=0, run_after__gt=Now())
    given_up = Q(state=Job.State.DEAD) | Q(state=Job.State.QUEUED, attempts__gte=F("max_attempts"))
    found = list(jobs.filter(given_up | pausing).order_by("pk").select_for_update())
    again = Job.objects.filter(pk__in=[job.pk for job in found])
    again.filter(given_up).update(
        state=Job.State.QUEUED, attempts=0, started_at=None, finished_at=None, progress_current=0
    )
    again.update(run_after=Now(), hinted_at=Now())
    _hint_on_commit(found)
    return found


@transaction.atomic
def put_first(jobs: QuerySet[Job]) -> list[Job]:
    """Have the waiting ones among `jobs` done next, the first of them first; returns which.

    Their old hints stay in the queue; whoever gets one of those finds nothing to do.
    """
    found = list(jobs.filter(state=Job.State.QUEUED).order_by("pk").select_for_update())
    Job.objects.filter(pk__in=[job.pk for job in found]).update(
        priority=FIRST, run_after=Now(), hinted_at=Now()
    )
    for job in found:
        job.priority = FIRST
    _hint_on_commit(found[::-1])  # each goes before the one that was sent before it
    return found


def put_back_in_line(jobs: QuerySet[Job]) -> list[Job]:
    """Take the unfinished ones among `jobs` out of the first row again; returns which. A hint that was sent
    already stays where it is."""
    found = list(jobs.filter(state__in=Job.UNFINISHED).exclude(priority=0).order_by("pk"))
    Job.objects.filter(pk__in=[job.pk for job in found]).update(priority=0)
    return found


def _hint_on_commit(jobs: list[Job]) -> None:
    transaction.on_commit(lambda: _send_all(jobs), robust=True)


def _send_all(jobs: list[Job]) -> None:
    for job in jobs:
        if not send_hint(job):
            break  # a dead broker costs one time-out, not one a job


def send_hint(job: Job) -> bool:
    """Tell a worker of its queue to look at the job; False when the broker could not be reached.

    Flower and the history show the title and the number, as these stand for the arguments.
    """
    try:
        current_app.send_task(
            job.kind,
            kwargs={"job_id": job.pk},
            queue=job.queue,
            kwargsrepr=f"{job.title} · job {job.pk}",
            argsrepr="",
            retry=False,
        )
        if job.priority > 0:
            _move_to_the_head(job.queue)
    except Exception as error:
        log.warning("broker unreachable, the sweeper will send the hint", job=job.pk, error=str(error))
        Job.objects.filter(pk=job.pk).update(hinted_at=None)
        return False
    return True


def _move_to_the_head(queue: str) -> None:
    """Workers take from the right of Redis' list what senders push on its left. Should another hint have come
    in between, that one is moved, and nothing is lost."""
    with current_app.connection_for_write() as broker:
        channel: Any = broker.default_channel  # Redis' channel, which has the client
        channel.client.lmove(queue, queue, "LEFT", "RIGHT")
