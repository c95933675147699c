"""Which days of a period are summed up already, and what must be asked of the orders themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db import connection

from reports.periods import Period
from reports.queries.dimensions import Dimension
from reports.queries.facts import Facts, Span

# What the tables of the roll-up know; orders can be counted in the first one only.
_SALES = frozenset({"country", "payment", "discount", "tax_rate"})
_ITEMS = frozenset({"category", "product", "product_name", "sku", "name"})
_MOST_SPANS = 12  # more gaps than that are asked for as one

# Marked days are no longer what is summed up; the marks of later ones don't matter here.
_HELD = """
SELECT day FROM reports_rolledday
WHERE day BETWEEN %(first)s AND %(last)s AND zone = %(zone)s AND currency = %(currency)s
EXCEPT
SELECT (at AT TIME ZONE %(zone)s)::date FROM reports_change WHERE at >= %(begin)s AND at < %(end)s
"""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the facts of a period come from: `table` has the days but for `others`, orders have `spans`."""

    period: Period
    table: str | None
    others: tuple[date, ...]
    spans: tuple[Span, ...]

    def sql(self, facts: Facts) -> str:
        """SQL with `day`, the dimensions and the sums."""
        parts = [self._of_orders(facts)] if self.spans else []
        if self.table:
            days = f"day BETWEEN {facts.parameter(self.period.first)} AND {facts.parameter(self.period.last)}"
            if self.others:
                days += f" AND day <> ALL ({facts.parameter(list(self.others))}::date[])"
            parts.append(facts.of_days(self.table, days))
        return " UNION ALL ".join(parts)

    def _of_orders(self, facts: Facts) -> str:
        day = f"(at AT TIME ZONE {facts.parameter(self.period.zone.key)})::date"
        return f"SELECT {day} AS day, {facts.names} FROM ({facts.of_spans(self.spans)}) f"  # noqa: S608


def table_for(dimensions: Iterable[Dimension], filters: Iterable[str], *, counts: bool) -> str | None:
    """The table that can tell them; `counts`: orders are to be counted, too."""
    needed = {one.name for one in dimensions} | set(filters)
    if needed <= _SALES:
        return "reports_dailysales"
    return "reports_dailyitem" if needed <= _ITEMS and not counts else None


def source(period: Period, table: str | None) -> Source:
    """The quickest way to the facts of a period that is right at this moment."""
    held = _held(period) if table else set()
    if not held:
        return Source(period, None, (), ((period.begin, period.end),))
    days = [period.first + timedelta(days=number) for number in range(period.days)]
    missing = [day for day in days if day not in held]
    gaps = _gaps(missing)
    if len(gaps) > _MOST_SPANS:
        gaps = [(missing[0], missing[-1])]
        missing = [day for day in days if missing[0] <= day <= missing[-1]]
    spans = [_span(Period(first, last, period.zone)) for first, last in gaps]
    return Source(period, table, tuple(missing), tuple(spans))


def _held(period: Period) -> set[date]:
    if period.zone.key != settings.TIME_ZONE:
        return set()
    parameters = {
        "first": period.first, "last": period.last, "begin": period.begin, "end": period.end,
        "zone": period.zone.key, "currency": settings.STORE_CURRENCY,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_HELD, parameters)
        return {day for (day,) in cursor.fetchall()}


def _gaps(days: list[date]) -> list[tuple[date, date]]:
    gaps: list[tuple[date, date]] = []
    for day in days:
        if gaps and day - gaps[-1][1] == timedelta(days=1):
            gaps[-1] = (gaps[-1][0], day)
        else:
            gaps.append((day, day))
    return gaps


def _span(period: Period) -> Span:
    return period.begin, period.end
