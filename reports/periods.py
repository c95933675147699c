"""Days that a report is about, in a time zone, and the days it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both included, as people in `zone` count them."""

    first: date
    last: date
    zone: ZoneInfo

    def __post_init__(self) -> None:
        """Raises ValueError, in words for people, when it ends before it begins."""
        if self.last < self.first:
            raise ValueError(f"The last day, {self.last}, is before the first one, {self.first}.")

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def begin(self) -> datetime:
        """The first moment of it, aware. A day that has no midnight begins at the first moment it has."""
        return _start(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The first moment that is past it, aware: begin ≤ t < end, with days of 23, 24 or 25 hours."""
        return _start(self.last + timedelta(days=1), self.zone)

    def previous(self) -> Period:
        """As many days, just before."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1), self.zone)

    def year_before(self) -> Period:
        """The same days of the year before; 29 February becomes the 28th."""
        return Period(_a_year_before(self.first), _a_year_before(self.last), self.zone)


def _start(day: date, zone: ZoneInfo) -> datetime:
    """Midnight where the clock shows it (the earlier one where it shows it twice), as a moment in UTC; the
    change of the clock where it skips midnight, which is what PEP 495's fold=0 gives by arithmetic in UTC."""
    return datetime.combine(day, time.min, zone).astimezone(ZoneInfo("UTC"))


def _a_year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)
