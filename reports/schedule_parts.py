"""Parts of a schedule's page: when it is due next, and what became of the last times."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from reports import scheduling
from reports.cadence import Cadence, zone_names
from reports.models import ReportFile, ReportSchedule

_SHOWN = 10  # runs


def next_times_of(cadence: Cadence) -> SafeString:
    """Its next five due times, in a list."""
    dues = scheduling.next_times(cadence, now=timezone.now())
    return render_to_string("reports/pages/next_runs.html", {"dues": dues})


def form_times_of(cadence: Cadence | None) -> SafeString:
    """The same for a form, with the zones that it proposes; without a cadence it asks once it is there."""
    context = {"zones": zone_names(), "times": next_times_of(cadence) if cadence else ""}
    return render_to_string("reports/pages/form_times.html", context)


def history_of(schedule: ReportSchedule) -> SafeString:
    """Its last runs, with their files."""
    files = Prefetch("files", ReportFile.objects.filter(cid=""), to_attr="downloads")
    rows: list[Any] = list(schedule.runs.prefetch_related(files)[: _SHOWN + 1])
    for run in rows:
        period = run.asked.period
        last = "" if period.days == 1 else f" – {period.last:%-d %b %Y}"
        run.days = f"{period.first:%-d %b}{last}"
        run.due_here = run.due_at and run.due_at.astimezone(period.zone)
    more = f"{reverse('admin:reports_reportrun_changelist')}?schedule__id__exact={schedule.pk}"
    context = {"rows": rows[:_SHOWN], "more": more if len(rows) > _SHOWN else "", "label": "History"}
    return render_to_string("reports/pages/history.html", context)
