"""Reports about imports and mails."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from imports.models import ImportRun
from notifications.models import Message
from reports.answering import answer
from reports.periods import Period
from reports.questions import Comparison, Grouping, Question
from reports.results import Answer

pytestmark = pytest.mark.django_db


def asked(report: str) -> Answer:
    today = timezone.now().date()
    period = Period(today - timedelta(days=1), today, ZoneInfo("UTC"))
    return answer(Question(report, period, Grouping.DAY, Comparison.PREVIOUS))


def test_imports_are_counted_by_the_day_that_they_ended() -> None:
    now = timezone.now()
    for state, ago, rejected in (("completed", 0, 1), ("failed", 0, 0), ("completed", 2, 3), ("draft", 0, 0)):
        ended = None if state == "draft" else now - timedelta(days=ago)
        counts = {"lines": 10, "rows": 10, "created": 10 - rejected, "rejected": rejected}
        ImportRun.objects.create(
            state=state, filename=f"{state}.csv", size=1, sha256="x", finished_at=ended, **counts
        )

    found = asked("imports")

    figures = {figure.key: (figure.value, figure.before) for figure in found.figures}
    assert figures["imports"] == (2, 1)
    assert figures["failed"] == (1, 0)
    assert figures["rejected_share"] == (Decimal("0.05"), Decimal("0.3"))
    days, bad = found.tables
    assert [row.cells[1] for row in days.rows] == [0, 2]
    assert [row.cells[4] for row in bad.rows] == [1, 0]


def test_mails_are_counted_by_state_and_kind() -> None:
    for number, state in enumerate(("sent", "sent", "failed", "queued")):
        due = timezone.now() if state == "queued" else None
        kind = "order_paid" if number else "order_placed"
        Message.objects.create(
            kind=kind,
            event=str(number),
            recipient="a@example.com",
            subject="x",
            text="x",
            state=state,
            due_at=due,
            sent_at=timezone.now() if state == "sent" else None,
        )

    found = asked("mails")

    figures = {figure.key: figure.value for figure in found.figures}
    assert (figures["sent_share"], figures["mails"], figures["failed"]) == (Decimal("0.5"), 4, 1)
    assert [row.cells[:3] for row in found.tables[1].rows] == [("order_paid", 3, 1), ("order_placed", 1, 1)]
