"""Doormen: beat's ticks, and kinds of jobs. Losing a tick is harmless: the next does the same."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db import connection, transaction

from reports import rolling, running, scheduling
from reports.models import ReportRun
from tasks import claiming
from tasks.claiming import Claim
from tasks.registry import handles


@shared_task(name="reports.tick", queue="default", ignore_result=True)
def tick() -> int:
    """Beat's tick: a run for whatever report fell due, by the database's clock, which all workers share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        [now] = cursor.fetchone()
    return scheduling.tick(now)


def _fail(claim: Claim, error: str) -> None:
    """When it was given up: tell whom it belongs to; what its attempts have stored is of no use."""
    run = ReportRun.objects.get(pk=claim.payload["run"])
    if scheduling.fail(run=run, error=(error.strip().splitlines() or [""])[-1]):
        transaction.on_commit(lambda: running.remove_files(run), robust=True)


@handles(scheduling.KIND, queue="reports", on_dead=_fail)
def make(claim: Claim) -> None:
    """waiting → running → done: answer, write the files, and the mails."""
    try:
        running.make(claim)
    except running.RunEnded as ended:
        claiming.abandon(claim, reason=str(ended))


@shared_task(name="reports.purge_files", queue="default", ignore_result=True)
def purge_files() -> int:
    """Beat's tick: remove the files of old reports."""
    return running.purge_old(older_than=timedelta(days=settings.REPORT_RETENTION_DAYS))


@handles(rolling.KIND, queue="reports")
def roll(claim: Claim) -> None:
    """Sum up days that are over, and those that changed since."""
    rolling.roll(claim)


@shared_task(name="reports.look", queue="default", ignore_result=True)
def look() -> None:
    """Beat's tick: see to it that days are summed up."""
    rolling.look()
