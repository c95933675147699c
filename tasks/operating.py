"""What operators do besides trying again: discard jobs, pause and resume queues. The admin calls these."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Now

from tasks import sweeping
from tasks.claiming import Claim, tell_handler
from tasks.models import Job, Queue

log = structlog.get_logger(__name__)

DISCARDABLE = (Job.State.QUEUED, Job.State.HELD, Job.State.DEAD)
_AT_ONCE = 100  # hints that the request which resumes a queue sends itself; the sweeper sends the rest


class _Taken(Exception):  # noqa: N818 - it is an outcome, not a fault
    """A worker has begun the job meanwhile."""


def alike(job: Job) -> QuerySet[Job]:
    """Dead letters of the same kind that ended with the same line of error, the job itself among them."""
    line = last_line(job.error)
    same = Q(error__endswith=line) | Q(error__endswith=f"{line}\n")  # which tracebacks end with
    return Job.objects.dead().filter(same, kind=job.kind)


def last_line(error: str) -> str:
    """What a traceback ends with: the error itself.

    >>> last_line("Traceback …\\n  File …\\nDiskFull: no space\\n")
    'DiskFull: no space'
    """
    return error.strip().rpartition("\n")[2]


def discard(jobs: QuerySet[Job], *, by: str) -> list[Job]:
    """Cancel the dead letters and the waiting ones among `jobs`, each in a transaction of its own; returns
    which. What `by`, a user's name, did stands at the end of the error.

    Whoever a waiting job works for is told as when a job is given up: an import fails then.
    """
    found = jobs.filter(state__in=DISCARDABLE).order_by("pk")
    return [job for job in list(found) if _discard(job, by=by)]


def _discard(job: Job, *, by: str) -> bool:
    said = f"Discarded by {by}."
    try:
        with transaction.atomic():
            state = Job.objects.values_list("state", flat=True).get(pk=job.pk)
            if state not in DISCARDABLE:
                return False
            if state != Job.State.DEAD and (why := tell_handler(Claim(job=job, token=uuid.uuid4()), said)):
                said = f"{said} {why}"
            # Who was told may have cancelled all that waited, this job among it.
            mine = Job.objects.filter(pk=job.pk, state__in=[*DISCARDABLE, Job.State.CANCELLED])
            error = f"{job.error.rstrip()}\n{said}".lstrip()
            if not mine.update(state=Job.State.CANCELLED, finished_at=Now(), error=error):
                raise _Taken
    except _Taken:
        return False
    log.info("job discarded", job=job.pk, kind=job.kind, by=by)
    return True


def pause(names: list[str], *, by: str) -> list[str]:
    """Have no job of these queues begun from now on; returns which were not paused yet. What is at work
    ends."""
    paused = []
    with transaction.atomic():
        Queue.objects.bulk_create([Queue(name=name) for name in names], ignore_conflicts=True)
        for queue in Queue.objects.filter(name__in=names, paused_at=None).select_for_update():
            queue.paused_at, queue.paused_by = Now(), by
            queue.save()
            paused.append(queue.name)
    if paused:
        log.warning("queues paused", queues=paused, by=by)
    return paused


def resume(names: list[str], *, by: str) -> list[str]:
    """Let jobs of these queues be begun again; returns which were paused. Workers have used up the hints
    meanwhile, so new ones go out when the transaction commits."""
    with transaction.atomic():
        paused = Queue.objects.filter(name__in=names, paused_at__isnull=False).select_for_update()
        resumed = [queue.name for queue in paused]
        Queue.objects.filter(name__in=resumed).update(paused_at=None, paused_by="")
        transaction.on_commit(lambda: _hint(resumed), robust=True)
    if resumed:
        log.info("queues resumed", queues=resumed, by=by)
    return resumed


def _hint(names: list[str]) -> None:
    for name in names:
        sweeping.send_missing(name, patience=0, at_most=_AT_ONCE)


def ensure_queues(*, apps: Any = None, **_: object) -> None:
    """Make the rows of the settings' queues that are missing; after every migration that leaves the table
    there."""
    if apps is not None and "queue" not in apps.all_models["tasks"]:
        return
    Queue.objects.bulk_create(
        [Queue(name=queue.name) for queue in settings.CELERY_TASK_QUEUES], ignore_conflicts=True
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """What stands in one queue; `oldest` is since when the job has been due that has waited longest."""

    waiting: int = 0
    later: int = 0
    held: int = 0
    running: int = 0
    dead: int = 0
    oldest: datetime | None = None


def figures() -> dict[str, Figures]:
    """By queue: its jobs that are not done, counted in one query. Queues without any are left out."""
    due = Q(state=Job.State.QUEUED, run_after__lte=Now())
    found = (
        Job.objects.filter(state__in=[*Job.UNFINISHED, Job.State.DEAD])
        .order_by()
        .values("queue")
        .annotate(
            waiting=Count("pk", filter=due),
            later=Count("pk", filter=Q(state=Job.State.QUEUED) & ~due),
            held=Count("pk", filter=Q(state=Job.State.HELD)),
            running=Count("pk", filter=Q(state=Job.State.RUNNING)),
            dead=Count("pk", filter=Q(state=Job.State.DEAD)),
            oldest=Min("run_after", filter=due),
        )
        .values_list("queue", "waiting", "later", "held", "running", "dead", "oldest")
    )
    return {queue: Figures(*counted) for queue, *counted in found}
