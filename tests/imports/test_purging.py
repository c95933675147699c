"""Details of old imports are removed, in pieces, whatever happens meanwhile; the counts stay."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import models
from django.utils import timezone

from imports import purging
from imports.models import (
    Chunk,
    CreatedProducts,
    ImportRun,
    RejectedRow,
    RepairedRow,
    RowChange,
    SetAsideRow,
)
from imports.tasks import purge_old_runs
from tasks import claiming
from tasks.claiming import LeaseLost
from tasks.models import Job
from tests.imports.running import do, due_jobs, import_rows, outcomes, row, work

pytestmark = pytest.mark.django_db(transaction=True)

DETAILS: list[type[models.Model]] = [
    Chunk, CreatedProducts, RejectedRow, RepairedRow, RowChange, SetAsideRow,
]  # fmt: skip
MONTH = timedelta(days=30)


@pytest.fixture(autouse=True)
def in_batches_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many transactions out of few rows."""
    monkeypatch.setattr(purging, "_BATCHES", dict.fromkeys(purging._BATCHES, 2))


def an_import(*, days_ago: int = 40) -> ImportRun:
    """One that created, changed, rejected and set aside several rows, and ended so long ago."""
    import_rows([row(f"OLD-{number}") for number in range(7)])
    changed = [row(f"OLD-{number}", price="99") for number in range(7)]
    others = [row("NEW"), row("NEW", price="3"), row("NEW", price="4"), row("BAD", price="dear")]
    run = import_rows([*changed, *others])
    ended = timezone.now() - timedelta(days=days_ago)
    ImportRun.objects.filter(pk=run.pk).update(finished_at=ended)
    RepairedRow.objects.create(run=run, line=3, code="x", message="x")
    run.refresh_from_db()
    return run


def left(run: ImportRun) -> dict[str, int]:
    """How many rows of details the run has."""
    return {
        model.__name__: count
        for model in DETAILS
        if (count := model._default_manager.filter(run=run).count())
    }


def files(run: ImportRun) -> list[str]:
    """Names of its files that are stored."""
    return [file.name for file in (run.file, run.rejected_file) if file and file.storage.exists(file.name)]


def test_old_import_loses_its_details_and_keeps_its_counts() -> None:
    run = an_import()
    before, counted, stored = left(run), outcomes(run), files(run)
    storage = run.file.storage
    assert (before["RowChange"], len(stored)) == (7, 2)
    assert purging.begin_old(older_than=MONTH) == 1
    work(run)
    assert left(run) == {}
    assert [name for name in [*stored, os.path.dirname(stored[0])] if storage.exists(name)] == []
    assert (outcomes(run), run.file.name, run.rejected_file.name) == (counted, "", "")
    assert run.purged_at is not None


def test_folder_with_a_file_of_somebody_else_stays() -> None:
    run = an_import()
    stored, storage = files(run), run.file.storage
    other = storage.save(f"{os.path.dirname(stored[0])}/notes.txt", ContentFile(b"keep"))
    purging.begin_old(older_than=MONTH)
    work(run)
    assert [name for name in [*stored, other] if storage.exists(name)] == [other]


def test_younger_import_keeps_everything() -> None:
    run = an_import(days_ago=20)
    before, stored = left(run), files(run)
    assert purging.begin_old(older_than=MONTH) == 0
    work(run)
    assert (left(run), files(run), run.purged_at) == (before, stored, None)


def test_other_imports_keep_theirs() -> None:
    young, old = an_import(days_ago=1), an_import()
    kept = left(young)
    purging.begin_old(older_than=MONTH)
    work(old)
    assert (left(old), left(young)) == ({}, kept)


def test_import_is_purged_once_however_often_it_is_asked_for() -> None:
    run = an_import()
    assert [purging.begin_old(older_than=MONTH) for _ in range(3)] == [1, 0, 0]
    assert Job.objects.filter(kind="imports.purge").count() == 1
    work(run)
    assert purging.begin_old(older_than=MONTH) == 0


