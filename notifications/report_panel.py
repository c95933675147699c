"""What the pages of reports in the admin show of mails: which went out, and who can't be reached."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest

from notifications import holding, showing
from notifications.models import Message, Suppression
from reports import panels
from reports.models import ReportRun, ReportSchedule
from shop.panels import Panel

_SHOWN, _RUNS = 100, 10


def connect() -> None:
    """Have the pages show it; called once, when Django is ready."""
    panels.register_for_runs(of_run)
    panels.register_for_schedules(of_schedule)


def of_run(request: HttpRequest, run: ReportRun) -> Panel | None:
    """The mails of one report, for those who may see messages."""
    if not request.user.has_perm("notifications.view_message"):
        return None
    about = Message.objects.filter(about=run.subject)
    return _panel("Mails", run.recipients, list(about.order_by("pk").defer("text", "html")[:_SHOWN]))


def of_schedule(request: HttpRequest, schedule: ReportSchedule) -> Panel | None:
    """Recipients who can't be reached, and what did not arrive of its last reports. For all who see the
    schedule: they have typed the addresses."""
    runs = [f"report/{pk}" for pk in schedule.runs.values_list("pk", flat=True)[:_RUNS]]
    lost = Q(fate__in=["bounced", "complained"]) | Q(state=Message.State.FAILED)
    messages = Message.objects.filter(lost, about__in=runs).order_by("-pk").defer("text", "html")[:_SHOWN]
    held = _held(schedule.recipients)
    return (
        _panel("Mails that do not arrive", schedule.recipients, list(messages)) if held or messages else None
    )


def _panel(title: str, recipients: list[str], messages: list[Message]) -> Panel:
    mailed = [(message, showing.meaning_of(message), showing.state_of(message)[1]) for message in messages]
    context = {"mailed": mailed, "held": _held(recipients)}
    return Panel(title, "notifications/report_panel.html", context)


def _held(recipients: list[str]) -> list[Suppression]:
    return [row for address in recipients for row in holding.in_force(address)]
