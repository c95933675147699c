"""Alerts reach their readers even where no worker is left to carry them: then beat or the web server does."""

from __future__ import annotations

import threading
from datetime import timedelta

import structlog
from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from monitoring.backlog import processes
from monitoring.models import Alert, Heartbeat
from tasks.models import Job

log = structlog.get_logger(__name__)

_RECENT = timedelta(minutes=10)
_kinds: set[str] = set()
_at_it = threading.Lock()


def carried_by(kind: str) -> None:
    """Jobs of this kind carry alerts to people."""
    _kinds.add(kind)


def lend_a_hand() -> bool:
    """Do the jobs that carry a recent alert and that no worker has begun, in a thread that nobody waits for;
    False when there are none. A worker that lives is left some seconds to begin them.

    For processes that do not fork. What the job's lease and fencing promise holds here as in a worker.
    """
    patience = timedelta(seconds=settings.HEARTBEAT_PATIENCE_SECONDS)  # a worker would have begun
    told = Q(raised_at__gt=Now() - _RECENT) | Q(cleared_at__gt=Now() - _RECENT)
    if not Alert.objects.filter(told).exists():
        return False
    left_alone = Q(queue__in=_served()) & Q(run_after__gte=Now() - patience)
    waiting = Job.objects.due().filter(~left_alone, kind__in=_kinds)
    jobs = list(waiting.order_by("pk").values_list("pk", "kind")[:5])
    if not jobs or not _at_it.acquire(blocking=False):
        return False
    threading.Thread(target=_do, args=[jobs], name="carries alerts", daemon=True).start()
    return True


def _served() -> set[str]:
    """Queues that a worker serves which was heard of lately."""
    workers = [one for one in processes() if one.role == Heartbeat.Role.WORKER and one.is_alive]
    return {queue for one in workers for queue in one.queues}


def _do(jobs: list[tuple[int, str]]) -> None:
    try:
        for pk, kind in jobs:
            log.warning("no worker carries this alert, so it is done here", job=pk, kind=kind)
            current_app.tasks[kind].apply(kwargs={"job_id": pk}, throw=False)
    except Exception:
        log.exception("an alert could not be carried")
    finally:
        connection.close()
        _at_it.release()
