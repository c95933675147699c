"""Which reports are due: beat ticks, the table decides.

    tick ─▶ schedules whose next time has come, one after the other, each locked
              └▶ a run for every due time since it was last looked at, with its job, in one transaction

A run is unique by schedule and due time, so it is made once, however many beats tick, whatever the clock
does. The job engine does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from reports.cadence import Cadence
from reports.models import ReportRun, ReportSchedule
from reports.questions import Question
from reports.signals import report_failed, schedule_paused
from tasks.queueing import NewJob, create

log = structlog.get_logger(__name__)

KIND = "reports.make"
LATE = timedelta(minutes=20)  # a due time older than this was missed, and the schedule's policy decides
_AT_ONCE = 1_000  # due times of a schedule that one tick goes through; the next one goes on
_LEFT_OUT = "The shop was down at that time. The schedule says: {}."


def tick(now: datetime) -> int:
    """Make the runs of all that fell due by `now`, aware; returns how many. Safe to call at any time, twice,
    or beside another tick. A schedule that can't be read is logged, and keeps no other from being looked
    at."""
    # Where the clock was set back, a schedule may have been looked at in what is the future by now.
    waiting = ReportSchedule.objects.filter(Q(next_at__lte=now) | Q(looked_at__gt=now), enabled=True)
    made = 0
    for pk in waiting.order_by("next_at", "pk").values_list("pk", flat=True):
        try:
            made += _look(pk, now)
        except Exception:
            log.exception("could not look at the schedule of a report", schedule=pk)
    return made


@transaction.atomic
def _look(pk: int, now: datetime) -> int:
    schedule = _locked(pk, skip_locked=True)
    return catch_up(schedule, now) if schedule and schedule.enabled else 0


def _locked(pk: int, *, skip_locked: bool = False) -> ReportSchedule | None:
    locked = ReportSchedule.objects.select_for_update(of=("self",), skip_locked=skip_locked)
    return locked.select_related("crontab").filter(pk=pk).first()


def catch_up(schedule: ReportSchedule, now: datetime) -> int:
    """Make the runs of a schedule, locked and enabled, that fell due by `now`; returns how many."""
    if schedule.looked_at > now:
        _turn_back(schedule, now)
    dues = list(islice(takewhile(lambda due: due <= now, schedule.due_after(schedule.looked_at)), _AT_ONCE))
    there = set(schedule.runs.filter(due_at__in=dues).values_list("due_at", flat=True))
    wanted = set(_wanted(schedule.catch_up, dues, now))
    runs = [_run_due(schedule, due, is_wanted=due in wanted) for due in dues if due not in there]
    ReportRun.objects.bulk_create(runs)
    made = [run for run in runs if run.state == ReportRun.State.WAITING]
    _queue(made)
    set_going(schedule, dues[-1] if len(dues) == _AT_ONCE else now)
    return len(made)


def _turn_back(schedule: ReportSchedule, now: datetime) -> None:
    """The clock was ahead. What was reported then stays reported; what was left out has its time yet to
    come."""
    schedule.runs.filter(state=ReportRun.State.LEFT_OUT, due_at__gt=now).delete()
    schedule.looked_at = now


def _wanted(policy: str, dues: Sequence[datetime], now: datetime) -> Iterable[datetime]:
    missed = [due for due in dues if now - due > LATE]
    on_time = dues[len(missed) :]
    match ReportSchedule.CatchUp(policy):
        case ReportSchedule.CatchUp.ALL:
            return dues
        case ReportSchedule.CatchUp.SKIP:
            return on_time
        case ReportSchedule.CatchUp.ONCE:
            return on_time or missed[-1:]


def set_going(schedule: ReportSchedule, looked_at: datetime) -> None:
    """Write down how far the schedule was looked at, and when it is due next."""
    schedule.looked_at = looked_at
    schedule.next_at = next(schedule.due_after(looked_at), None)
    schedule.save(update_fields=["looked_at", "next_at"])


def _run_of(schedule: ReportSchedule, question: Question, **values: Any) -> ReportRun:
    return ReportRun(
        schedule=schedule, title=schedule.name, question=question.to_json(), formats=schedule.formats,
        to=schedule.to, cc=schedule.cc, bcc=schedule.bcc, **values,
    )  # fmt: skip


def _run_due(schedule: ReportSchedule, due: datetime, *, is_wanted: bool) -> ReportRun:
    values: dict[str, Any] = {"due_at": due, "skip_if_empty": schedule.skip_if_empty}
    if not is_wanted:
        note = _LEFT_OUT.format(schedule.get_catch_up_display())
        values |= {"state": ReportRun.State.LEFT_OUT, "finished_at": Now(), "note": note}
    return _run_of(schedule, schedule.question(due), **values)


def _queue(runs: Iterable[ReportRun]) -> None:
    create(NewJob(KIND, run.subject, f"Report {run.pk}: {run.title}", {"run": run.pk}) for run in runs)


@transaction.atomic
def ask(
    question: Question, *, title: str, formats: Sequence[str], owner: Any = None, to: Sequence[str] = ()
) -> ReportRun:
    """Have a report made by a worker, once, its files to be downloaded; a mail to each of `to` says when."""
    run = ReportRun.objects.create(
        title=title[:120], question=question.to_json(), formats=list(formats), owner=owner, to=list(to)
    )
    _queue([run])
    return run


@transaction.atomic
def run_now(schedule: ReportSchedule, *, now: datetime, by: Any = None) -> ReportRun:
    """Have it made as if it were due now, and mailed to its recipients; its due times stay as they are."""
    run = _run_of(schedule, schedule.question(now), owner=by)
    run.save()
    _queue([run])
    return run


@transaction.atomic
def pause(schedule: ReportSchedule, *, now: datetime, why: str = "") -> bool:
    """Nothing is due any more until somebody resumes it; what was due by `now` has its run. False if it was
    paused."""
    row = _locked(schedule.pk)
    if row is None or not row.enabled:
        return False
    catch_up(row, now)
    row.enabled, row.paused_why = False, why
    row.save(update_fields=["enabled", "paused_why"])
    return True


@transaction.atomic
def resume(schedule: ReportSchedule, *, now: datetime) -> bool:
    """Go on with the first due time after `now`; nothing is made up for. False if it was not paused."""
    row = _locked(schedule.pk)
    if row is None or row.enabled:
        return False
    row.enabled, row.paused_why, row.failures = True, "", 0
    row.save(update_fields=["enabled", "paused_why", "failures"])
    set_going(row, now)
    return True


@transaction.atomic
def save(schedule: ReportSchedule, *, now: datetime) -> None:
    """Store a schedule that is new or was changed. What was due by `now` under its former cadence keeps its
    run, and the new one holds for what comes after."""
    before = _locked(schedule.pk) if schedule.pk else None
    if before is None:
        schedule.looked_at = now
    else:
        if before.enabled:
            catch_up(before, now)
        schedule.looked_at, schedule.next_at = before.looked_at, before.next_at
        schedule.enabled, schedule.failures = before.enabled, before.failures
    schedule.save()
    if before is None or before.crontab_id != schedule.crontab_id:
        set_going(schedule, now)


def next_times(cadence: Cadence, *, now: datetime, count: int = 5) -> list[datetime]:
    """Its next due times, as its own clock shows them."""
    return [due.astimezone(cadence.zone) for due in islice(cadence.after(now), count)]


def succeeded(run: ReportRun) -> None:
    """Its schedule works: what failed before counts no more."""
    if run.schedule_id is not None:
        ReportSchedule.objects.filter(pk=run.schedule_id).exclude(failures=0).update(failures=0)


@transaction.atomic
def fail(*, run: ReportRun, error: str) -> bool:
    """End the run as failed, with `error` for people; pause its schedule when that failed too often in a row.
    False, and nothing done, when the run has ended already."""
    ended = ReportRun.objects.filter(pk=run.pk, state__in=ReportRun.OPEN).update(
        state=ReportRun.State.FAILED, error=error, finished_at=Now()
    )
    if not ended:
        return False
    run.refresh_from_db()
    schedule = _locked(run.schedule_id) if run.schedule_id is not None else None
    if schedule and _pauses(schedule, error):
        schedule_paused.send(sender=ReportSchedule, schedule=schedule, run=run)
    else:
        report_failed.send(sender=ReportRun, run=run)
    return True


def _pauses(schedule: ReportSchedule, error: str) -> bool:
    """Count a failure; whether that was one too many."""
    ReportSchedule.objects.filter(pk=schedule.pk).update(failures=F("failures") + 1)
    schedule.failures += 1
    if not (schedule.enabled and schedule.pause_after and schedule.failures >= schedule.pause_after):
        return False
    schedule.enabled = False
    schedule.paused_why = f"It failed {schedule.failures} times in a row, the last time with: {error}"
    schedule.save(update_fields=["enabled", "paused_why"])
    return True
