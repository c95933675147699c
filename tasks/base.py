"""The Celery base Task: logging, progress, and what to do when memory runs out."""

from __future__ import annotations

import gc
import time
from typing import Any

import structlog
from celery import Task

from tasks import claiming, ticking
from tasks.claiming import Claim

log = structlog.get_logger(__name__)

_SILENCE = 30.0  # seconds in which a broker that was dead is told nothing


class OutOfMemory(RuntimeError):  # noqa: N818
    """Stands in for MemoryError, which in an `acks_late` task would take the whole worker down."""


class BaseTask(Task):
    """Every task of Tallyman. Keeps the worker alive through MemoryError and logs how each run ended."""

    abstract = True
    _silent_until = 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except MemoryError:
            gc.collect()
            raise OutOfMemory(f"{self.name} ran out of memory; it will be tried again") from None

    def report_progress(self, claim: Claim, current: int, total: int) -> None:
        """Show progress to people: in the job's row and as Celery's PROGRESS state (Flower, history)."""
        claiming.record_progress(claim, current=current, total=total)
        percent = min(100, current * 100 // total) if total else 0
        meta = {"current": current, "total": total, "percent": percent}
        self.update_state(state="PROGRESS", meta=meta)
        self._tell_flower(meta)

    def _tell_flower(self, meta: dict[str, int]) -> None:
        """As an event: the state is in the database, where Flower does not look."""
        if time.monotonic() < BaseTask._silent_until:
            return
        try:
            self.send_event("task-progress", retry=False, **meta)  # type: ignore[arg-type]
        except Exception as error:  # a dead broker must not slow the work down
            BaseTask._silent_until = time.monotonic() + _SILENCE
            log.debug("broker unreachable, progress not told", error=str(error))

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        log.debug("task succeeded", task=self.name, result=str(retval))
        ticking.note(self, ticking.in_words(retval), ok=True)

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        said = f"{type(exc).__name__}: {exc}"
        log.warning("task failed", task=self.name, error=said)
        ticking.note(self, said, ok=False)
