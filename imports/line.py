"""The line of runs that wait for their turn to write to the catalogue: who writes now, who comes before."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from imports.models import ImportRun


@dataclass(frozen=True, slots=True)
class Place:
    """Where a waiting run stands: the run that writes now, if any does, and how many come before this one.

    A preview that waits for its approval is in nobody's way, nor is a paused run that has not begun.
    """

    writing: ImportRun | None
    before: int


def place_of(run: ImportRun) -> Place | None:
    """Where the run stands; None for one that does not wait for its turn."""
    if run.state != ImportRun.State.WAITING or run.queued_at is None:
        return None
    writing = ImportRun.objects.active().only("pk", "kind", "filename", "state", "paused_at").first()
    earlier = Q(queued_at__lt=run.queued_at) | Q(queued_at=run.queued_at, pk__lt=run.pk)
    waiting, read = ImportRun.objects.in_line(), ImportRun.objects.being_read()
    return Place(writing, waiting.filter(earlier).count() + read.filter(earlier).count())
