"""Stop a run for good, and keep what landed or take it back."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from imports import pipeline, undoing
from imports.models import ImportRun


def cancel(*, run: ImportRun, undo: bool = False, by: Any = None) -> ImportRun | None:
    """Cancel the run; with `undo`, take back what landed before any other run begins. Returns the undo, or
    None where there is nothing to take back. `by` is the user, if any.

    Raises RunEnded if it has ended.
    """
    undos: list[ImportRun] = []

    def take_back(run: ImportRun) -> None:
        with suppress(undoing.NotUndoable):  # nothing had landed
            # It inherits the run's place in line: those that waited for the run wait for its undo as well.
            undos.append(undoing.begin(run, by, queued_at=run.queued_at))

    pipeline.cancel(run=run, then=take_back if undo else None)
    return undos[0] if undos else None
