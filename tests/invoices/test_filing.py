"""A PDF is made once, whoever asks and whoever is killed, and made anew when it is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import settings as configured
from django.core.files.storage import default_storage
from django.db import connection

from invoices import filing, rendering
from invoices.models import Document
from shop.printing import printer
from tasks import claiming
from tasks.models import Job
from tests.shop.orders import a_paid_order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def document() -> Document:
    a_paid_order({"KNIFE": 1})
    return Document.objects.get()


def stored() -> list[Path]:
    return sorted(Path(configured.MEDIA_ROOT).rglob("*.pdf"))


def work() -> None:
    """Let a worker look at the job, by the real task and engine."""
    job = Job.objects.get(kind="invoices.render")
    current_app.tasks[job.kind].apply(kwargs={"job_id": job.pk})


def test_job_makes_the_file_and_whoever_asks_gets_it(
    document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    work()
    document.refresh_from_db()

    monkeypatch.setattr(rendering, "pdf_of", None)  # it is not made again
    assert [path.read_bytes() for path in stored()] == [filing.pdf_of(document)]
    assert Job.objects.get(kind="invoices.render").state == "done"


def test_file_that_is_lost_is_made_anew_and_is_the_same(document: Document) -> None:
    first = filing.pdf_of(document)
    stored()[0].unlink()

    again = filing.pdf_of(document)

    assert (again, len(stored())) == (first, 1)
    assert default_storage.exists(Document.objects.get().file.name)


def test_many_who_ask_at_once_leave_one_file(document: Document) -> None:
    def ask(_: int) -> bytes:
        try:
            return filing.pdf_of(Document.objects.get(pk=document.pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        pdfs = set(threads.map(ask, range(8)))

    assert pdfs == {stored()[0].read_bytes()}
    assert [Document.objects.get().file.path] == [str(path) for path in stored()]


def _die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("owner", "name"),
    [(rendering, "pdf_of"), (default_storage, "save"), (filing, "_remove_all_but"), (claiming, "complete")],
    ids=["before the PDF", "before the storage", "before clearing up", "before the end"],
)
@pytest.mark.parametrize("late", [False, True], ids=["at its beginning", "at its end"])
def test_worker_that_is_killed_leaves_one_file_in_the_end(
    document: Document, owner: Any, name: str, late: bool, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.JOB_LEASE_SECONDS = 0.2

    def doomed() -> None:
        do: Callable[..., Any] = getattr(owner, name)
        monkeypatch.setattr(owner, name, (lambda *a, **k: _die(do(*a, **k))) if late else _die)
        work()

    connection.close()  # or both processes would talk to the database on it
    child = get_context("fork").Process(target=doomed)
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL
    job = Job.objects.get(kind="invoices.render")
    while job.state == "running" and not Job.objects.expired().exists():
        pass
    settings.JOB_LEASE_SECONDS = 30
    work()

    assert Job.objects.get(kind="invoices.render").state == "done"
    assert [Document.objects.get().file.path] == [str(path) for path in stored()]


def test_pdf_that_cannot_be_made_is_told_in_the_job(
    document: Document, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import sys; sys.exit('no such font')")
    monkeypatch.setattr(printer, "_SCRIPT", broken)

    work()

    job = Job.objects.get(kind="invoices.render")
    assert (job.state, job.error) == ("queued", "INV-00001 could not be made: no such font\n")
    assert stored() == []
