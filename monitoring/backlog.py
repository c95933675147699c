"""What waits and runs by queue, how jobs end, and what nobody can ever do: a statement each, by index."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from tasks.models import Job
from tasks.registry import kinds

RECENT = 600  # seconds: over which endings are counted


@dataclass(frozen=True, slots=True)
class Backlog:
    """Jobs of a queue: `due` of those `waiting` could begin now, the `oldest` since so many seconds. None
    could while somebody has the queue paused."""

    queue: str
    waiting: int = 0
    due: int = 0
    oldest: float = 0.0
    running: int = 0


_BACKLOGS = """
SELECT queue, sum(waiting)::int, sum(due)::int, sum(oldest)::float8, sum(running)::int FROM (
    SELECT j.queue, count(*) AS waiting,
        count(*) FILTER (WHERE run_after <= statement_timestamp() AND q.name IS NULL) AS due,
        coalesce(greatest(0, extract(epoch FROM statement_timestamp()
            - min(run_after) FILTER (WHERE q.name IS NULL))), 0) AS oldest,
        0 AS running
    FROM tasks_job j LEFT JOIN tasks_queue q ON q.name = j.queue AND q.paused_at IS NOT NULL
    WHERE state = 'queued' GROUP BY j.queue
    UNION ALL
    SELECT queue, 0, 0, 0, count(*) FROM tasks_job
    WHERE state = 'running' AND lease_until > statement_timestamp() GROUP BY queue
) AS counted GROUP BY queue
"""


def backlogs() -> list[Backlog]:
    """Of every queue that there is, busy or not, and of any that only jobs name."""
    with connection.cursor() as cursor:
        cursor.execute(_BACKLOGS)
        found = {row[0]: Backlog(*row) for row in cursor.fetchall()}
    return [found.pop(name, Backlog(name)) for name in queues()] + list(found.values())


def queues() -> list[str]:
    """Those that workers are to serve."""
    return [queue.name for queue in settings.CELERY_TASK_QUEUES]


@dataclass(frozen=True, slots=True)
class Ended:
    """Jobs of a kind that ended lately, one way, and how many seconds they took from their first attempt."""

    kind: str
    state: str
    count: int
    mean: float
    worst: float


_ENDED = """
SELECT kind, state, count(*)::int,
    coalesce(avg(extract(epoch FROM finished_at - started_at)), 0)::float8,
    coalesce(max(extract(epoch FROM finished_at - started_at)), 0)::float8
FROM tasks_job WHERE finished_at > statement_timestamp() - make_interval(secs => %s) GROUP BY kind, state
"""


def ended() -> list[Ended]:
    """Of the last `RECENT` seconds."""
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, [RECENT])
        return [Ended(*row) for row in cursor.fetchall()]


def failing() -> int:
    """Jobs that wait for another attempt after one that failed."""
    return Job.objects.filter(state=Job.State.QUEUED, attempts__gt=0).exclude(error="").count()


_IMPOSSIBLE = """
SELECT CASE
    WHEN queue <> ALL(%(queues)s) THEN 'in a queue that does not exist'
    WHEN kind <> ALL(%(kinds)s) THEN 'of a kind that this release does not know'
    WHEN attempts >= max_attempts AND state = 'queued' THEN 'without an attempt left'
    ELSE 'from the future'
END AS what, count(*)::int FROM (
    SELECT * FROM tasks_job WHERE state = 'queued' UNION ALL SELECT * FROM tasks_job WHERE state = 'running'
) AS unfinished
WHERE queue <> ALL(%(queues)s) OR kind <> ALL(%(kinds)s) OR attempts >= max_attempts AND state = 'queued'
    OR created_at > statement_timestamp() + interval '1 minute'
    OR lease_until > statement_timestamp() + make_interval(secs => %(lease)s)
GROUP BY 1 ORDER BY 1
"""


def impossible() -> list[tuple[str, int]]:
    """Unfinished jobs that no worker of this release can ever do: what is wrong, and with how many."""
    lease = 2 * settings.JOB_LEASE_SECONDS + 60
    with connection.cursor() as cursor:
        cursor.execute(_IMPOSSIBLE, {"queues": queues(), "kinds": kinds(), "lease": lease})
        return [(what, count) for what, count in cursor.fetchall()]


_AGE = "extract(epoch FROM statement_timestamp() - {})::float8"
_PROCESSES = f"""
SELECT name, role, queues, {_AGE.format("seen_at")}, {_AGE.format("coalesce(worked_at, started_at)")}
FROM monitoring_heartbeat ORDER BY role, name
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Process:
    """One that takes part: seconds since it was last heard of, and since it last did its work."""

    name: str
    role: str
    queues: list[str]
    age: float
    idle: float

    @property
    def is_alive(self) -> bool:
        """What lies in the future was written before the database's clock was set back."""
        return abs(self.age) <= settings.HEARTBEAT_PATIENCE_SECONDS


def processes() -> list[Process]:
    """All that were heard of within the last hour."""
    with connection.cursor() as cursor:
        cursor.execute(_PROCESSES)
        return [Process(*row) for row in cursor.fetchall()]
