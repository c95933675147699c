"""How beat's entries ended, for the schedule's page: the ticks themselves leave no result."""

from __future__ import annotations

from typing import Any

import structlog
from celery import Task
from django.db import DatabaseError, connection

log = structlog.get_logger(__name__)

_NOTE = """
INSERT INTO tasks_tick AS t (name, ended_at, succeeded_at, failures, said) VALUES
    (%(name)s, statement_timestamp(), CASE WHEN %(ok)s THEN statement_timestamp() END,
     CASE WHEN %(ok)s THEN 0 ELSE 1 END, %(said)s)
ON CONFLICT (name) DO UPDATE SET
    ended_at = excluded.ended_at, succeeded_at = coalesce(excluded.succeeded_at, t.succeeded_at),
    failures = CASE WHEN %(ok)s THEN 0 ELSE t.failures + 1 END, said = excluded.said
"""


def note(task: Task, said: str, *, ok: bool) -> None:
    """Write down how this run ended, if beat sent the task. A database that is away is only logged: the next
    tick comes."""
    name = getattr(task.request, "periodic_task_name", None)
    if not name:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, {"name": name[:200], "ok": ok, "said": said[:2000]})
    except DatabaseError as error:
        log.warning("could not note how a tick ended", tick=name, error=str(error))


def in_words(returned: Any) -> str:
    """What a tick returned, as people read it.

    >>> in_words({"buried": 0, "sent": 3})
    'buried 0, sent 3'
    >>> in_words(3), in_words(0), in_words(None)
    ('3 dealt with', 'nothing to do', '')
    """
    if isinstance(returned, int):
        return f"{returned:,} dealt with" if returned else "nothing to do"
    if isinstance(returned, dict):
        return ", ".join(f"{key} {value}" for key, value in returned.items())
    return "" if returned is None else str(returned)
