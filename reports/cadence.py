"""When something is due: cron expressions and a few plain words, in a time zone, across changes of its clock.

cronsim knows which local times an expression stands for; which moment each of them is, is decided here: a
local time that the clock skips is due right after the gap, one that it shows twice is due the first time. So
whatever the clock does, each local time that was meant comes once, and none comes twice.
"""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from django.core.exceptions import ValidationError
from django_celery_beat.models import CrontabSchedule

_ANY_DAY = datetime(2001, 1, 1)  # noqa: DTZ001 - a local time
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
_TIME = re.compile(r"(\d{1,2})(?::(\d\d))?\s*(am|pm)?")
_NUMBER = re.compile(r"(\d{1,2})(?:st|nd|rd|th)")
_FIGURES = re.compile(r"\d+(,\d+)*")
_MONTHLY = {"month": "*", "quarter": "1,4,7,10", "year": "1"}
_EXAMPLES = "“every day at 7:00”, “Mondays at 7:00”, “first of the month at 6:00”, or cron: 0 7 * * 1"


class CadenceError(ValueError):
    """The text says no time, or none that ever comes; for people, with the fix."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """A cron expression of five fields, read by the clock of `zone`."""

    cron: str
    zone: ZoneInfo

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The due times later than the aware `moment`, each once, rising, in UTC."""
        last = moment
        # Neither an earlier local time nor this one can be due later than now: of two moments that the clock
        # shows alike, the first one counts.
        for local in CronSim(self.cron, moment.astimezone(self.zone).replace(tzinfo=None)):
            due = _moment(local, self.zone)
            if due > last:
                yield due
                last = due

    @classmethod
    def of(cls, row: CrontabSchedule) -> Cadence:
        """What a row of django-celery-beat's says."""
        fields = (row.minute, row.hour, row.day_of_month, row.month_of_year, row.day_of_week)
        return cls(" ".join(fields), row.timezone)


def _moment(local: datetime, zone: ZoneInfo) -> datetime:
    """When the clock of `zone` first shows `local`, to the minute, or else the first minute after the gap."""
    while (at := local.replace(tzinfo=zone).astimezone(UTC)).astimezone(zone).replace(tzinfo=None) != local:
        local += timedelta(minutes=1)
    return at


def parse(text: str, zone: str, *, now: datetime) -> Cadence:
    """Words or a cron expression, and the name of a zone. Raises CadenceError for what can't be read and for
    what never comes after `now`."""
    cadence = Cadence(cron_of(text), zone_of(zone))
    if next(cadence.after(now), None) is None:
        raise _never(text)
    return cadence


def zone_of(name: str) -> ZoneInfo:
    """The zone of that name; raises CadenceError, with one of a similar name."""
    names = _zones()
    if name in names:
        return ZoneInfo(name)
    alike = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean {alike[0]}?" if alike else "Write one such as Europe/Berlin or America/New_York."
    raise CadenceError(f"There is no time zone “{name}”. {hint}")


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


@cache
def zone_names() -> list[str]:
    """Those of places, to be proposed."""
    places = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return ["UTC", *sorted(name for name in _zones() if name.startswith(places))]


def row_of(cadence: Cadence) -> CrontabSchedule:
    """The row of django-celery-beat's that says so; made where there is none. Rows are shared, so they are
    never changed. Raises CadenceError for what beat could not read."""
    minute, hour, day, month, weekday = cadence.cron.split()
    values = {
        "minute": minute, "hour": hour, "day_of_month": day, "month_of_year": month, "day_of_week": weekday,
        "timezone": cadence.zone,
    }  # fmt: skip
    if row := CrontabSchedule.objects.filter(**values).order_by("pk").first():
        return row
    row = CrontabSchedule(**values)
    try:
        row.full_clean()
    except ValidationError as error:
        raise CadenceError(f"“{cadence.cron}” can't be kept: {' '.join(error.messages)}") from error
    row.save()
    return row


def cron_of(text: str) -> str:
    """The cron expression, in figures, that words or an expression stand for. Raises CadenceError.

    >>> cron_of("Mondays and Thursdays at 7:00")
    '0 7 * * 1,4'
    """
    words = " ".join(text.lower().replace(",", ", ").split())
    if words in ("every hour", "hourly"):
        return "0 * * * *"
    days, at, time = words.rpartition(" at ")
    if at:
        return f"{_time(time, text)} {_days(days.removeprefix('on ').removeprefix('the '), text)}"
    return _checked(text)


def _time(words: str, text: str) -> str:
    """`minute hour` of `7`, `7:30`, `7:30 pm`."""
    found = _TIME.fullmatch(words)
    if not found:
        raise CadenceError(f"“{text}” has no time of day after its “at”; write 7:00 or 19:30.")
    hour, minute, half = int(found[1]), int(found[2] or 0), found[3]
    if half and not 1 <= hour <= 12:
        raise CadenceError(f"“{text}”: there is no {words}.")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59:
        raise CadenceError(f"“{text}”: there is no {words}; a day ends at 23:59.")
    return f"{minute} {hour}"


