"""Run one job inside a Celery task: claim it, keep its lease alive, do it, record how it ended."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from tasks import claiming
from tasks.claiming import Claim, JobFailed, LeaseLost
from tasks.registry import handler_for

if TYPE_CHECKING:
    from tasks.base import BaseTask

log = structlog.get_logger(__name__)


def run(*, job_id: int, task: BaseTask) -> str:
    """Do the job if there is something to do; returns what happened, for the task history.

    Re-raises what the handler raised after the failed attempt was recorded, so that Flower and the
    history show it as well.
    """
    request = task.request
    claim = claiming.claim(job_id=job_id, worker=request.hostname or "", task_id=request.id or "")
    if claim is None:
        return "nothing to do"
    claim.report = _throttled(lambda current, total: task.report_progress(claim, current, total))
    with structlog.contextvars.bound_contextvars(job=claim.job.pk, title=claim.job.title):
        began = time.monotonic()
        try:
            with kept_alive(claim):
                handler_for(claim.job.kind).work(claim)
        except LeaseLost:
            log.info("lease lost, nothing written")
            return "lease lost"
        except Exception as error:
            _record_failure(claim, error)
            raise
        log.info("job done", kind=claim.job.kind, seconds=round(time.monotonic() - began, 3))
    return f"done: {claim.job.title}"


def _record_failure(claim: Claim, error: Exception) -> None:
    """Record the attempt, on a fresh connection when the old one is broken.

    If that fails too the lease simply runs out and the sweeper takes the job over.
    """
    permanent = isinstance(error, JobFailed) and error.permanent
    text = str(error) if isinstance(error, JobFailed) else "".join(traceback.format_exception(error))[-8000:]
    try:
        connection.close_if_unusable_or_obsolete()
        claiming.fail(claim, error=text, permanent=permanent)
    except DatabaseError:
        log.exception("could not record the failed attempt; its lease will run out")


@contextmanager
def kept_alive(claim: Claim) -> Iterator[None]:
    """Extend the lease every third of its length, from a thread with a connection of its own.

    The thread shows that this process lives: a killed or stopped one falls silent and is taken over,
    while a long COPY keeps its lease. Work that hangs is ended by the task's time limits. What this work may
    be waiting for is a lock of a stopped process; no one else may be free to end that one's session.
    """
    finished = threading.Event()

    def beat() -> None:
        try:
            while not finished.wait(settings.JOB_LEASE_SECONDS / 3):
                if not claiming.extend(claim):
                    return
                claiming.end_lost_backends()
        except DatabaseError as error:
            log.warning("could not extend the lease", error=str(error))
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"lease of job {claim.job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def _throttled(report: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """Pass on at most two reports a second: none for work that is over sooner, for they would cost more than
    they tell, and none from inside a transaction, where nobody could see them."""
    latest = time.monotonic()

    def maybe(current: int, total: int) -> None:
        nonlocal latest
        now = time.monotonic()
        if now - latest >= 0.5 and not transaction.get_connection().in_atomic_block:
            latest = now
            report(current, total)

    return maybe
