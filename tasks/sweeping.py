"""What makes lost messages and killed workers harmless: every few seconds, look at the table itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Now

from tasks import claiming
from tasks.models import Job
from tasks.queueing import send_hint
from tasks.registry import kinds, knows

log = structlog.get_logger(__name__)

AT_ONCE = 1000  # hints a sweep sends per queue at most; the next sweep sends more
_told: set[str] = set()  # the unknown kinds that the log has had


def sweep() -> dict[str, int]:
    """Send hints for due jobs whose message was lost and for jobs whose worker fell silent.

    Returns counts: `{"sent", "buried"}`. Safe to run at any time, twice, or beside another sweep.
    """
    return {"buried": _bury_exhausted(), "sent": _send_missing()}


def _bury_exhausted() -> int:
    buried = 0
    for job in Job.objects.expired():
        if not job.has_attempts_left:
            try:
                claiming.bury_exhausted(job)
                buried += 1
            except Exception:  # or one job would keep all others from being looked after
                log.exception("a job could not be given up; the next sweep tries again", job=job.pk)
    return buried


def _send_missing() -> int:
    queues = {queue for queue, _ in _known_and_unknown()}
    return sum(send_missing(queue) for queue in sorted(queues))


def _known_and_unknown() -> list[tuple[str, str]]:
    """Queue and kind of what could be taken. Kinds that this release does not know get no hint: a worker
    would only throw it away, every time; they are told of once."""
    global _told
    found = list(Job.objects.takeable().order_by().values_list("queue", "kind").distinct())
    unknown = {kind for _, kind in found if not knows(kind)}
    if unknown - _told:
        log.warning("jobs of kinds that this release does not know; discard them", kinds=sorted(unknown))
    _told = unknown
    return [(queue, kind) for queue, kind in found if kind not in unknown]


def send_missing(queue: str, *, patience: float | None = None, at_most: int = AT_ONCE) -> int:
    """Hints for jobs that a worker could take: as many as the queue in Redis is short of, oldest first.

    A long queue is no lost message: without looking at its length, every sweep would double it. `patience`:
    a hint that is older (seconds, JOB_HINT_PATIENCE_SECONDS by default) counts as lost.
    """
    seconds = settings.JOB_HINT_PATIENCE_SECONDS if patience is None else patience
    lost = Q(hinted_at__isnull=True) | Q(hinted_at__lte=Now() - timedelta(seconds=seconds))
    used = Q(state=Job.State.RUNNING, hinted_at__lte=F("lease_until"))  # by the worker that fell silent
    takeable = Job.objects.takeable().filter(queue=queue, kind__in=kinds())
    missing = min(at_most, takeable.count() - _length(queue))
    if missing <= 0:
        return 0
    return _send(list(takeable.filter(lost | used).order_by("-priority", "run_after", "id")[:missing]))


def _length(queue: str) -> int:
    """Messages waiting in `queue`; 0 when the broker can't say (then sending fails and costs nothing)."""
    try:
        with current_app.connection_for_read() as broker:
            client: Any = broker.default_channel  # Redis' channel, which has the client
            return int(client.client.llen(queue))
    except Exception as error:
        log.warning("broker unreachable", error=str(error))
        return 0


def _send(jobs: list[Job]) -> int:
    sent = []
    for job in jobs:
        if not send_hint(job):
            break
        sent.append(job.pk)
    Job.objects.filter(pk__in=sent).update(hinted_at=Now())
    if sent:
        log.info("hints sent again", jobs=len(sent))
    return len(sent)


def purge() -> int:
    """Delete jobs that ended more than `JOB_RETENTION_DAYS` ago, but never dead letters; returns how many."""
    old = Job.objects.filter(
        state__in=[Job.State.DONE, Job.State.CANCELLED],
        finished_at__lte=Now() - timedelta(days=settings.JOB_RETENTION_DAYS),
    )
    deleted, _ = old.delete()
    return deleted
