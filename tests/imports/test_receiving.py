"""Taking a file in: stored, hashed, looked at; or refused, and then nothing of it is kept."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.core.files.storage import default_storage
from django.utils import timezone

from imports import pipeline, receiving
from imports.dialect import RefusedFile
from imports.models import ImportRun
from imports.receiving import discard_old_drafts, look_again, sample_rows
from tests.imports.running import receive

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def stored(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def folders(media: Path) -> list[Path]:
    """Those of uploads, empty ones too."""
    return list((media / "imports").iterdir())


def test_file_is_stored_hashed_and_looked_at() -> None:
    data = "sku;name;Preis\nA;Brett;1\nB;Käse;2\n".encode("cp1252")

    run = receive(data, filename="Liste März.csv")

    run.refresh_from_db()
    assert (run.state, run.filename, run.size) == ("draft", "Liste März.csv", len(data))
    assert run.sha256 == hashlib.sha256(data).hexdigest()
    assert (run.header, run.mapping) == (["sku", "name", "Preis"], {"sku": 0, "name": 1, "price": 2})
    assert (run.dialect["encoding"], run.dialect["delimiter"]) == ("cp1252", ";")
    with default_storage.open(run.file.name) as file:
        assert file.read() == data
    assert sample_rows(run) == [["A", "Brett", "1"], ["B", "Käse", "2"]]


def test_owner_can_correct_what_was_detected() -> None:
    run = receive(b"sku;name\nA,x;Brett\n")

    look_again(run, delimiter=",", encoding="latin-1")

    assert (run.header, run.mapping) == (["sku;name"], {})
    assert (run.dialect["encoding"], run.dialect["delimiter"]) == ("latin-1", ",")


class _Endless(io.RawIOBase):
    """A file without an end that knows how much was read of it."""

    taken = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self.taken += size
        return (b"sku,name\n" + b"A,Board\n" * (size // 8))[:size]


def test_file_over_the_limit_is_refused_while_it_streams(settings: Any, media: Path) -> None:
    settings.IMPORT_MAX_BYTES = 3_000_000
    endless = _Endless()

    with pytest.raises(RefusedFile) as refused:
        receiving.receive(stream=endless, filename="endless.csv")  # type: ignore[arg-type]

    message = "The file is larger than 2.9 MB, the limit. Split it, or raise IMPORT_MAX_BYTES."
    assert (refused.value.code, str(refused.value)) == ("too_large", message)
    assert endless.taken <= 4 * 1024 * 1024
    assert (stored(media), ImportRun.objects.count()) == ([], 0)


def test_file_of_exactly_the_limit_is_taken(settings: Any) -> None:
    data = b"sku,name\nA,Board\n"
    settings.IMPORT_MAX_BYTES = len(data)

    assert receive(data).size == len(data)


def test_refused_file_is_not_kept(media: Path) -> None:
    with pytest.raises(RefusedFile):
        receive(b"%PDF-1.7 ...")

    assert (stored(media), folders(media), ImportRun.objects.count()) == ([], [], 0)


def test_discarded_draft_takes_its_file_along(media: Path) -> None:
    run = receive(b"sku,name\nA,Board\n")
    assert len(stored(media)) == 1

    receiving.discard(run)

    assert (stored(media), folders(media), ImportRun.objects.count()) == ([], [], 0)


def test_discarded_draft_goes_from_a_storage_without_folders(settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    }
    run = receive(b"sku,name\nA,Board\n")
    name = run.file.name
    assert default_storage.exists(name)

    receiving.discard(run)

    assert (default_storage.exists(name), ImportRun.objects.count()) == (False, 0)


@pytest.mark.parametrize(
    ("filename", "kept"),
    [
        ("../../etc/passwd", "../../etc/passwd"),
        ("caf\udce9.csv", "caf?.csv"),
        ("x" * 400 + ".csv", "x" * 251 + ".csv"),
        ("", ""),
    ],
)
def test_any_file_name_is_stored_below_a_folder_of_its_own(filename: str, kept: str, media: Path) -> None:
    run = receive(b"sku,name\nA,Board\n", filename=filename)

    run.refresh_from_db()
    (path,) = stored(media)
    assert (run.filename, path.parent.parent) == (kept, media / "imports")


def test_drafts_that_nobody_confirmed_are_discarded_with_their_files(media: Path) -> None:
    old, started, fresh = (receive(f"sku,name\n{sku},x\n") for sku in "ABC")
    pipeline.confirm(run=started)
    week_ago = timezone.now() - timedelta(days=7)
    ImportRun.objects.filter(pk__in=[old.pk, started.pk]).update(created_at=week_ago)

    assert discard_old_drafts(older_than=timedelta(days=7)) == 1

    assert sorted(ImportRun.objects.values_list("pk", flat=True)) == [started.pk, fresh.pk]
    assert sorted(stored(media)) == sorted(Path(run.file.path) for run in (started, fresh))


def test_drafts_are_kept_for_as_many_days_as_the_settings_say(settings: Any) -> None:
    receive("sku,name\nA,x\n")
    ImportRun.objects.update(created_at=timezone.now() - timedelta(days=3))
    settings.IMPORT_DRAFT_DAYS = 4
    current_app.tasks["imports.discard_old_drafts"].apply().get()
    assert ImportRun.objects.count() == 1
    settings.IMPORT_DRAFT_DAYS = 3
    current_app.tasks["imports.discard_old_drafts"].apply().get()
    assert ImportRun.objects.count() == 0


def test_long_name_that_is_not_latin_is_stored() -> None:
    run = receive("sku,name,price\nA,Bowl,1\n", filename="商品" * 60 + ".csv")
    assert run.filename == "商品" * 60 + ".csv"
    with run.opened() as stream:
        assert stream.read(3) == b"sku"
