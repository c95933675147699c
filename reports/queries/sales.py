"""Sums of sales."""

from __future__ import annotations

from datetime import date

from django.db import connection

from reports.periods import Period
from reports.queries.facts import facts
from reports.sums import SELECTED, Sums


def by_day(period: Period) -> dict[date, Sums]:
    """Sums of each day that has any, by the days of the period's zone."""
    inner, parameters = facts(period.begin, period.end)
    sql = f"SELECT (at AT TIME ZONE %(zone)s)::date AS day, {SELECTED} FROM ({inner}) f GROUP BY 1"  # noqa: S608 - no values in it
    with connection.cursor() as cursor:
        cursor.execute(sql, {**parameters, "zone": period.zone.key})
        return {day: Sums(*sums) for day, *sums in cursor.fetchall()}