def test_tick_goes_by_the_setting(settings: Any) -> None:
    an_import(days_ago=40)
    settings.IMPORT_RETENTION_DAYS = 41
    assert purge_old_runs() == 0
    settings.IMPORT_RETENTION_DAYS = 39
    assert purge_old_runs() == 1


@pytest.mark.parametrize("at", range(0, 11, 2))
def test_purge_that_is_killed_anywhere_goes_on_and_ends_the_same(
    monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    run = an_import()
    stored, storage = files(run), run.file.storage
    purging.begin_old(older_than=MONTH)
    [job] = due_jobs()
    removing = purging._removing

    def until_killed(run: ImportRun) -> Any:
        for number, count in enumerate(removing(run)):
            if number == at:
                raise ConnectionError("killed")
            yield count

    with monkeypatch.context() as killed:
        killed.setattr(purging, "_removing", until_killed)
        with pytest.raises(ConnectionError):
            do(job)
    Job.objects.filter(pk=job.pk).update(run_after=timezone.now())
    work(run)
    assert (left(run), [name for name in stored if storage.exists(name)]) == ({}, [])
    job.refresh_from_db()
    assert (job.state, run.file.name) == ("done", "")


def test_purge_killed_after_its_files_were_deleted_ends_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    run = an_import()
    purging.begin_old(older_than=MONTH)
    [job] = due_jobs()

    def killed(claim: Any) -> None:
        raise ConnectionError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(claiming, "complete", killed)
        with pytest.raises(ConnectionError):
            do(job)
    run.refresh_from_db()
    assert (run.file.name != "", files(run)) == (True, [])
    Job.objects.filter(pk=job.pk).update(run_after=timezone.now())
    work(run)
    assert (run.file.name, left(run)) == ("", {})


def test_worker_that_lost_its_lease_does_not_say_that_it_is_done() -> None:
    run = an_import()
    purging.begin_old(older_than=MONTH)
    [job] = due_jobs()
    late = claiming.claim(job_id=job.pk)
    assert late is not None
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now())
    assert claiming.claim(job_id=job.pk) is not None
    with pytest.raises(LeaseLost):
        purging.purge(late)
    run.refresh_from_db()
    assert run.file.name != ""


def undo_of(run: ImportRun, state: str) -> ImportRun:
    ended = timezone.now() if state in ImportRun.ENDED else None
    return ImportRun.objects.create(
        kind="undo", undoes=run, filename=run.filename, size=0, state=state, finished_at=ended
    )


def test_import_that_an_unfinished_undo_needs_is_left_alone_until_that_has_ended() -> None:
    run = an_import()
    undo = undo_of(run, "loading")
    assert purging.begin_old(older_than=MONTH) == 0
    ImportRun.objects.filter(pk=undo.pk).update(state="completed", finished_at=timezone.now())
    assert purging.begin_old(older_than=MONTH) == 1


def test_redo_at_work_keeps_the_undo_and_the_import_that_it_goes_back_to() -> None:
    run = an_import()
    undo = undo_of(run, "completed")
    ImportRun.objects.filter(pk=undo.pk).update(finished_at=run.finished_at)
    redo = undo_of(undo, "waiting")
    assert purging.begin_old(older_than=MONTH) == 0
    ImportRun.objects.filter(pk=redo.pk).update(state="failed", finished_at=timezone.now())
    assert purging.begin_old(older_than=MONTH) == 2
    work(run)
    assert left(run) == left(undo) == {}


@pytest.mark.parametrize("state", ["draft", "waiting", "previewed", "loading"])
def test_import_that_has_not_ended_is_never_purged(state: str) -> None:
    run = an_import()
    ImportRun.objects.filter(pk=run.pk).update(state=state, finished_at=None, created_at="2020-01-01T00:00Z")
    assert purging.begin_old(older_than=MONTH) == 0
