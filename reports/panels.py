"""What the pages of a schedule and of a run show besides their own: parts that later apps add.

Reports knows nothing of mails; who does registers here when it is ready.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.utils.safestring import SafeString

from reports.models import ReportRun, ReportSchedule
from shop.panels import Panel

type Make[T: (ReportRun, ReportSchedule)] = Callable[[HttpRequest, T], Panel | None]

_of_schedules: list[Make[ReportSchedule]] = []
_of_runs: list[Make[ReportRun]] = []


def register_for_schedules(make: Make[ReportSchedule]) -> None:
    """Have `make` called for every schedule that is shown; it returns None where it has nothing to say, or
    nothing for this person."""
    _of_schedules.append(make)


def register_for_runs(make: Make[ReportRun]) -> None:
    """The same for every run that is shown."""
    _of_runs.append(make)


def of_schedule(request: HttpRequest, schedule: ReportSchedule) -> list[tuple[str, SafeString]]:
    """Heading and HTML of each panel of the schedule."""
    made = [make(request, schedule) for make in _of_schedules]
    return [(panel.title, panel.rendered(request)) for panel in made if panel]


def of_run(request: HttpRequest, run: ReportRun) -> list[tuple[str, SafeString]]:
    """Heading and HTML of each panel of the run."""
    made = [make(request, run) for make in _of_runs]
    return [(panel.title, panel.rendered(request)) for panel in made if panel]
