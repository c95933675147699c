"""A Tallyman in which all is well, as its heartbeats say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from monitoring import backlog, health
from monitoring.models import Heartbeat


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """No finding of another test; and the disk of whoever runs the tests is his own affair."""
    settings.ALERT_DISK_FREE_PERCENT = 0
    monkeypatch.setattr(health._Kept, "rounds", ())
    yield
    for one in health._Kept.rounds:
        if one.thread:
            one.thread.join()  # the database is emptied after this


def a_heartbeat(role: str, *, ago: float = 0, idle: float = 0, queues: list[str] | None = None) -> Heartbeat:
    """Of a process that was last heard of so many seconds ago, and did its work `idle` seconds before now."""
    return Heartbeat.objects.create(
        name=f"{role}@{Heartbeat.objects.count()}",
        role=role,
        queues=queues or [],
        seen_at=Now() - timedelta(seconds=ago),
        worked_at=timezone.now() - timedelta(seconds=idle),
    )


@pytest.fixture
def all_well(transactional_db: None) -> None:
    """A worker for all queues, and beat."""
    a_heartbeat("worker", queues=backlog.queues())
    a_heartbeat("beat")
