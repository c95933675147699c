"""When something is due: words and cron, and what changes of the clock do to it."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate, islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.cadence import Cadence, CadenceError, cron_of, in_words, parse, row_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
# The Sunday on which each puts its clock forward in 2026, and the one on which it puts it back.
ZONES = {
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 10, 4), date(2026, 4, 5)),  # by half an hour
}


def shown(moment: datetime, zone: ZoneInfo) -> datetime:
    """What a clock on the wall shows then."""
    return moment.astimezone(zone).replace(tzinfo=None)


@cache
def watched(zone: str, day: date) -> tuple[datetime, list[datetime]]:
    """The latest time that a clock on the wall has shown by each minute of the days around that one."""
    begin = datetime.combine(day - timedelta(days=6), time(), UTC)
    minutes = (begin + timedelta(minutes=number) for number in range(12 * 24 * 60))
    return begin, list(accumulate((shown(moment, ZoneInfo(zone)) for moment in minutes), max))


def first_shown(local: datetime, zone: str, day: date) -> datetime:
    """When a clock on the wall first shows that time or a later one."""
    begin, latest = watched(zone, day)
    return begin + timedelta(minutes=bisect_left(latest, local))


@given(
    zone=st.sampled_from(list(ZONES)),
    change=st.integers(0, 1),
    away=st.integers(-2, 2),
    minute=st.integers(0, 24 * 60 - 1),
)
def test_daily_cron_is_due_once_each_local_day_when_the_clock_first_gets_there(
    zone: str, change: int, away: int, minute: int
) -> None:
    here = ZoneInfo(zone)
    day = ZONES[zone][change] + timedelta(days=away)
    at = time(minute // 60, minute % 60)
    begin = datetime.combine(day - timedelta(days=2), time(12), here)
    days = [day + timedelta(days=number) for number in range(-1, 3)]

    dues = list(islice(Cadence(f"{at.minute} {at.hour} * * *", here).after(begin), len(days) + 1))

    wanted = [first_shown(datetime.combine(one, at), zone, day) for one in days]
    assert [due for due in dues if due >= wanted[0]][: len(days)] == wanted
    assert len([due for due in dues if due < wanted[0]]) <= 1


@given(
    zone=st.sampled_from(list(ZONES)),
    change=st.integers(0, 1),
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=3),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=4) | st.none(),
)
def test_due_times_are_each_local_time_once_and_asking_again_from_anywhere_gives_the_same(
    zone: str, change: int, minutes: set[int], hours: set[int] | None
) -> None:
    here = ZoneInfo(zone)
    day = ZONES[zone][change]
    cron = f"{','.join(map(str, minutes))} {'*' if hours is None else ','.join(map(str, hours))} * * *"
    cadence = Cadence(cron, here)
    begin = datetime.combine(day, time(), here).astimezone(UTC)
    end = begin + timedelta(hours=26)

    dues = list(takewhile(lambda due: due < end, cadence.after(begin)))

    locals_ = (
        datetime.combine(day + timedelta(days=later), time(hour, minute))
        for later in (0, 1)
        for hour in (range(24) if hours is None else hours)
        for minute in minutes
    )
    moments = {first_shown(local, zone, day) for local in locals_}
    assert dues == sorted(moment for moment in moments if begin < moment < end)
    # A schedule that is looked at at any time goes on as if nothing had been.
    for moment in (begin + timedelta(minutes=minute) for minute in range(0, 26 * 60, 97)):
        later = takewhile(lambda due: due < end, cadence.after(moment))
        assert list(islice(later, 2)) == [due for due in dues if due > moment][:2]


@pytest.mark.parametrize(
    ("text", "cron", "words"),
    [
        ("every day at 7:00", "0 7 * * *", "every day at 7:00"),
        ("Daily at 7", "0 7 * * *", "every day at 7:00"),
        ("Mondays at 7:00", "0 7 * * 1", "Mondays at 7:00"),
        ("Tue, Thu and sat at 7:30 pm", "30 19 * * 2,4,6", "Tuesdays, Thursdays and Saturdays at 19:30"),
        ("weekdays at 12 am", "0 0 * * 1-5", "weekdays at 0:00"),
        ("on the first of the month at 6:00", "0 6 1 * *", "first of the month at 6:00"),
        ("1st and 22nd of every month at 6", "0 6 1,22 * *", "first and 22nd of the month at 6:00"),
        ("first of the quarter at 6:00", "0 6 1 1,4,7,10 *", "first of the quarter at 6:00"),
        ("hourly", "0 * * * *", "every hour"),
        ("*/15 8-18 * jan-MAR mon-fri", "*/15 8-18 * 1-3 1-5", "*/15 8-18 * 1-3 1-5"),
    ],
)  # fmt: skip
def test_words_and_cron_are_read_and_told(text: str, cron: str, words: str) -> None:
    assert (cron_of(text), in_words(cron), cron_of(words)) == (cron, words, cron)


@pytest.mark.parametrize(
    ("text", "zone", "said"),
    [
        ("0 7 31 2 *", "UTC", "“0 7 31 2 *” never comes: none of its months has such a day."),
        ("31st of the month at 25:00", "UTC", "“31st of the month at 25:00”: there is no 25:00;"),
        ("32nd of the month at 7", "UTC", "“32nd of the month at 7”: “32nd” is no day of a month;"),
        ("Mondays at dawn", "UTC", "“Mondays at dawn” has no time of day after its “at”;"),
        ("Mundays at 7", "UTC", "“Mundays at 7” can't be read. Write “every day at 7:00”,"),
        ("0 7 * * mon#1x", "UTC", "“0 7 * * mon#1x” is no cron expression: its day-of-week can't be read."),
        ("0 0 7 * * *", "UTC", "“0 0 7 * * *” can't be read."),
        ("", "UTC", "“” can't be read."),
        ("every day at 7", "Europe/Berln", "There is no time zone “Europe/Berln”. Did you mean Europe/B"),
        ("every day at 7", "../etc/passwd", "There is no time zone “../etc/passwd”. Write one such as"),
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_in_words(text: str, zone: str, said: str) -> None:
    with pytest.raises(CadenceError) as refused:
        parse(text, zone, now=NOW)

    assert str(refused.value).startswith(said)


@pytest.mark.django_db
def test_row_of_beat_is_shared_and_only_made_for_what_beat_can_read() -> None:
    cadence = parse("Mondays at 7:00", "Australia/Lord_Howe", now=NOW)

    row = row_of(cadence)

    assert (row_of(cadence).pk, Cadence.of(row)) == (row.pk, cadence)
    with pytest.raises(CadenceError, match=r"“0 7 l \* \*” can't be kept"):
        row_of(parse("0 7 L * *", "UTC", now=NOW))


def test_leap_day_comes_every_four_years() -> None:
    cadence = parse("0 7 29 2 *", "UTC", now=NOW)

    assert [due.year for due in islice(cadence.after(NOW), 3)] == [2028, 2032, 2036]
