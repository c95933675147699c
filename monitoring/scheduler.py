"""Beat's scheduler: the schedule in the database, told of by heartbeats, and not put off by the clock."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import structlog
from django.utils import timezone
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

log = structlog.get_logger(__name__)

_MISSED_TICKS = 4  # it ticks every `max_interval` seconds or sooner


class Scheduler(DatabaseScheduler):
    """As its parent, and knows when it last ticked and when it last sent something.

    A clock that is set back would leave each entry last sent in the future, and so not due until the clock
    has caught up: a whole shop would wait for an hour. Such entries count as sent now.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._ticked = time.monotonic()
        self.sent_at: datetime | None = None
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """One turn of the loop; returns the seconds until the next."""
        self._ticked = time.monotonic()
        self._heed_the_clock()
        pause: float = super().tick(*args, **kwargs)
        return pause

    def apply_async(self, entry: ModelEntry, *args: Any, **kwargs: Any) -> Any:
        """Send an entry's task; raises SchedulingError where the broker does not take it."""
        sent = super().apply_async(entry, *args, **kwargs)
        self.sent_at = timezone.now()
        return sent

    @property
    def is_ticking(self) -> bool:
        """Whether the loop turns: a process alone sends nothing."""
        return time.monotonic() - self._ticked < _MISSED_TICKS * self.max_interval

    def _heed_the_clock(self) -> None:
        now = timezone.now()
        entries = list((self._schedule or {}).values())
        ahead = [one for one in entries if (one.model.last_run_at - now).total_seconds() > 1]
        if not ahead:
            return
        for entry in ahead:
            entry.model.last_run_at = now
            self._dirty.add(entry.name)
        for entry in entries:
            entry.last_run_at = entry.model.last_run_at  # which only the one in the heap has kept up with
        self._heap = None  # made anew, from the entries as they are now
        log.warning(
            "the clock was set back; the schedule goes on from now. Have all clocks set by NTP:"
            " docs/operations.md, “A clock that jumps”",
            entries=len(ahead),
        )
