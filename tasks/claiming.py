"""Claim, extend, complete, fail and bury jobs. All times are the database's: workers' clocks may differ.

create (queueing.py) → claim → extend … → complete
                         ↘ fail → (later) claim … → bury
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DbError
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from tasks.models import Job

log = structlog.get_logger(__name__)


class LeaseLost(Exception):  # noqa: N818 - it is an outcome, not a fault
    """Another worker has taken the job over, or it was cancelled: nothing of ours may be written."""


class JobFailed(Exception):  # noqa: N818
    """Raised by a handler that knows why it can't go on. `permanent`: trying again would not help."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(slots=True)
class Claim:
    """A worker's right to do one job: the job and the token under which its effects may be written."""

    job: Job
    token: uuid.UUID
    report: Callable[[int, int], None] = field(default=lambda current, total: None)

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = self.job.payload
        return payload


_CLAIM = """
UPDATE tasks_job SET
    state = 'running', attempts = attempts + 1, lease_token = %(token)s,
    lease_until = statement_timestamp() + make_interval(secs => %(lease)s),
    backend_pid = pg_backend_pid(),
    backend_start = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()),
    worker = %(worker)s, task_id = %(task_id)s, started_at = coalesce(started_at, statement_timestamp())
WHERE id = %(id)s AND attempts < max_attempts
  AND (state = 'queued' AND run_after <= statement_timestamp()
    OR state = 'running' AND lease_until <= statement_timestamp())
  AND NOT EXISTS (SELECT FROM tasks_queue q WHERE q.name = tasks_job.queue AND q.paused_at IS NOT NULL)
"""

# The pid alone could by now belong to somebody else; with its start time it can't.
_END_BACKEND = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE pid = %s AND backend_start = %s AND pid <> pg_backend_pid()
"""


def claim(*, job_id: int, worker: str = "", task_id: str = "") -> Claim | None:
    """Take the job for `JOB_LEASE_SECONDS`, counting the attempt; None when there is nothing to do.

    A running job whose lease ran out is taken over: its old backend is ended first, because a stopped
    worker in the middle of a COPY keeps its locks and no timeout of PostgreSQL's fires.
    """
    job = Job.objects.expired().filter(pk=job_id).first()
    if job is not None:
        end_backend(job)
    token = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "token": token,
                "lease": settings.JOB_LEASE_SECONDS,
                "worker": worker[:120],
                "task_id": task_id,
                "id": job_id,
            },
        )
        if cursor.rowcount != 1:
            return None
    return Claim(job=Job.objects.get(pk=job_id), token=token)


def end_backend(job: Job) -> None:
    """End the PostgreSQL session that last worked on the job, if it is still there."""
    if job.backend_pid is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(_END_BACKEND, [job.backend_pid, job.backend_start])
        if cursor.rowcount:
            log.warning("ended the backend of a lost worker", job=job.pk, pid=job.backend_pid)


_END_LOST_BACKENDS = """
SELECT j.id, pg_terminate_backend(a.pid)
FROM tasks_job j JOIN pg_stat_activity a ON a.pid = j.backend_pid AND a.backend_start = j.backend_start
WHERE j.state = 'running' AND j.lease_until <= statement_timestamp()
"""


def end_lost_backends() -> None:
    """End the sessions of all jobs whose lease has run out, without waiting until they have gone.

    A stopped worker's locks can hold up every process that would otherwise take its job over.
    """
    with connection.cursor() as cursor:
        cursor.execute(_END_LOST_BACKENDS)
        if ended := [job for job, _ in cursor.fetchall()]:
            log.warning("ended the backends of lost workers", jobs=ended)


def extend(claim: Claim) -> bool:
    """Prolong the lease from now; False when it is no longer ours."""
    lease = timedelta(seconds=settings.JOB_LEASE_SECONDS)
    return bool(_mine(claim).update(lease_until=Now() + lease))


def complete(claim: Claim) -> None:
    """Record the job as done. Call it last in the transaction of its effects; raises LeaseLost."""
    if not connection.in_atomic_block:
        raise RuntimeError("complete() belongs in the transaction of the job's effects")
    if not _mine(claim).update(state=Job.State.DONE, finished_at=Now(), error="", **_NO_LEASE):
        raise LeaseLost(f"job {claim.job.pk} is no longer ours")


def fail(claim: Claim, *, error: str, permanent: bool = False) -> None:
    """Record a failed attempt: again later with growing pauses, or the dead-letter state when hopeless.

    Does nothing when the lease is no longer ours.
    """
    if permanent or not claim.job.has_attempts_left:
        bury(claim, error=error)
        return
    run_after = Now() + pause(claim.job.attempts)
    _mine(claim).update(state=Job.State.QUEUED, run_after=run_after, hinted_at=None, error=error, **_NO_LEASE)


def pause(attempts: int) -> timedelta:
    """How long to wait after so many attempts: twice as long after each, up to five minutes; up to a fifth
    less at random, so that what failed together does not come back at once."""
    longest = min(300.0, settings.JOB_RETRY_BASE_SECONDS * 2 ** (attempts - 1))
    return timedelta(seconds=longest * random.uniform(0.8, 1.0))  # noqa: S311 - no secret


def bury(claim: Claim, *, error: str) -> None:
    """Give the job up for good and tell its handler's `on_dead` in the same transaction."""
    with transaction.atomic():
        if not _mine(claim).update(state=Job.State.DEAD, finished_at=Now(), error=error, **_NO_LEASE):
            return
        if why := tell_handler(claim, error):
            error = f"{error.rstrip()}\n{why}"
            Job.objects.filter(pk=claim.job.pk).update(error=error)
    log.error("job given up", job=claim.job.pk, kind=claim.job.kind, error=error)


