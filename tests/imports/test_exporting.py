"""The catalogue as a file, and that file back into the catalogue."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from imports import exporting, source
from imports.files import CsvFile
from imports.models import ExportRun
from shop.models import Product, ProductImage
from tasks.claiming import JobFailed
from tasks.models import Job
from tests.imports.exports import (
    catalogue,
    content,
    empty_catalogue,
    exported,
    imported,
    stamps,
    table,
    work,
)
from tests.imports.running import csv_of, import_rows, outcomes, rejections
from tests.shop.factories import a_category, a_product

pytestmark = pytest.mark.django_db(transaction=True)


def a_shirt() -> Product:
    """A product with an image and two variants."""
    shirt = a_product(sku="shirt", name="Shirt", slug="shirt", category=a_category("Clothes > Shirts"))
    ProductImage.objects.create(product=shirt, source_url="https://example.com/a.jpg", position=1)
    ProductImage.objects.create(product=shirt, source_url="https://example.com/b.jpg", position=0)
    for size in "SM":
        a_product(sku=f"shirt-{size}", parent=shirt, options={"Size": size}, name=f"Shirt {size}")
    return shirt


def test_an_export_has_our_columns_one_row_a_product() -> None:
    a_shirt()

    run = exported()

    assert table(run)[:2] == [
        {
            "sku": "shirt",
            "name": "Shirt",
            "description": "",
            "price": "9.99",
            "compare_at_price": "",
            "stock": "0",
            "category": "Clothes > Shirts",
            "published": "true",
            "featured": "false",
            "metadata": "{}",
            "parent": "",
            "options": "",
            "images": "https://example.com/b.jpg | https://example.com/a.jpg",
        },
        {
            "sku": "shirt-M",
            "name": "Shirt M",
            "description": "",
            "price": "9.99",
            "compare_at_price": "",
            "stock": "0",
            "category": "",
            "published": "true",
            "featured": "false",
            "metadata": "{}",
            "parent": "shirt",
            "options": "Size: M",
            "images": "",
        },
    ]
    assert (run.state, run.rows, run.products, run.size) == ("completed", 3, 3, len(content(run)))


def test_an_export_comes_back_as_it_was() -> None:
    a_shirt()
    before, changed = catalogue(), stamps()
    data = content(exported())

    again = imported(data)
    assert (outcomes(again), stamps()) == ({"unchanged": 3}, changed)

    empty_catalogue()
    anew = imported(data)
    assert (outcomes(anew), catalogue()) == ({"created": 3}, before)


def test_what_killed_attempts_have_stored_is_removed() -> None:
    a_product()
    run = exporting.start(chosen={})
    default_storage.save(f"{run.folder}/left-over.csv", ContentFile(b"half a file"))

    work(run)

    assert default_storage.listdir(run.folder) == ([], [Path(str(run.file.name)).name])


def test_file_of_an_old_export_is_removed_and_the_export_stays() -> None:
    a_product(sku="A")
    old, young = exported(), exported()
    ExportRun.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(days=181))

    assert exporting.purge_old(older_than=timedelta(days=180)) == 1
    old.refresh_from_db()
    assert (old.state, bool(old.file), default_storage.exists(young.file.name)) == ("completed", False, True)
    assert not default_storage.exists(old.folder)
    assert exporting.purge_old(older_than=timedelta(days=180)) == 0


def test_a_worker_that_lost_its_lease_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    a_product()
    run = exporting.start(chosen={})
    save = default_storage.save

    def slow_save(name: str, file: File) -> str:
        Job.objects.filter(subject=run.subject).update(lease_token=uuid.uuid4())  # taken over meanwhile
        return save(name, file)

    monkeypatch.setattr(default_storage, "save", slow_save)
    work(run)

    assert (run.state, bool(run.file)) == ("running", False)
    assert default_storage.listdir(run.folder) == ([], [])


def test_a_cancelled_export_stops_between_two_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_AT_ONCE", 1)
    monkeypatch.setattr(exporting, "_TELL_EVERY", 0.0)
    for _ in range(3):
        a_product()
    run = exporting.start(chosen={})
    written = []

    class Watched(CsvFile):
        def write(self, rows: Iterable[Sequence[str]]) -> None:
            written.append(list(rows))
            if len(written) == 3:  # the header and two products
                exporting.cancel(run=run)

    monkeypatch.setattr(exporting, "CsvFile", Watched)
    work(run)

    assert (run.state, len(written), bool(run.file)) == ("cancelled", 3, False)
    assert Job.objects.get(subject=run.subject).state == "cancelled"


def test_an_export_has_the_catalogue_as_it_was_when_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_AT_ONCE", 1)
    for sku in "ABC":
        a_product(sku=sku, name="before")
    run = exporting.start(chosen={})

    class Disturbed(CsvFile):
        def write(self, rows: Iterable[Sequence[str]]) -> None:
            Product.objects.update(name="after")
            Product.objects.filter(sku="C").delete()
            super().write(rows)

    monkeypatch.setattr(exporting, "CsvFile", Disturbed)
    names = [(row["sku"], row["name"]) for row in table(work(run))]

    assert names == [("A", "before"), ("B", "before"), ("C", "before")]


def test_a_text_too_long_for_a_workbook_fails_with_what_to_do() -> None:
    a_product(sku="A", description="x" * 40_000)
    run = exporting.start(chosen={}, format="xlsx")

    with pytest.raises(JobFailed):
        work(run)

    run.refresh_from_db()
    assert (run.state, run.error) == (
        "failed",
        "The description in row 2 has 40,000 characters; a cell of a workbook holds 32,767. Export as CSV.",
    )


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("'=1+1", "''=1+1"),
        ("-20 %", "'-20 %"),
        ("＠x", "'＠x"),
        ("'Tis", "'Tis"),
        ('\'"x"', "''\"x\""),
        ("__clear__", '\'"__clear__"'),
        (" =1", '\'" =1"'),
        ("#N/A", '\'"#N/A"'),
        ("", '\'""'),
        ("two  spaces", "two  spaces"),
    ],
)
def test_a_name_is_written_so_that_nothing_runs_or_changes_it(text: str, cell: str) -> None:
    a_product(sku="A", name=text)
    [row] = table(exported())
    assert row["name"] == cell


@pytest.mark.parametrize("name", ["'=1+1", '\'"exact"'])
def test_other_files_are_read_as_they_always_were(name: str) -> None:
    run = import_rows([{"sku": "A", "name": name, "price": "1.00"}])
    assert (run.profile, Product.objects.get().name) == ("", name)


@pytest.mark.parametrize("cell", ["'\"no end", '\'"nul \\u0000"', '\'""half ""'])
def test_a_broken_exact_cell_is_rejected_with_the_fix(cell: str) -> None:
    a_product(sku="A")
    text = csv_of([{**table(exported())[0], "name": cell}])

    run = import_rows(text)

    assert (run.profile, rejections(run)) == ("tallyman", [(2, "name", "not_exact")])


def test_a_changed_cell_of_an_export_changes_just_that() -> None:
    a_shirt()
    rows = table(exported())
    rows[0]["price"], rows[1]["name"] = "12.00", "  Shirt,   medium "

    run = import_rows(csv_of(rows))

    assert outcomes(run) == {"updated": 2, "unchanged": 1}
    assert [(one.sku, one.name, str(one.price)) for one in Product.objects.order_by("sku")] == [
        ("shirt", "Shirt", "12.00"),
        ("shirt-M", "Shirt,   medium", "9.99"),
        ("shirt-S", "Shirt S", "9.99"),
    ]
