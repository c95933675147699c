"""Sums of sales by time and by things, set by set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from reports.periods import Period
from reports.queries.dimensions import OF_GROUPING, Dimension
from reports.queries.facts import Facts, Span
from reports.queries.rolled import Source, source, table_for
from reports.questions import Grouping
from reports.sums import Sums, selected

type Filters = Mapping[str, str]

_BATCH = 1000


def by_day(period: Period, filters: Filters) -> dict[date, Sums]:
    """The sums of each day that has any, as days are in the period's zone."""
    facts = Facts((), filters)
    inner = source(period, table_for((), filters, counts=True)).sql(facts)
    return _keyed(f"SELECT day, {selected()} FROM ({inner}) f GROUP BY day", facts.parameters)  # noqa: S608


def by_hour(period: Period, filters: Filters) -> dict[datetime, Sums]:
    """The sums of each hour that has any. The key is the hour's beginning by the clock of that moment: one
    that comes twice is two, and where the clock moves within one, its two parts are."""
    facts = Facts((), filters)
    inner = facts.of_spans([(period.begin, period.end)])
    hour = f"date_trunc('hour', at, {facts.parameter(period.zone.key)})"
    return _keyed(f"SELECT {hour}, {selected()} FROM ({inner}) f GROUP BY 1", facts.parameters)  # noqa: S608


def by_day_of(spans: Sequence[Span], zone: ZoneInfo) -> dict[date, Sums]:
    """The sums of parts of days, by the day that each is of in this zone."""
    facts = Facts(())
    inner = facts.of_spans(spans)
    day = f"(at AT TIME ZONE {facts.parameter(zone.key)})::date"
    return _keyed(f"SELECT {day}, {selected()} FROM ({inner}) f GROUP BY 1", facts.parameters)  # noqa: S608


def _keyed(sql: str, parameters: Mapping[str, Any]) -> dict[Any, Sums]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return {key: Sums(*sums) for key, *sums in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Group:
    """What a row of a report stands for, and its sums. No key: the delivery, which belongs to no thing."""

    key: Any
    name: str
    now: Sums
    before: Sums


_COUNTED = (Grouping.CUSTOMER, Grouping.COUNTRY, Grouping.TAX_RATE, Grouping.PAYMENT, Grouping.DISCOUNT)


MOST_GROUPS = 5000  # that are kept in memory


def groups(
    grouping: Grouping,
    period: Period,
    compared: Period | None,
    filters: Filters,
    *,
    most: int = MOST_GROUPS + 1,
) -> list[Group]:
    """Up to `most` groups, the largest gross amount first, the delivery last."""
    sql, parameters = _grouped(grouping, period, compared, filters)
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} LIMIT {most}", parameters)
        return [_group(row) for row in cursor.fetchall()]


def each_group(
    grouping: Grouping, period: Period, compared: Period | None, filters: Filters
) -> Iterator[Group]:
    """All of them, however many, in the same order."""
    sql, parameters = _grouped(grouping, period, compared, filters)
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(_BATCH):
            yield from map(_group, rows)


def _group(row: Sequence[Any]) -> Group:
    key, name, *sums = row
    half = len(sums) // 2
    return Group(key, name or "", Sums(*sums[:half]), Sums(*sums[half:]))


def _grouped(
    grouping: Grouping, period: Period, compared: Period | None, filters: Filters
) -> tuple[str, dict[str, Any]]:
    """One statement over both periods, so that what was sold in one of them only is found, too."""
    dimensions = OF_GROUPING[grouping]
    facts = Facts(dimensions, filters)
    table = table_for(dimensions, filters, counts=grouping in _COUNTED)
    parts = [_flagged(source(period, table), facts, is_before=False)]
    if compared:
        parts.append(_flagged(source(compared, table), facts, is_before=True))
    sums = f"{selected('NOT is_before')}, {selected('is_before', named=False)}"
    counted = ["units", "gross", "refunds", *(["orders"] if grouping in _COUNTED else [])]
    key, name = dimensions[0].name, _name_of(dimensions)
    sql = f"""
        SELECT {key}, {name}, {sums} FROM ({" UNION ALL ".join(parts)}) f GROUP BY {key}
        HAVING bool_or({" OR ".join(f"{one} <> 0" for one in counted)})
        ORDER BY {key} IS NULL, gross DESC, {key}"""  # noqa: S608 - no values in it
    return sql, facts.parameters


def _flagged(where: Source, facts: Facts, *, is_before: bool) -> str:
    return f"SELECT {is_before} AS is_before, g.* FROM ({where.sql(facts)}) g"  # noqa: S608


def _name_of(dimensions: Sequence[Dimension]) -> str:
    return f"max({dimensions[1].name})" if len(dimensions) > 1 else "''"
