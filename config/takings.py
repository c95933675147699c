"""How sales go, on the admin's first page: today, this week and this month against the ones before by the
same time, the last 30 days as a chart, and what sold best in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from reports.charts import Drawing, drawn
from reports.period_rules import PeriodRule
from reports.periods import Period
from reports.queries import sales
from reports.questions import Grouping
from reports.results import Chart, Kind, Series, Shape
from reports.sums import Sums, total
from reports.times import Slot, label
from reports.writing import Change, Writer
from shop import caching, languages

_TOP = 5
_DAY = timedelta(days=1)

type _Sums = Mapping[date, Sums]


@dataclass(frozen=True, slots=True)
class Span:
    """Days up to this moment: their gross amount and orders, and how that compares."""

    label: str
    value: str
    orders: int
    before: str
    change: Change | None
    address: str


class Day(NamedTuple):
    """A row of the table below the chart."""

    day: date
    gross: str
    orders: int


@dataclass(frozen=True, slots=True)
class Takings:
    """All of it; `top` has the best sold products, by gross amount."""

    spans: Sequence[Span]
    chart: Drawing
    days: Sequence[Day]
    top: Drawing
    report: str
    top_report: str


def takings(now: datetime, *, may_report: bool) -> Takings:
    """By the store's clock. Figures lead to their report, or without `may_report` to the days' orders."""
    zone = ZoneInfo(settings.TIME_ZONE)
    writer = Writer(languages.locale(settings.LANGUAGE_CODE), settings.STORE_CURRENCY, zone)
    local = now.astimezone(zone)
    today = local.date()
    month = today.replace(day=1)
    period = PeriodRule.LAST_30_DAYS.period(today, zone)
    first = min((month - _DAY).replace(day=1), period.previous().first)
    daily = sales.by_day(Period(first, today, zone), {})
    address = _reports if may_report else _orders
    return Takings(
        list(_spans(local, daily, writer, address)),
        _chart(period, daily, writer),
        [_row(day, daily.get(day, Sums()), writer) for day in _days(period)],
        drawn(
            caching.remembered("top-products", today, version=0, make=lambda: _top(period)), writer, number=2
        ),
        address(period.first, period.last),
        _reports(period.first, period.last, group_by="product") if may_report else "",
    )


type _Address = Callable[[date, date], str]


def _reports(first: date, last: date, **more: str) -> str:
    asked = {"report": "sales", "first": first.isoformat(), "last": last.isoformat(), **more}
    return f"{reverse('admin:reports_reportrun_ask')}?{urlencode(asked)}"


def _orders(first: date, last: date) -> str:
    days = {"placed_at_from": first.isoformat(), "placed_at_to": last.isoformat()}
    return f"{reverse('admin:shop_order_changelist')}?{urlencode(days)}"


class _Stretch(NamedTuple):
    """Days from `first` up to now, against those from `was` to the same time of the day `until`."""

    label: str
    first: date
    was: date
    until: date
    words: str


def _stretches(today: date) -> list[_Stretch]:
    week, month = today - today.weekday() * _DAY, today.replace(day=1)
    month_before = (month - _DAY).replace(day=1)
    # The 31st is compared with the last day of a shorter month.
    same_day = min(month_before + (today - month), month - _DAY)
    return [
        _Stretch("Today", today, today - _DAY, today - _DAY, "yesterday by this time"),
        _Stretch("This week", week, week - 7 * _DAY, today - 7 * _DAY, "last week by this time"),
        _Stretch("This month", month, month_before, same_day, "last month by this time"),
    ]


def _spans(local: datetime, daily: _Sums, writer: Writer, address: _Address) -> Iterator[Span]:
    stretches = _stretches(local.date())
    parts = sales.by_day_of([_until(one.until, local) for one in stretches], writer.zone)
    for one in stretches:
        now = total(sums for day, sums in daily.items() if day >= one.first)
        whole = [sums for day, sums in daily.items() if one.was <= day < one.until]
        before = total([*whole, parts.get(one.until, Sums())])
        yield Span(
            one.label,
            writer.value(Kind.MONEY, now.gross),
            now.orders,
            f"{writer.value(Kind.MONEY, before.gross)} {one.words}",
            writer.change(Kind.MONEY, now.gross, before.gross),
            address(one.first, local.date()),
        )


def _until(day: date, local: datetime) -> tuple[datetime, datetime]:
    """From its beginning to what the clock shows now."""
    zone = ZoneInfo(settings.TIME_ZONE)
    begin = Period(day, day, zone).begin
    return begin, max(begin, datetime.combine(day, local.time(), zone).astimezone(UTC))


def _days(period: Period) -> list[date]:
    return [period.first + number * _DAY for number in range(period.days)]


def _row(day: date, sums: Sums, writer: Writer) -> Day:
    return Day(day, writer.value(Kind.MONEY, sums.gross), sums.orders)


def _chart(period: Period, daily: _Sums, writer: Writer) -> Drawing:
    """The days that are over: today would look like a fall."""
    days, before = _days(period), _days(period.previous())
    slots = [Slot(datetime.combine(day, time.min), day, day) for day in days]
    series = [
        Series("These days", [daily.get(day, Sums()).gross for day in days]),
        Series("30 days before", [daily.get(day, Sums()).gross for day in before], is_before=True),
    ]
    labels = [label(slot, Grouping.DAY, settings.LANGUAGE_CODE) for slot in slots]
    return drawn(Chart("Sales of the last 30 days", Shape.LINE, Kind.MONEY, labels, series), writer, number=1)


def _top(period: Period) -> Chart:
    found = sales.groups(Grouping.PRODUCT, period, None, {}, most=_TOP)
    things = [one for one in found if one.key is not None]
    amounts = [one.now.gross for one in things]
    return Chart(
        "Best sold in these days", Shape.BARS, Kind.MONEY, [one.name for one in things],
        [Series("Gross", amounts)],
    )  # fmt: skip
