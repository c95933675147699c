"""The sales report: over time, by things, or line by line. docs/reports.md says what each figure is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from reports import columns, lines, things, times
from reports.catalogue import Report, register
from reports.periods import Period
from reports.queries import sales
from reports.queries.dimensions import FILTERS, LINE_FILTERS
from reports.questions import Comparison, Grouping, Question
from reports.results import Answer, Chart, Column, Kind, Row, Series, Shape, Table, Text
from reports.sums import Sums, total
from reports.times import Slot
from reports.wording import BY, GROSS, TITLES, TOTAL, what_by

_TITLE = pgettext_lazy("report", "Sales")


def connect() -> None:
    """Be among the reports; called once, when Django is ready."""
    register(Report("sales", _TITLE, answer, tuple(Grouping), FILTERS))


def answer(question: Question) -> Answer:
    """What was sold in the question's days."""
    compared, made_at = question.compared(), timezone.now()
    daily = sales.by_day(question.period, question.filters)
    daily_before = sales.by_day(compared, question.filters) if compared else {}
    now = total(daily.values())
    before = total(daily_before.values()) if compared else None
    if question.group_by.is_time:
        tables, charts = _over_time(question, daily, daily_before)
    elif question.group_by == Grouping.LINES:
        tables, charts = [lines.table(question, now, until=made_at)], [_by_day(question, daily, daily_before)]
    else:
        tables, charts = things.tables(question, now, before)
    return Answer(
        question=question,
        title=_TITLE,
        currency=settings.STORE_CURRENCY,
        made_at=made_at,
        compared=compared,
        figures=columns.figures(now, before),
        charts=charts,
        tables=tables,
        notes=_notes(question),
    )


def _notes(question: Question) -> list[Text]:
    notes: list[Text] = [
        _(
            "An order counts when it is paid, a refund when the money is given back."
            " Gross less refunds is net and tax."
        )
    ]
    if LINE_FILTERS & question.filters.keys():
        notes.append(
            _("Delivery belongs to no product and is left out. Orders are those with such products.")
        )
    return notes


type _Found = Mapping[Any, Sums]  # of days (date), or of hours (datetime)


def _over_time(question: Question, daily: _Found, daily_before: _Found) -> tuple[list[Table], list[Chart]]:
    slots, now, before = _spread(question, question.group_by, daily, daily_before)
    kind = Kind.MOMENT if question.group_by == Grouping.HOUR else Kind.DAY
    shown = columns.OF_ORDERS
    rows = [
        Row((slot.cell, *columns.cells(shown, one)), (None, *columns.cells(shown, was)) if before else None)
        for slot, one, was in zip(slots, now, before or now, strict=True)
    ]
    last = Row(
        (TOTAL, *columns.cells(shown, total(now))),
        (None, *columns.cells(shown, total(before))) if before else None,
    )
    heading = Column(question.group_by.value, TITLES[question.group_by], kind)
    table = Table(BY[question.group_by], (heading, *columns.headings(shown)), rows, last)
    return [table], [_chart(question, question.group_by, slots, now, before)]


def _by_day(question: Question, daily: _Found, daily_before: _Found) -> Chart:
    slots, now, before = _spread(question, Grouping.DAY, daily, daily_before)
    return _chart(question, Grouping.DAY, slots, now, before)


def _spread(
    question: Question, grouping: Grouping, daily: _Found, daily_before: _Found
) -> tuple[list[Slot], list[Sums], list[Sums]]:
    """The slots, the sums of each, and those they are compared with (none: no comparison)."""
    period, compared = question.period, question.compared()
    slots = times.slots(period, grouping)
    if grouping == Grouping.HOUR:
        daily = sales.by_hour(period, question.filters)
        daily_before = sales.by_hour(compared, question.filters) if compared else {}
    now = times.spread(slots, grouping, daily)
    if compared is None:
        return slots, now, []
    moved = _moved(question, compared)
    return slots, now, times.spread_before(slots, grouping, daily_before, moved=moved, was=compared)


def _moved(question: Question, compared: Period) -> Callable[[date], date]:
    if question.compare == Comparison.YEAR:
        return times.a_year_later
    days = question.period.first - compared.first
    return lambda day: day + timedelta(days=days.days)


def _chart(
    question: Question, grouping: Grouping, slots: list[Slot], now: list[Sums], before: list[Sums]
) -> Chart:
    series = [Series(GROSS, [one.gross for one in now])]
    if before:
        names = {Comparison.PREVIOUS: _("Days before"), Comparison.YEAR: _("Year before")}
        series.append(Series(names[question.compare], [one.gross for one in before], is_before=True))
    labels = [times.label(slot, grouping, question.language) for slot in slots]
    return Chart(what_by(GROSS, grouping), Shape.LINE, Kind.MONEY, labels, series)
