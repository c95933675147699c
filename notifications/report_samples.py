"""Mails with reports, filled with made-up figures: for staff's previews, test mails and tests."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.translation import pgettext_lazy
from django_celery_beat.models import CrontabSchedule

from notifications import kinds, report_mails
from notifications.kinds import Kind, Sample
from notifications.messages import Rendered
from reports import rendering, wording
from reports.models import ReportFile, ReportRun, ReportSchedule
from reports.periods import Period
from reports.questions import Comparison, Grouping, Question
from reports.results import Answer, Column, Figure, Row, Table
from reports.results import Kind as Of

_WEEK = Period(date(2026, 3, 2), date(2026, 3, 8), ZoneInfo("UTC"))


def connect() -> None:
    """Register the kinds; called once, when Django is ready."""
    ready: dict[str, Sample] = {
        "Scheduled": partial(_ready, 120_000),
        "Too large": partial(_ready, 90_000_000),
        "Asked for": _asked,
    }
    kinds.register(
        Kind("report_ready", "Report", "A scheduled report is made, or one that somebody asked for", ready)
    )
    failed: dict[str, Sample] = {"Failed": _failed}
    kinds.register(Kind("report_failed", "Report failed", "A report could not be made; to its owner", failed))
    when = "A scheduled report failed so often in a row that it pauses; to its owner"
    paused: dict[str, Sample] = {"Paused": _paused}
    kinds.register(Kind("schedule_paused", "Scheduled report paused", when, paused))


def _question(language: str) -> Question:
    return Question("sales", _WEEK, Grouping.DAY, Comparison.PREVIOUS, language=language)


def _answer(language: str) -> Answer:
    question = _question(language)
    orders, net, refunds = (pgettext_lazy("report", title) for title in ("Orders", "Net", "Refunds"))
    columns = [
        Column("day", wording.TITLES[Grouping.DAY], Of.DAY),
        Column("orders", orders, Of.COUNT),
        Column("net", net, Of.MONEY),
    ]
    days = [
        Row((_WEEK.first + timedelta(days=n), 10 + n, Decimal("812.40") + 37 * n),
            (_WEEK.first + timedelta(days=n - 7), 12, Decimal("790.10")))
        for n in range(7)
    ]  # fmt: skip
    total = Row((None, 91, Decimal("6463.80")), (None, 84, Decimal("5530.70")))
    return Answer(
        question=question, title=pgettext_lazy("report", "Sales"), currency=settings.STORE_CURRENCY,
        made_at=timezone.now(), compared=question.compared(),
        figures=[
            Figure("net", net, Of.MONEY, Decimal("6463.80"), Decimal("5530.70")),
            Figure("orders", orders, Of.COUNT, 91, 84),
            Figure("refunds", refunds, Of.MONEY, Decimal("61.00"), Decimal("24.50"), False),
        ],
        tables=[Table(wording.BY[Grouping.DAY], columns, days, total)],
    )  # fmt: skip


def _schedule() -> ReportSchedule:
    row = CrontabSchedule(minute="0", hour="7", day_of_week="1", timezone=ZoneInfo("Europe/Berlin"))
    return ReportSchedule(pk=12, name="Sales of the week", crontab=row, failures=5)


def _run(schedule: ReportSchedule | None, language: str) -> ReportRun:
    return ReportRun(
        pk=1235, schedule=schedule, title="Sales of the week", question=_question(language).to_json(),
        to=["ada@example.com"], cc=["bo@example.com"] if schedule else [],
        error="The category “Garden > Tools” is gone. Choose another one.",
    )  # fmt: skip


def _ready(size: int, language: str) -> Rendered:
    file = ReportFile(format="xlsx", name="sales-by-day-2026-03-02-2026-03-08.xlsx", size=size)
    return _made(_run(_schedule(), language), [file])


def _asked(language: str) -> Rendered:
    return _made(_run(None, language), [])


def _made(run: ReportRun, files: list[ReportFile]) -> Rendered:
    answer = _answer(run.asked.language)
    return report_mails.ready(run, answer, rendering.mail(answer), files, run.asked.language)


def _failed(language: str) -> Rendered:
    return report_mails.failed(_run(_schedule(), language), language)


def _paused(language: str) -> Rendered:
    schedule = _schedule()
    return report_mails.paused(schedule, _run(schedule, language), language)
