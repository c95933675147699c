"""The last part of a run's page: who, when, how it was read, what was chosen; and its file."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from imports import pipeline, purging, receiving
from imports.models import ImportRun, RowChange
from tests.imports.running import csv_of, import_rows, receive, row, work
from tests.imports.test_pages import BROKEN, page_of, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> Client:
    """The browser of somebody who may do everything."""
    client.force_login(User.objects.create_superuser("ada"))
    return client


def details(client: Client, run: ImportRun) -> str:
    return text_of(client.get(page_of(run))).partition("Details ")[2]


def test_details_say_who_uploaded_and_who_confirmed(admin: Client) -> None:
    bob = User.objects.create_user("bob")
    run = receiving.receive(stream=io.BytesIO(csv_of([row("A")]).encode()), filename="a.csv", owner=bob)
    run = work(pipeline.confirm(run=run, by=User.objects.get(username="ada")))
    shown = details(admin, run)
    assert shown.startswith("Who and when Uploaded now by bob Confirmed now by ada Ended now Speed ")
    assert "File Size" in shown
    assert run.sha256 in shown


def test_details_say_how_the_file_was_read_and_what_was_chosen(admin: Client) -> None:
    text = "Supplier list\nCode;Title;Cost;Room\nA;Bowl;12,50;\nB;Cup;2,50;\n"
    run = receive(text.encode("cp1252"))
    mapping = {"sku": 0, "name": 1, "price": 2}
    run = work(
        pipeline.confirm(
            run=run,
            mapping=mapping,
            mode="create",
            constants={"category": "Kitchen"},
            blank="clear",
            repair=False,
            keep_unknown=True,
        )
    )
    shown = details(admin, run)
    assert "Encoding UTF-8 Delimiter Semicolon ; Quotes Double &quot; Header line 2" in shown
    assert "Mode Only create new products Blank cells Clear it:" in shown
    assert "Other columns Kept in the metadata Broken lines Rejected" in shown
    assert (
        "Ours The file’s Read as SKU ← Code Name ← Title Price ← Cost format: 1.234,56"
        " Category “Kitchen” where absent or blank" in shown
    )


def test_details_tell_the_phases_with_their_jobs(admin: Client, settings: Any) -> None:
    settings.IMPORT_CHUNK_BYTES = 400
    run = import_rows([row(f"SKU-{number}") for number in range(60)])
    shown = details(admin, run)
    jobs = run.chunks_total
    assert jobs > 1
    assert "Phases Phase Jobs Began Took Reading the file 1 now" in shown
    assert f"Checking rows {jobs} now" in shown
    assert "Writing to the catalogue 1 now" in shown


def test_details_of_an_undone_import_lead_to_its_undo_and_back(admin: Client) -> None:
    run = import_rows([row("A")])
    undo = ImportRun.objects.create(
        kind="undo", undoes=run, filename=run.filename, size=0, state="completed", finished_at=timezone.now()
    )
    assert f"Taken back by Undo {undo.pk}: catalog.csv (completed)." in details(admin, run)
    shown = details(admin, undo)
    assert shown.startswith(f"Takes back Import {run.pk}: catalog.csv . Who and when Asked for now")
    assert "SHA-256" not in shown


def test_details_are_on_the_page_of_a_running_import(admin: Client) -> None:
    run = pipeline.confirm(run=receive(csv_of(BROKEN)))
    assert "Uploaded now Confirmed now" in text_of(admin.get(page_of(run, "progress")))


def test_file_is_downloaded_as_it_was_uploaded_under_its_own_name(admin: Client) -> None:
    data = csv_of([row("A", name="Schüssel")]).encode()
    run = work(pipeline.confirm(run=receive(data, "Frühling 2026.csv")))
    answer: Any = admin.get(page_of(run, "file"))
    content = b"".join(answer.streaming_content)
    assert (content, hashlib.sha256(content).hexdigest()) == (data, run.sha256)
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''Fr%C3%BChling%202026.csv"


def test_packed_file_is_downloaded_as_what_was_in_it(admin: Client) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inside.csv", csv_of([row("A")]))
    run = receive(packed.getvalue(), "list.zip")
    answer: Any = admin.get(page_of(run, "file"))
    assert b"".join(answer.streaming_content).decode() == csv_of([row("A")])
    assert answer["Content-Disposition"] == 'attachment; filename="list.zip.csv"'


def test_file_is_not_for_those_who_may_not_see_imports(client: Client) -> None:
    run = import_rows([row("A")])
    client.force_login(User.objects.create_user("eve", is_staff=True))
    assert client.get(page_of(run, "file")).status_code == 403


def test_file_that_is_gone_says_so(admin: Client) -> None:
    run = import_rows([row("A")])
    run.file.storage.delete(run.file.name)
    answer = admin.get(page_of(run, "file"), follow=True)
    assert [str(message) for message in answer.context["messages"]] == ["catalog.csv is no longer kept."]


def test_purged_import_says_so_and_offers_nothing_that_is_gone(admin: Client) -> None:
    run = import_rows([*BROKEN, row("A")])
    ImportRun.objects.update(finished_at="2020-01-01T00:00Z")
    purging.begin_old(older_than=timedelta(days=30))
    run = work(run)
    page = admin.get(page_of(run))
    shown, html = text_of(page), page.content.decode()
    assert (
        "The file, the lists of rows and the journal were removed now ; undo is no longer possible." in shown
    )
    gone = [page_of(run, name) for name in ("file", "rejected", "set_aside")]
    assert [address for address in gone if address in html] == []
    for address in gone:
        answer = admin.get(address, follow=True)
        assert (answer.status_code, len(answer.context["messages"])) == (200, 1)
    assert RowChange.objects.count() == 0
