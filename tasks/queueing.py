"""Create jobs and send their hints. The one place that publishes to the broker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from celery import current_app
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from tasks.models import Job
from tasks.registry import handler_for

log = structlog.get_logger(__name__)


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
    hints = [
        (row.pk, row.kind, row.queue, row.title, job.delay)
        for row, job in zip(rows, jobs, strict=True)
        if not job.held
    ]
    transaction.on_commit(lambda: _send_all(hints), robust=True)
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
    return job is not None and send_hint(job_id=job.pk, kind=kind, queue=job.queue, title=job.title)


@transaction.atomic
def release(*, subject: str) -> int:
    """Let the held jobs of `subject` go on; returns how many. Hints go out when the transaction commits."""
    held = list(Job.objects.of(subject).filter(state=Job.State.HELD).order_by("pk").select_for_update())
    Job.objects.filter(pk__in=[job.pk for job in held]).update(
        state=Job.State.QUEUED, run_after=Now(), hinted_at=Now()
    )
    hints = [(job.pk, job.kind, job.queue, job.title, timedelta(0)) for job in held]
    transaction.on_commit(lambda: _send_all(hints), robust=True)
    return len(held)


@transaction.atomic
def retry(jobs: QuerySet[Job]) -> int:
    """Queue the dead letters among `jobs` again with all their attempts before them; returns how many.

    Their last error stays readable until an attempt succeeds. Others are left as they are. Hints go out
    when the transaction commits, as with `create`.
    """
    dead = list(jobs.filter(state=Job.State.DEAD).order_by("pk").select_for_update())
    Job.objects.filter(pk__in=[job.pk for job in dead]).update(
        state=Job.State.QUEUED,
        attempts=0,
        run_after=Now(),
        hinted_at=Now(),
        started_at=None,
        finished_at=None,
        progress_current=0,
    )
    hints = [(job.pk, job.kind, job.queue, job.title, timedelta(0)) for job in dead]
    transaction.on_commit(lambda: _send_all(hints), robust=True)
    return len(dead)


def _send_all(hints: list[tuple[int, str, str, str, timedelta]]) -> None:
    for pk, kind, queue, title, delay in hints:
        if delay:
            continue  # the sweeper sends it when it is due; Redis would keep it in a worker's memory
        if not send_hint(job_id=pk, kind=kind, queue=queue, title=title):
            break  # a dead broker costs one time-out, not one a job


def send_hint(*, job_id: int, kind: str, queue: str, title: str) -> bool:
    """Tell a worker of `queue` to look at the job; False when the broker could not be reached."""
    try:
        current_app.send_task(
            kind, kwargs={"job_id": job_id}, queue=queue, kwargsrepr=title, argsrepr="", retry=False
        )
    except Exception as error:
        log.warning("broker unreachable, the sweeper will send the hint", job=job_id, error=str(error))
        Job.objects.filter(pk=job_id).update(hinted_at=None)
        return False
    return True