def tell_handler(claim: Claim, error: str) -> str:
    """Tell the kind's `on_dead` that the job is given up; returns "", or why it could not be told, with
    nothing of it written: a payload that no release understands must not keep its job alive for ever.

    Call it inside the transaction that gives the job up. Errors of the database are raised, for they pass.
    """
    from tasks.registry import handler_for, knows

    on_dead = handler_for(claim.job.kind).on_dead if knows(claim.job.kind) else None
    if on_dead is None:
        return ""
    try:
        with transaction.atomic():
            on_dead(claim, error)
    except DbError:
        raise
    except Exception as broken:
        log.exception("what the job works for could not be told", job=claim.job.pk, kind=claim.job.kind)
        return f"What it works for could not be told: {type(broken).__name__}: {broken}"
    return ""


def bury_exhausted(job: Job) -> None:
    """Give up a job whose last allowed attempt ended without a word (its worker was killed)."""
    end_backend(job)
    if job.lease_token is not None:
        worker = job.worker or "its worker"
        bury(
            Claim(job=job, token=job.lease_token),
            error=f"Gave up after {job.attempts} attempts; in the last one {worker} vanished.",
        )


def cancel_waiting(*, subject: str) -> int:
    """Cancel the jobs of `subject` that no worker has begun; returns how many. Running ones see it at the
    end of their transaction, through the domain's own state."""
    return (
        Job.objects.of(subject)
        .filter(state__in=[Job.State.QUEUED, Job.State.HELD])
        .update(state=Job.State.CANCELLED, finished_at=Now())
    )


def hold_waiting(*, subject: str) -> int:
    """Put the jobs of `subject` that no worker has begun on hold; returns how many. Running ones end their
    attempt; should it fail, the next one is not held, so handlers ask the domain's own state."""
    return Job.objects.of(subject).filter(state=Job.State.QUEUED).update(state=Job.State.HELD)


def put_back(claim: Claim) -> None:
    """Put the claimed job on hold instead of doing it; the attempt does not count. Call it in a transaction
    in which whoever lets it go waits."""
    _mine(claim).update(state=Job.State.HELD, attempts=F("attempts") - 1, **_NO_LEASE)


def abandon(claim: Claim, *, reason: str) -> None:
    """Record that the work is no longer wanted: cancelled, without an error."""
    _mine(claim).update(state=Job.State.CANCELLED, finished_at=Now(), error=reason, **_NO_LEASE)


def record_progress(claim: Claim, *, current: int, total: int) -> None:
    """Write progress to the row, outside any transaction so that it can be seen."""
    _mine(claim).update(progress_current=current, progress_total=total)


_NO_LEASE: dict[str, Any] = {
    "lease_token": None,
    "lease_until": None,
    "backend_pid": None,
    "backend_start": None,
}


def _mine(claim: Claim) -> Any:
    return Job.objects.filter(pk=claim.job.pk, state=Job.State.RUNNING, lease_token=claim.token)