def _days(words: str, text: str) -> str:
    """The last three fields for `every day`, `weekdays`, `Mondays and Fridays`, `first of the month`."""
    if words in ("every day", "daily"):
        return "* * *"
    if words in ("weekdays", "every weekday"):
        return "* * 1-5"
    days, of, span = words.rpartition(" of the ")
    if not of:
        days, of, span = words.rpartition(" of every ")
    listed = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", days or words)
    if of and span in _MONTHLY:
        return f"{','.join(str(_day_of_month(one, text)) for one in listed)} {_MONTHLY[span]} *"
    found = sorted({_weekday(one, text) for one in listed})
    return f"* * {','.join(map(str, found))}"


def _day_of_month(word: str, text: str) -> int:
    number = 1 if word in ("first", "first day") else 0
    if found := _NUMBER.fullmatch(word):
        number = int(found[1])
    if not 1 <= number <= 31:
        raise CadenceError(f"“{text}”: “{word}” is no day of a month; write first, 1st, 15th.")
    return number


def _weekday(word: str, text: str) -> int:
    name = word.removeprefix("every ").removesuffix("s")
    for number, day in enumerate(_DAYS):
        if name == day or (len(name) >= 3 and name in (day[:3], day[:4])):
            return number
    raise CadenceError(f"“{text}” can't be read. Write {_EXAMPLES}.")


def _checked(text: str) -> str:
    """A cron expression with names of months and days as figures."""
    fields = text.lower().split()
    if len(fields) != 5:
        raise CadenceError(f"“{text.strip()}” can't be read. Write {_EXAMPLES}.")
    fields[3] = _in_figures(fields[3], {name: str(at) for at, name in enumerate(_MONTHS, 1)})
    fields[4] = _in_figures(fields[4], {name[:3]: str(at) for at, name in enumerate(_DAYS)})
    cron = " ".join(fields)
    try:
        CronSim(cron, _ANY_DAY)
    except CronSimError as error:
        if _is_sound(" ".join([*fields[:3], "*", fields[4]])):  # it is the month that lacks the day
            raise _never(text) from error
        field = str(error).removeprefix("Bad ")
        raise CadenceError(f"“{text.strip()}” is no cron expression: its {field} can't be read.") from error
    return cron


def _in_figures(field: str, names: dict[str, str]) -> str:
    return re.sub(r"[a-z]{3}", lambda found: names.get(found[0], found[0]), field)


def _is_sound(cron: str) -> bool:
    try:
        CronSim(cron, _ANY_DAY)
    except CronSimError:
        return False
    return True


def _never(text: str) -> CadenceError:
    return CadenceError(
        f"“{text.strip()}” never comes: none of its months has such a day. Choose another day."
    )


@dataclass(frozen=True, slots=True)
class Rhythm:
    """An expression that has words: at that time of the clock, on these days of each span. `days` of a week
    are from 0, Sunday; of a month, or the first month of a quarter or year, from 1."""

    span: Literal["day", "weekday", "week", "month", "quarter", "year"]
    days: tuple[int, ...]
    at: time


def rhythm_of(cron: str) -> Rhythm | None:
    """What the expression's days and time are; None where no words say that."""
    minute, hour, day, month, weekday = cron.split()
    if not (minute.isdecimal() and hour.isdecimal()):
        return None
    at = time(int(hour), int(minute))
    match day, month, weekday:
        case "*", "*", "*":
            return Rhythm("day", (), at)
        case "*", "*", "1-5":
            return Rhythm("weekday", (), at)
        case "*", "*", _ if re.fullmatch(r"[0-6](,[0-6])*", weekday):
            return Rhythm("week", _figures(weekday), at)
        case _, "*", "*" if _FIGURES.fullmatch(day):
            return Rhythm("month", _figures(day), at)
        case _, "1,4,7,10", "*" if _FIGURES.fullmatch(day):
            return Rhythm("quarter", _figures(day), at)
        case _, "1", "*" if _FIGURES.fullmatch(day):
            return Rhythm("year", _figures(day), at)
    return None


def _figures(field: str) -> tuple[int, ...]:
    return tuple(map(int, field.split(",")))


def in_words(cron: str) -> str:
    """What `cron_of` reads as that expression, as people say it; other expressions as they are.

    >>> in_words("30 7 * * 1,4")
    'Mondays and Thursdays at 7:30'
    """
    if cron == "0 * * * *":
        return "every hour"
    rhythm = rhythm_of(cron)
    return f"{_days_in_words(rhythm)} at {rhythm.at.hour}:{rhythm.at.minute:02}" if rhythm else cron


def _days_in_words(rhythm: Rhythm) -> str:
    match rhythm.span:
        case "day":
            return "every day"
        case "weekday":
            return "weekdays"
        case "week":
            return _listed([_DAYS[one].capitalize() + "s" for one in rhythm.days])
    return f"{_listed([_ordinal(one) for one in rhythm.days])} of the {rhythm.span}"


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[:-1] else words)


def _ordinal(number: int) -> str:
    """
    >>> [_ordinal(number) for number in (1, 2, 11, 23)]
    ['first', '2nd', '11th', '23rd']
    """
    if number == 1:
        return "first"
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 < number < 20 else ending}"
