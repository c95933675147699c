"""Processes say that they live: a thread in each writes its row in PostgreSQL, and does what comes then.

Redis is not asked: a worker that can't reach it lives all the same, and who looks needs only the database.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from monitoring.models import Heartbeat

log = structlog.get_logger(__name__)

_FORGOTTEN = timedelta(hours=1)  # rows of processes that were killed go after that
# A process that forks must not do it while the thread is at work: the child would inherit what it holds.
_at_work = threading.Lock()
_FORK_PATIENCE = 5.0  # seconds; a database that hangs must not keep a worker from replacing a child


@dataclass(slots=True)
class Pulse:
    """A process's heartbeat. `name` tells it apart from all others, `queues` is asked anew at every beat.

    `worked_at`: when it last did what it is there for, None where that is not known. `is_well` False: the
    process runs, but does not do its work, and so its heart is silent. `then` is called after each beat,
    with a database connection of this thread.
    """

    role: Heartbeat.Role
    name: str
    queues: Callable[[], Sequence[str]] = lambda: ()
    worked_at: Callable[[], datetime | None] = lambda: None
    is_well: Callable[[], bool] = lambda: True
    then: Sequence[Callable[[], object]] = ()
    _is_failing: bool = False
    _is_new: bool = True

    def start(self) -> None:
        """Beat from a thread of this process until it ends."""
        threading.Thread(target=self._run, name="heartbeat", daemon=True).start()

    def _run(self) -> None:
        while True:
            self.in_peace()
            time.sleep(settings.HEARTBEAT_SECONDS)

    def in_peace(self) -> None:
        """One beat, while which this process does not fork."""
        with _at_work:
            self.beat()

    def beat(self) -> None:
        """One beat, and what comes then. Never raises: the thread must outlive whatever happens."""
        try:
            if self.is_well():
                self._write()
            for look in self.then:
                look()
        except Exception as error:
            if not self._is_failing:  # and not again every few seconds
                log.error(
                    "the heartbeat can't be written; see docs/operations.md, “The database”", error=str(error)
                )
            self._is_failing = True
        else:
            if self._is_failing:
                log.info("the heartbeat is written again")
            self._is_failing = False
        finally:
            connection.close()  # no session is kept for one statement every few seconds

    def _write(self) -> None:
        row = Heartbeat(
            name=self.name[:200], role=self.role, queues=sorted(self.queues()), started_at=Now(),
            seen_at=Now(), worked_at=self.worked_at(),
        )  # fmt: skip
        changing = ["role", "queues", "seen_at", "worked_at", *(["started_at"] if self._is_new else [])]
        Heartbeat.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["name"], update_fields=changing
        )
        if self._is_new:
            Heartbeat.objects.filter(seen_at__lt=Now() - _FORGOTTEN).delete()
        self._is_new = False


def _wait_for_the_thread() -> None:
    _held.by_fork = _at_work.acquire(timeout=_FORK_PATIENCE)


def _go_on() -> None:
    if _held.by_fork:
        _held.by_fork = False
        _at_work.release()


class _Held(threading.local):
    by_fork = False


_held = _Held()
os.register_at_fork(before=_wait_for_the_thread, after_in_parent=_go_on, after_in_child=_go_on)
