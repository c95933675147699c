"""Hours, days, weeks and months of a period, and what of an earlier one each is compared with."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from babel.dates import format_skeleton, format_time

from reports.periods import Period
from reports.questions import Grouping
from reports.sums import Sums
from shop.languages import locale

_STEP = timedelta(minutes=15)  # clocks stand at multiples of it, everywhere
_MOST_HOURS = 93  # days by the hour
_MOST_DAYS = 3700


@dataclass(frozen=True, slots=True)
class Slot:
    """A row over time: `wall` is where it begins on the clock on the wall, `key` what queries call it, `cell`
    what a table shows."""

    wall: datetime
    key: date | datetime
    cell: date | datetime


def slots(period: Period, grouping: Grouping) -> list[Slot]:
    """All of a period's, also those without any sales. Weeks begin on Mondays; the first and the last week or
    month may be cut. Raises ValueError for more than anybody reads."""
    if grouping == Grouping.HOUR:
        if period.days > _MOST_HOURS:
            raise ValueError(
                f"{period.days:,} days by the hour are too many to read;"
                f" ask for {_MOST_HOURS} at most, or by day."
            )
        return _hours(period)
    if period.days > _MOST_DAYS:
        raise ValueError(f"{period.days:,} days are too many for one report; ask for {_MOST_DAYS:,} at most.")
    days = [period.first + timedelta(days=number) for number in range(period.days)]
    begins = {_BEGIN[grouping](day): day for day in reversed(days)}
    return [Slot(datetime.combine(day, time.min), begin, begin) for begin, day in reversed(begins.items())]


_BEGIN: Mapping[Grouping, Callable[[date], date]] = {
    Grouping.DAY: lambda day: day,
    Grouping.WEEK: lambda day: day - timedelta(days=day.weekday()),
    Grouping.MONTH: lambda day: day.replace(day=1),
}


def _hours(period: Period) -> list[Slot]:
    """As PostgreSQL's date_trunc tells hours apart: by the clock's full hour, and its offset from UTC. So a
    day has 23 to 25 of them, or one that is cut where the clock moves within it."""
    found: dict[datetime, Slot] = {}
    moment = period.begin
    while moment < period.end:
        local = moment.astimezone(period.zone)
        wall = local.replace(minute=0, second=0, microsecond=0, tzinfo=None)
        key = (wall - (local.utcoffset() or timedelta(0))).replace(tzinfo=UTC)
        found.setdefault(key, Slot(wall, key, local))
        moment += _STEP
    return list(found.values())


def spread(slots: Sequence[Slot], grouping: Grouping, found: Mapping[Any, Sums]) -> list[Sums]:
    """Sums of days, or of hours, by slot."""
    places = {slot.key: number for number, slot in enumerate(slots)}
    sums = [Sums()] * len(slots)
    for key, one in found.items():
        number = places[key if grouping == Grouping.HOUR else _BEGIN[grouping](key)]
        sums[number] = sums[number].plus(one)
    return sums


def spread_before(
    slots: Sequence[Slot],
    grouping: Grouping,
    found: Mapping[Any, Sums],
    *,
    moved: Callable[[date], date],
    was: Period,
) -> list[Sums]:
    """Sums of the earlier period's days, or hours, by the slots that they are compared with: each goes where
    `moved` brings its day. What has no counterpart, such as a 29 February, goes with what is before it, so
    that nothing is lost."""
    hours = {slot.key: slot.wall for slot in _hours(was)} if grouping == Grouping.HOUR else {}
    sums = [Sums()] * len(slots)
    for key, one in found.items():
        wall = hours.get(key) or datetime.combine(key, time.min)
        number = place(slots, datetime.combine(moved(wall.date()), wall.time()))
        sums[number] = sums[number].plus(one)
    return sums


def place(slots: Sequence[Slot], wall: datetime) -> int:
    """Which slot a clock's time is in; the first one for what is before all."""
    at = bisect_left(slots, wall, key=lambda slot: slot.wall)
    return at if at < len(slots) and slots[at].wall == wall else max(0, at - 1)


def a_year_later(day: date) -> date:
    """The same day of the next year; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def label(slot: Slot, grouping: Grouping, language: str) -> str:
    """`Mar 3`, as it stands at an axis."""
    there = locale(language)
    if grouping == Grouping.MONTH:
        return format_skeleton("yMMM", slot.wall, locale=there)
    day = format_skeleton("MMMd", slot.wall, locale=there)
    return f"{day}, {format_time(slot.wall, 'short', locale=there)}" if grouping == Grouping.HOUR else day
