"""The sales report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.conf import settings
from django.utils import timezone

from reports.periods import Period
from reports.queries import sales
from reports.questions import Question
from reports.results import Answer, Chart, Column, Figure, Kind, Row, Series, Shape, Table, Value
from reports.sums import Sums, total

COLUMNS = (
    Column("orders", "Orders", Kind.COUNT),
    Column("units", "Units", Kind.COUNT),
    Column("gross", "Gross", Kind.MONEY),
    Column("discounts", "Discounts", Kind.MONEY),
    Column("delivery", "Delivery", Kind.MONEY),
    Column("refunds", "Refunds", Kind.MONEY),
    Column("tax", "Tax", Kind.MONEY),
    Column("net", "Net", Kind.MONEY),
    Column("average", "Average order", Kind.MONEY),
    Column("new_customers", "New customers", Kind.COUNT),
    Column("repeat_orders", "Repeat orders", Kind.COUNT),
)


def answer(question: Question) -> Answer:
    """Sales by day."""
    compared = question.compared()
    now = _of_days(question.period)
    before = _of_days(compared) if compared else None
    return Answer(
        question=question,
        title="Sales",
        currency=settings.STORE_CURRENCY,
        made_at=timezone.now(),
        compared=compared,
        figures=_figures(total(now), total(before) if before is not None else None),
        charts=[_chart(question.period, now, before)],
        tables=[_table(question.period, now, before)],
    )


def _of_days(period: Period) -> list[Sums]:
    found = sales.by_day(period)
    return [found.get(day, Sums()) for day in _days(period)]


def _days(period: Period) -> list[date]:
    return [period.first + timedelta(days=number) for number in range(period.days)]


def _cells(sums: Sums) -> tuple[Value, ...]:
    return (
        sums.orders, sums.units, sums.gross, sums.discounts, sums.delivery, sums.refunds, sums.tax, sums.net,
        sums.average, sums.new, sums.repeat,
    )  # fmt: skip


def _figures(now: Sums, before: Sums | None) -> list[Figure]:
    cells, old = _cells(now), _cells(before) if before else (None,) * len(COLUMNS)
    return [
        Figure(column.key, column.title, column.kind, value, was)
        for column, value, was in zip(COLUMNS, cells, old, strict=True)
    ]


def _chart(period: Period, now: Sequence[Sums], before: Sequence[Sums] | None) -> Chart:
    series = [Series("Gross", [one.gross for one in now])]
    if before is not None:
        series.append(Series("Before", [one.gross for one in before], is_before=True))
    return Chart("Gross", Shape.LINE, Kind.MONEY, [day.isoformat() for day in _days(period)], series)


def _table(period: Period, now: Sequence[Sums], before: Sequence[Sums] | None) -> Table:
    old: Sequence[Sums | None] = before or [None] * len(now)
    rows = [
        Row((day, *_cells(one)), (None, *_cells(was)) if was else None)
        for day, one, was in zip(_days(period), now, old, strict=False)
    ]
    last = Row(("Total", *_cells(total(now))), ("", *_cells(total(before))) if before is not None else None)
    return Table("By day", (Column("day", "Day", Kind.DAY), *COLUMNS), rows, last)
