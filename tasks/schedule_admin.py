"""Beat's schedule in the admin: what it sends and when next, and how each entry ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.decorators import display

from tasks.listing import BigList, ReadOnlyAdmin, log, spoken, stacked
from tasks.models import Tick

_PATIENCE = timedelta(
    seconds=60
)  # so much later than due, an entry is late: beat and workers have other work

# They register themselves with Django's own looks; schedules are written in tasks/schedule.py, so there is
# nothing to choose between.
admin.site.unregister([PeriodicTask, ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule])


class ScheduleList(BigList):
    """The entries, each with its latest end."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        _look_up(list(self.result_list))


def _look_up(entries: list[Any]) -> None:
    ticks = Tick.objects.in_bulk([entry.name for entry in entries])
    for entry in entries:
        entry.tick = ticks.get(entry.name)


def next_run(entry: PeriodicTask, *, now: datetime) -> datetime | None:
    """When beat sends it next, as far as the tables know; None for an entry that is switched off."""
    if not entry.enabled:
        return None
    last = entry.last_run_at or entry.date_changed or now
    left: timedelta = entry.schedule.remaining_estimate(last)
    return now + left


def in_words(interval: IntervalSchedule) -> str:
    """Its length in the largest unit that divides it.

    >>> in_words(IntervalSchedule(every=900, period="seconds"))
    'every 15 minutes'
    >>> in_words(IntervalSchedule(every=86_400, period="seconds"))
    'every day'
    """
    length: timedelta = interval.schedule.run_every
    for unit, seconds in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        count, rest = divmod(length.total_seconds(), seconds)
        if count and not rest:
            return f"every {unit}" if count == 1 else f"every {count:.0f} {unit}s"
    return str(interval)


@admin.register(PeriodicTask)
class ScheduleAdmin(ReadOnlyAdmin):
    """What beat sends and when. Read-only: each start of beat writes these from tasks/schedule.py."""

    list_display = ["what", "every", "next", "outcome", "last_run", "times_sent"]
    list_select_related = ["interval", "crontab", "solar", "clocked"]
    ordering = ["name"]
    fieldsets = [
        (None, {"fields": ["name", "task", "every", "enabled", "next"]}),
        ("Runs", {"fields": ["last_run", "total_run_count", "queue", "expire_seconds"]}),
        ("Last outcome", {"fields": ["outcome", "succeeded", "said"]}),
        ("Arguments", {"fields": ["args", "kwargs"]}),
    ]
    readonly_fields = ["every", "next", "last_run", "outcome", "succeeded", "said"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ScheduleList]:
        return ScheduleList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        entry = super().get_object(request, object_id, from_field)
        if entry is not None:
            _look_up([entry])
        return entry

    @display(description="entry", ordering="name")
    def what(self, entry: PeriodicTask) -> SafeString:
        return stacked(entry.name, entry.task)

    @display(description="times sent", formatting="price")
    def times_sent(self, entry: PeriodicTask) -> int:
        return int(entry.total_run_count)

    @display(description="when")
    def every(self, entry: PeriodicTask) -> str:
        interval: IntervalSchedule | None = entry.interval
        return in_words(interval) if interval else str(entry.scheduler)

    @display(description="next")
    def next(self, entry: PeriodicTask) -> SafeString | str:
        now = timezone.now()
        at = next_run(entry, now=now)
        if at is None:
            return "switched off"
        if at < now - _PATIENCE:
            warning = format_html('<span class="tally-trouble">{}</span>', "late: does beat run?")
            return stacked(warning, format_html("due {}", spoken(at)))
        return spoken(max(at, now))

    @display(description="last outcome")
    def outcome(self, entry: Any) -> SafeString | str:
        tick: Tick | None = entry.tick
        if tick is None:
            return "not yet seen"
        if tick.failures:
            times = "" if tick.failures == 1 else f", {tick.failures:,} times in a row"
            said = format_html('<span class="tally-trouble">failed{}</span>', times)
            return stacked(said, format_html("{} {}", spoken(tick.ended_at), Truncator(tick.said).chars(80)))
        return stacked(format_html("done {}", spoken(tick.ended_at)), Truncator(tick.said).chars(80))

    @display(description="last succeeded")
    def succeeded(self, entry: Any) -> SafeString | str:
        return spoken(entry.tick and entry.tick.succeeded_at)

    @display(description="said")
    def said(self, entry: Any) -> SafeString | str:
        return log(entry.tick and entry.tick.said)

    @display(description="last sent")
    def last_run(self, entry: PeriodicTask) -> SafeString | str:
        return spoken(entry.last_run_at)
