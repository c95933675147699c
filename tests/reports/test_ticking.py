"""What falls due has its run, once: whoever ticks, how often, how late, and whatever the clock does."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TransactionTestCase

from reports import scheduling
from reports.cadence import parse, row_of
from reports.models import ReportRun, ReportSchedule
from reports.period_rules import PeriodRule
from reports.questions import Question
from tasks.models import Job
from tests.reports.schedules import a_schedule, at, dues

pytestmark = pytest.mark.django_db
MONDAY = at("2026-03-02 06:00")


def test_due_time_has_one_run_with_one_job_however_often_it_ticks() -> None:
    schedule = a_schedule(since=MONDAY, cc=["bo@example.com"])

    made = [scheduling.tick(at(f"2026-03-02 {time}")) for time in ("06:59", "07:00", "07:00", "07:01")]

    assert made == [0, 1, 0, 0]
    (run,) = ReportRun.objects.all()
    assert (run.schedule, run.due_at, run.to, run.cc) == (
        schedule, at("2026-03-02 07:00"), ["ada@example.com"], ["bo@example.com"],
    )  # fmt: skip
    assert run.asked.period.first.isoformat() == "2026-03-01"
    assert [job.payload for job in Job.objects.of(run.subject)] == [{"run": run.pk}]
    schedule.refresh_from_db()
    assert schedule.next_at == at("2026-03-03 07:00")


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_make_one_run_for_each_due_time() -> None:
    for number in range(12):
        a_schedule(since=MONDAY, name=f"Schedule {number}")
    ready, made = threading.Barrier(4), list[int]()

    def beat() -> None:
        ready.wait()
        made.append(scheduling.tick(at("2026-03-02 07:00")))
        connection.close()

    beats = [threading.Thread(target=beat) for _ in range(4)]
    for one in beats:
        one.start()
    for one in beats:
        one.join(30)

    assert (len(made), sum(made)) == (4, 12)
    assert Counter(ReportRun.objects.values_list("schedule__name", flat=True)).most_common(1)[0][1] == 1
    assert Job.objects.filter(kind=scheduling.KIND).count() == 12


def test_database_itself_refuses_a_second_run_for_a_due_time() -> None:
    a_schedule(since=MONDAY)
    scheduling.tick(at("2026-03-02 07:00"))
    run = ReportRun.objects.get()
    run.pk = None

    with pytest.raises(IntegrityError, match="report_run_once_per_due_time"), transaction.atomic():
        run.save(force_insert=True)


@pytest.mark.parametrize(
    ("policy", "made", "left_out"),
    [
        ("once", ["02 13:00"], [f"02 {hour:02}:00" for hour in range(7, 13)]),
        ("all", [f"02 {hour:02}:00" for hour in range(7, 14)], []),
        ("skip", [], [f"02 {hour:02}:00" for hour in range(7, 14)]),
    ],
)
def test_beat_down_for_seven_hours_is_caught_up_as_the_schedule_says(
    policy: str, made: list[str], left_out: list[str]
) -> None:
    schedule = a_schedule("every hour", since=at("2026-03-02 06:30"), catch_up=policy)

    scheduling.tick(at("2026-03-02 13:30"))
    assert (dues(), dues("left_out")) == (made, left_out)

    scheduling.tick(at("2026-03-02 14:00"))  # and goes on as ever
    assert dues() == [*made, "02 14:00"]
    notes = set(schedule.runs.filter(state="left_out").values_list("note", flat=True))
    assert all("The shop was down at that time." in note for note in notes)


@pytest.mark.parametrize("policy", ["once", "skip"])
def test_due_time_that_comes_late_by_minutes_is_no_outage(policy: str) -> None:
    a_schedule(since=MONDAY, catch_up=policy)

    scheduling.tick(at("2026-03-02 07:19"))

    assert (dues(), dues("left_out")) == (["02 07:00"], [])


def test_report_made_late_is_about_the_days_of_its_due_time() -> None:
    a_schedule(since=MONDAY, zone="America/New_York", catch_up="all", period="last_week")

    scheduling.tick(at("2026-03-04 23:00"))

    asked = [run.asked.period for run in ReportRun.objects.order_by("due_at")]
    assert [f"{period.first} {period.last} {period.zone.key}" for period in asked] == [
        "2026-02-23 2026-03-01 America/New_York"
    ] * 3


def test_schedule_that_cannot_be_read_keeps_no_other_waiting() -> None:
    broken, sound = a_schedule(since=MONDAY, name="Broken"), a_schedule(since=MONDAY, name="Sound")
    ReportSchedule.objects.filter(pk=broken.pk).update(period="fortnight")

    scheduling.tick(at("2026-03-02 07:00"))

    assert list(ReportRun.objects.values_list("schedule", flat=True)) == [sound.pk]


def test_paused_schedule_is_silent_and_goes_on_with_what_comes_after_it_is_resumed() -> None:
    schedule = a_schedule(since=MONDAY, catch_up="all")
    assert scheduling.pause(schedule, now=at("2026-03-03 06:00"))  # what was due by then is not lost
    assert not scheduling.pause(schedule, now=at("2026-03-03 06:01"))
    scheduling.tick(at("2026-03-05 08:00"))
    assert dues() == ["02 07:00"]

    assert scheduling.resume(schedule, now=at("2026-03-05 09:00"))
    scheduling.tick(at("2026-03-06 07:00"))

    assert dues() == ["02 07:00", "06 07:00"]


def test_change_of_the_cadence_loses_nothing_that_was_due_and_invents_nothing() -> None:
    schedule = a_schedule(since=MONDAY)
    schedule.crontab = row_of(parse("every day at 6:30", "UTC", now=MONDAY))
    schedule.name = "Earlier"

    scheduling.save(schedule, now=at("2026-03-02 07:00:30"))  # before a tick saw what is due
    scheduling.tick(at("2026-03-03 06:30"))

    assert dues() == ["02 07:00", "03 06:30"]


def test_run_now_and_reports_asked_for_by_hand_leave_due_times_alone() -> None:
    schedule = a_schedule(since=MONDAY)
    run = scheduling.run_now(schedule, now=at("2026-03-02 06:30"))
    asked = scheduling.ask(Question.from_json(run.question), title="By hand", formats=["csv"])
    scheduling.tick(at("2026-03-02 07:00"))

    assert (run.due_at, run.to, asked.due_at, asked.to) == (None, ["ada@example.com"], None, [])
    assert dues() == ["02 07:00"]


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("today", "2028-02-29 2028-02-29"),
        ("yesterday", "2028-02-28 2028-02-28"),
        ("last_7_days", "2028-02-22 2028-02-28"),
        ("last_30_days", "2028-01-30 2028-02-28"),
        ("week_to_date", "2028-02-28 2028-02-29"),
        ("last_week", "2028-02-21 2028-02-27"),
        ("month_to_date", "2028-02-01 2028-02-29"),
        ("last_month", "2028-01-01 2028-01-31"),
        ("quarter_to_date", "2028-01-01 2028-02-29"),
        ("last_quarter", "2027-10-01 2027-12-31"),
        ("year_to_date", "2028-01-01 2028-02-29"),
        ("last_year", "2027-01-01 2027-12-31"),
    ],
)
def test_rules_mean_these_days_on_a_leap_day(rule: str, days: str) -> None:
    schedule = ReportSchedule(period=rule, crontab=row_of(parse("every hour", "Europe/Berlin", now=MONDAY)))

    period = schedule.question(at("2028-02-28 23:30")).period  # which is the 29th in Berlin

    assert f"{period.first} {period.last}" == days


def test_every_rule_is_looked_at() -> None:
    marks: Any = test_rules_mean_these_days_on_a_leap_day.pytestmark  # type: ignore[attr-defined]
    assert {rule for rule, _ in marks[0].args[1]} == set(PeriodRule.values)


class AnyClock(TransactionTestCase):
    """A clock that runs, jumps by an hour and is set back loses no due time and doubles none."""

    @given(
        policy=st.sampled_from(ReportSchedule.CatchUp.values),
        jumps=st.lists(st.sampled_from([-60, -59, -30, -1, 1, 7, 30, 59, 60]), min_size=1, max_size=6),
    )
    @settings(max_examples=8, deadline=None)
    def test_due_times_are_once(self, policy: str, jumps: list[int]) -> None:
        begin = at("2026-03-02 06:07")
        schedule = a_schedule("*/20 * * * *", since=begin, catch_up=policy)
        wrong = 0
        for minute in range(0, 240, 5):
            if (
                minute >= 60 and minute % 30 == 0 and jumps
            ):  # the clock is put right again at every second jump
                wrong = jumps.pop() if not wrong else 0
            scheduling.tick(begin + timedelta(minutes=minute + wrong))
        scheduling.tick(begin + timedelta(minutes=240))

        seen = list(schedule.runs.order_by("due_at").values_list("due_at", flat=True))
        times = [begin.replace(minute=0) + timedelta(minutes=20 * number) for number in range(1, 13)]
        assert [due for due in seen if due <= begin + timedelta(minutes=240)] == times
        made = schedule.runs.exclude(state="left_out").count()
        assert made <= len(seen)
        if policy == "all":
            assert made == len(seen)
        schedule.runs.all().delete()
