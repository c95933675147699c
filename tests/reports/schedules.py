"""Schedules for tests, and what a worker does about the runs they have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from celery import current_app
from django.utils import timezone

from reports import scheduling
from reports.cadence import parse, row_of
from reports.models import ReportRun, ReportSchedule
from tasks.models import Job


def at(text: str) -> datetime:
    """`2026-03-02 07:00`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_schedule(
    when: str = "every day at 7:00", *, zone: str = "UTC", since: datetime, **values: Any
) -> ReportSchedule:
    """A schedule that exists since then."""
    row = row_of(parse(when, zone, now=since))
    given: dict[str, Any] = {
        "name": "Sales of the day",
        "formats": ["csv"],
        "to": ["ada@example.com"],
        **values,
    }
    schedule = ReportSchedule(crontab=row, **given)
    scheduling.save(schedule, now=since)
    return schedule


def dues(state: str = ReportRun.State.WAITING) -> list[str]:
    """The due times of the runs in that state, `02 07:00`."""
    runs = ReportRun.objects.filter(state=state).order_by("due_at")
    return [f"{run.due_at:%d %H:%M}" for run in runs if run.due_at]


def work(run: ReportRun) -> Job:
    """Let a worker do what waits of the run, by the real task and engine."""
    job = Job.objects.of(run.subject).latest("pk")
    Job.objects.filter(pk=job.pk).update(run_after=timezone.now())
    current_app.tasks[job.kind].apply(kwargs={"job_id": job.pk})
    job.refresh_from_db()
    run.refresh_from_db()
    return job
