"""The preview of a whole file: what it counts and shows, and that only that is written."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from imports.models import ImportRun, PlannedChange
from shop.models import Category, Product
from tasks.models import Job
from tests.imports.previews import approved, counted, preview
from tests.imports.running import (
    catalogue,
    confirm,
    do,
    import_rows,
    in_small_pieces,
    outcomes,
    products,
    rejections,
    row,
    set_aside,
    staging_tables,
    values,
    work,
    work_up_to,
)

pytestmark = pytest.mark.django_db(transaction=True)

CREATED = "A product with this SKU was created since the preview, so it was left alone."
CHANGED = "The product was changed since the preview, so it was left alone."
DELETED = "The product was deleted since the preview, so it was not made anew."


@pytest.fixture(autouse=True)
def _at_once(settings: Any) -> None:
    """The next attempt may follow at once."""
    settings.JOB_RETRY_BASE_SECONDS = 0


def planned(run: ImportRun) -> list[tuple[Any, ...]]:
    """(line, SKU, fields, before, after) of each product that would change."""
    return list(run.planned_changes.order_by("sku").values_list("line", "sku", "fields", "before", "after"))


def test_preview_shows_each_field_and_writes_nothing() -> None:
    import_rows([row("A", category="Home", description="old"), row("B"), row("C")])
    before = products()

    run = preview([
        row("A", category="Home > Kitchen", description="new", price="13"),
        row("B"), row("D"), row("E", price="x"),
    ])  # fmt: skip

    assert counted(run) == {
        "create": 1, "update": 1, "fields": {"category": 1, "description": 1, "price": 1},
    }  # fmt: skip
    assert planned(run) == [
        (
            2, "A", ["description", "price", "category"],
            {"description": "old", "price": 12.5, "category": "Home"},
            {"description": "new", "price": 13.0, "category": "Home > Kitchen"},
        )
    ]  # fmt: skip
    assert run.forecast["categories"] == {"count": 1, "first": ["Home > Kitchen"]}
    assert (products(), Category.objects.count()) == (before, 1)


@pytest.mark.parametrize("mode", ["upsert", "create", "update"])
def test_forecast_comes_true_when_nothing_happens_in_between(settings: Any, mode: str) -> None:
    in_small_pieces(settings)
    rows = catalogue()
    import_rows(rows[:40])
    changed = [
        {**cells, "price": "1", "name": "Other"} if number % 5 == 0 else cells
        for number, cells in enumerate(rows)
    ]
    file = [*changed[10:], row("BROKEN", price="x"), {**changed[20], "stock": "7"}]

    run = preview(file, mode=mode)
    seen = {**outcomes(run)}
    for figure, outcome in (
        ("create", "created"), ("update", "updated"), ("unchanged", "unchanged"), ("skip", "skipped"),
        ("reject", "rejected"),
    ):  # fmt: skip
        seen[outcome] = seen.get(outcome, 0) + run.forecast[figure]
        seen["pending"] -= run.forecast[figure]
    changes = {sku: (fields, before, after) for _, sku, fields, before, after in planned(run)}
    run = approved(run)

    assert {name: count for name, count in seen.items() if count} == outcomes(run)
    journal = {
        str(Product.objects.get(pk=change.product_id).sku): sorted(change.before)
        for change in run.changes.all()
    }
    assert journal == {sku: sorted(fields) for sku, (fields, _, _) in changes.items()}
    assert run.state == "completed"


def test_nothing_of_a_preview_is_left_when_it_has_ended() -> None:
    import_rows([row("A")])
    run = approved(preview([row("A", price="9"), row("B")]))

    assert (PlannedChange.objects.count(), staging_tables(run)) == (0, [])
    names = connection.introspection.table_names()
    assert [name for name in names if name.startswith(run.staging_table)] == []


def test_product_changed_since_the_preview_is_left_alone() -> None:
    import_rows([row("A"), row("B"), row("SAME")])
    run = preview([row("A", price="9"), row("B", price="9"), row("SAME")])
    Product.objects.filter(sku__in=["A", "SAME"]).update(name="Mine")

    run = approved(run)

    assert outcomes(run) == {"updated": 1, "skipped": 2}
    assert set_aside(run) == [(2, "skipped", CHANGED), (4, "skipped", CHANGED)]
    assert set(run.set_aside.values_list("code", flat=True)) == {"changed_since_preview"}
    assert values("price") == {"A": 12.5, "B": 9, "SAME": 12.5}


def test_product_made_or_deleted_since_the_preview_is_left_so() -> None:
    import_rows([row("GONE")])
    run = preview([row("GONE", price="9"), row("NEW")])
    Product.objects.all().delete()
    Product.objects.create(sku="NEW", slug="new", name="Mine", price=1)

    run = approved(run)

    assert outcomes(run) == {"skipped": 2}
    assert set_aside(run) == [(2, "skipped", DELETED), (3, "skipped", CREATED)]
    assert values("name") == {"NEW": "Mine"}


def test_product_made_since_the_preview_of_a_first_import_is_left_so() -> None:
    run = preview([row("A"), row("B")])
    Product.objects.create(sku="A", slug="a", name="Mine", price=1)

    run = approved(run)

    assert outcomes(run) == {"created": 1, "skipped": 1}
    assert set_aside(run) == [(2, "skipped", CREATED)]


def test_unchanged_file_finds_what_was_changed_since_the_preview() -> None:
    import_rows([row("A"), row("B")])
    run = preview([row("A"), row("B")])
    Product.objects.filter(sku="B").update(price=1)

    run = approved(run)

    assert (outcomes(run), set_aside(run)) == ({"unchanged": 1, "skipped": 1}, [(3, "skipped", CHANGED)])


def test_sale_since_the_preview_is_no_change() -> None:
    import_rows([row("A", stock="5"), row("B", stock="5")])
    run = preview([row("A", stock="5", price="9"), row("B", stock="5")])
    Product.objects.update(stock=4)

    run = approved(run)

    assert outcomes(run) == {"updated": 1, "unchanged": 1}


def test_create_mode_leaves_a_changed_product_to_the_mode() -> None:
    import_rows([row("A"), row("B")])
    run = preview([row("A", price="9"), row("B"), row("NEW")], mode="create")
    Product.objects.update(name="Mine")

    run = approved(run)

    assert outcomes(run) == {"created": 1, "skipped": 2}
    assert list(run.set_aside.values_list("code", flat=True)) == ["exists", "exists"]


def test_product_changed_while_the_preview_is_made_is_shown_as_it_is_then() -> None:
    import_rows([row("A"), row("GONE")])
    run = confirm([row("A", price="9"), row("GONE", price="9"), row("NEW")], preview=True)
    work_up_to(run, "compare")
    Product.objects.filter(sku="A").update(price=7)
    Product.objects.filter(sku="GONE").delete()
    Product.objects.create(sku="NEW", slug="new", name="Mine", price=1)

    work(run)
    assert counted(run) == {
        "create": 1, "update": 2, "fields": {"name": 1, "price": 2, "stock": 1},
        "price_jumps": 1, "price_leaps": 1,
    }  # fmt: skip
    assert planned(run)[0] == (2, "A", ["price"], {"price": 7}, {"price": 9})
    run = approved(run)

    assert outcomes(run) == {"created": 1, "updated": 2}


def test_job_done_twice_counts_once() -> None:
    import_rows([row("A")])
    run = confirm([row("A", price="9"), row("B")], preview=True)
    job = work_up_to(run, "compare")
    do(job)
    Job.objects.filter(pk=job.pk).update(state="queued", finished_at=None)

    work(run)

    assert counted(run) == {"create": 1, "update": 1, "fields": {"price": 1}}


def test_preview_goes_on_after_a_crash_emptied_its_table() -> None:
    import_rows([row("A"), row("SAME")])
    run = confirm([row("A", price="9"), row("B"), row("SAME")], preview=True)
    work_up_to(run, "compare")
    _lose(run)

    work(run)

    assert counted(run) == {"create": 1, "update": 1, "fields": {"price": 1}}
    assert outcomes(run) == {"unchanged": 1, "pending": 2} or outcomes(run) == {"pending": 3}


def test_load_after_a_crash_writes_what_was_previewed() -> None:
    import_rows([row("A"), row("B"), row("SAME"), row("EDITED")])
    run = preview([row("A", price="9"), row("B", price="9"), row("NEW"), row("SAME"), row("EDITED")])
    _lose(run)
    Product.objects.filter(sku__in=["A", "EDITED"]).update(name="Mine")

    run = approved(run)

    assert outcomes(run) == {"created": 1, "updated": 1, "unchanged": 1, "skipped": 2}
    assert set_aside(run) == [(2, "skipped", CHANGED), (6, "skipped", CHANGED)]


def _lose(run: ImportRun) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"TRUNCATE {run.staging_table}, {run.staging_table}_categories, {run.staging_table}_paths"
        )


def test_variants_are_compared_with_the_parents_that_the_file_brings() -> None:
    import_rows([row("V"), row("LOST"), row("OTHER", parent="LOST", options="Size: M")])
    run = preview([
        row("P"), row("V", parent="P", options="Size: S"), row("W", parent="NOBODY"),
        row("OTHER", parent="P", options="Size: M"),
    ])  # fmt: skip

    assert counted(run) == {"create": 1, "update": 2, "reject": 1, "fields": {"parent": 2, "options": 1}}
    assert [change[1:] for change in planned(run)] == [
        ("OTHER", ["parent"], {"parent": "LOST"}, {"parent": "P"}),
        (
            "V",
            ["options", "parent"],
            {"options": {}, "parent": None},
            {"options": {"Size": "S"}, "parent": "P"},
        ),
    ]
    run = approved(run)
    assert (outcomes(run), rejections(run)) == (
        {"created": 1, "updated": 2, "rejected": 1},
        [(4, "parent", "no_parent")],
    )


def test_images_are_shown_as_a_list() -> None:
    import_rows([row("A", images="https://x.example/1.jpg")])
    run = preview([row("A", images="https://x.example/2.jpg | https://x.example/1.jpg")])

    [(_, _, fields, before, after)] = planned(run)
    assert (fields, before, after) == (
        ["images"],
        {"images": ["https://x.example/1.jpg"]},
        {"images": ["https://x.example/2.jpg", "https://x.example/1.jpg"]},
    )
