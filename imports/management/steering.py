"""What the commands share that pause, resume, cancel, approve, discard or undo an import."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from imports.models import ImportRun
from imports.pipeline import RunEnded


def run_of(pk: int) -> ImportRun:
    """The import or undo of this number; raises CommandError (2) when there is none."""
    run = ImportRun.objects.filter(pk=pk).first()
    if run is None:
        raise CommandError(f"There is no import {pk}. Their numbers are in the admin's list.", returncode=2)
    return run


@contextmanager
def refusing(done: str) -> Iterator[None]:
    """Turn what can't be `done` (`paused`) any more into a CommandError (1)."""
    try:
        yield
    except RunEnded as ended:
        raise CommandError(f"It can't be {done}: {ended}.", returncode=1) from None
