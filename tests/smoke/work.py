"""Real work for the queues, and the marks that it leaves in PostgreSQL, in the mailbox and in the history."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from email import message_from_bytes
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.db import connection
from django_celery_results.models import TaskResult
from pytest_celery import RESULT_TIMEOUT

from imports import pipeline, receiving, sample_catalog
from imports.models import ImportRun
from notifications.models import Message
from reports import scheduling
from reports.models import ReportRun
from reports.periods import Period
from reports.questions import Question
from tasks.models import Job


def wait_for(condition: Callable[[], object], what: str, *, seconds: float = RESULT_TIMEOUT) -> None:
    """Wait until `condition()` is true; fails the test after `seconds`, saying `what` was waited for.

    pytest-celery's own way of waiting looks once a second.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            left = Job.objects.unfinished().values_list("kind", "state", "attempts", "worker", "error")
            pytest.fail(f"waited {seconds:g} s in vain for: {what}. Jobs that are left: {list(left)}")
        time.sleep(0.02)


def start_import(count: int) -> ImportRun:
    """Confirm an import of so many new products, as the upload page does."""
    text = sample_catalog.HEADER + "".join(sample_catalog.rows(count, seed=1))
    run = receiving.receive(stream=BytesIO(text.encode()), filename="smoke.csv")
    return pipeline.confirm(run=run)


def ask_report(title: str, *, to: str) -> ReportRun:
    """Ask for the sales of a month as a file, and for a mail when it is made."""
    days = Period(date(2026, 3, 1), date(2026, 3, 31), ZoneInfo("UTC"))
    return scheduling.ask(Question("sales", days), title=title, formats=["csv"], to=[to])


@contextmanager
def held(table: str, *, for_reading: bool = False) -> Iterator[None]:
    """Nobody else changes the table meanwhile, nor reads it if `for_reading`: whoever wants to stands in the
    middle of its work."""
    mode = "ACCESS EXCLUSIVE" if for_reading else "EXCLUSIVE"
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute(f'LOCK TABLE "{table}" IN {mode} MODE'.encode())
        yield


def stuck_at(table: str) -> int:
    """How many sessions wait for the table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [table]
        )
        (waiting,) = cursor.fetchone()
    return int(waiting)


def all_is_done() -> bool:
    """Whether no job is left to do and no mail to be sent, and the results of all jobs are written."""
    ended = TaskResult.objects.filter(status__in=["SUCCESS", "FAILURE"]).values("task_id")
    return not (
        Job.objects.unfinished().exists()
        or Message.objects.filter(due_at__isnull=False).exists()
        or Job.objects.exclude(task_id__in=ended).exists()  # the result comes after the job's transaction
    )


def mails_to(recipient: str, folder: Path) -> list[int]:
    """How often each of the mails to them lies in the mailbox, by Message-ID."""
    found = (message_from_bytes(path.read_bytes()) for path in folder.glob("*.eml"))
    return list(Counter(mail["Message-ID"] for mail in found if recipient in mail["To"]).values())
