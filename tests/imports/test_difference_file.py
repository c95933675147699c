"""All differences of a preview as a file."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from imports import difference_file
from imports.models import ImportRun
from tests.imports.previews import approved, preview
from tests.imports.running import import_rows, row

pytestmark = pytest.mark.django_db(transaction=True)


def read(run: ImportRun) -> list[list[str]]:
    text = "".join(difference_file.preview_csv(run))
    assert text[0] == "\ufeff"
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def test_file_has_each_field_that_changes_or_is_new() -> None:
    import_rows([
        row("A", category="Home", published="no", metadata='{"a": 1}'),
        row("B"), row("V", description="=1+1"),
    ])  # fmt: skip
    run = preview([
        row("A", category="Home > Kitchen", published="yes", metadata='{"a": "ö"}'),
        row("B"), row("BAD", price="x"),
        row("V", description="-", parent="NEW", images="https://x.example/1.jpg\nhttps://x.example/2.jpg"),
        row("NEW", description="@home", category="Attic"),
        row("W", parent="NEW", options="Size: M"),
        row("LOST", parent="NOBODY"),
    ])  # fmt: skip

    assert read(run) == [
        ["line", "sku", "action", "field", "before", "after"],
        ["2", "A", "update", "published", "false", "true"],
        ["2", "A", "update", "metadata", '{"a": 1}', '{"a": "ö"}'],
        ["2", "A", "update", "category", "Home", "Home > Kitchen"],
        ["5", "V", "update", "description", "'=1+1", "'-"],
        ["5", "V", "update", "parent", "", "NEW"],
        ["5", "V", "update", "images", "", "https://x.example/1.jpg | https://x.example/2.jpg"],
        ["7", "NEW", "create", "name", "", "Name of NEW"],
        ["7", "NEW", "create", "description", "", "'@home"],
        ["7", "NEW", "create", "price", "", "12.5"],
        ["7", "NEW", "create", "stock", "", "3"],
        ["7", "NEW", "create", "category", "", "Attic"],
        ["8", "W", "create", "name", "", "Name of W"],
        ["8", "W", "create", "price", "", "12.5"],
        ["8", "W", "create", "stock", "", "3"],
        ["8", "W", "create", "parent", "", "NEW"],
        ["8", "W", "create", "options", "", '{"Size": "M"}'],
    ]


def test_long_file_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(difference_file, "_AT_ONCE", 2)
    import_rows([row(f"A{number}") for number in range(5)])
    run = preview([row(f"A{number}", price="1") for number in range(9)])
    assert [(line[1], line[2]) for line in read(run)[1:] if line[3] == "price"] == [
        *((f"A{number}", "update") for number in range(5)),
        *((f"A{number}", "create") for number in range(5, 9)),
    ]  # fmt: skip


def test_file_is_complete_after_a_crash_emptied_the_table() -> None:
    import_rows([row("A")])
    run = preview([row("A", price="1"), row("NEW", category="Attic")])
    before = read(run)
    with connection.cursor() as cursor:
        cursor.execute(
            f"TRUNCATE {run.staging_table}, {run.staging_table}_categories, {run.staging_table}_paths"
        )

    assert (read(run), len(before)) == (before, 6)


@pytest.mark.parametrize("mode", ["unpublish", "delete"])
def test_nothing_is_created_where_products_are_taken_out(mode: str) -> None:
    import_rows([row("A")])
    run = preview([row("A", price="13"), row("NEW")], mode=mode)
    whole = [
        ["2", "A", "remove", "name", "Name of A", ""], ["2", "A", "remove", "price", "12.5", ""],
        ["2", "A", "remove", "stock", "3", ""], ["2", "A", "remove", "published", "true", ""],
        ["2", "A", "remove", "category", "", ""],
    ]  # fmt: skip
    if mode == "unpublish":
        whole = [["2", "A", "remove", "published", "true", "false"]]
    assert read(run)[1:] == whole
    assert [run.forecast[name] for name in ("remove", "skip", "create", "update")] == [1, 1, 0, 0]


def test_file_is_sent_while_the_preview_is_there(admin_client: Client) -> None:
    run = preview([row("A")])
    address = reverse("admin:imports_importrun_preview_csv", args=[run.pk])
    answer: Any = admin_client.get(address)

    assert answer["Content-Disposition"] == f'attachment; filename="preview-{run.pk}.csv"'
    assert b"".join(answer.streaming_content).decode() == "".join(difference_file.preview_csv(run))
    approved(run)
    assert admin_client.get(address).status_code == 302
