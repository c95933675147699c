"""What may happen to the catalogue while an import is on its way to it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError

from imports import pipeline
from imports.models import ImportRun
from shop.models import Category, Product
from tasks.models import Job
from tests.imports.running import (
    confirm,
    csv_of,
    do,
    import_rows,
    outcomes,
    products,
    rejected_file,
    rejections,
    row,
    values,
    work,
    work_up_to,
)

# Attempts fail here in the middle of their transactions.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _at_once(settings: Any) -> None:
    """The next attempt may follow at once."""
    settings.JOB_RETRY_BASE_SECONDS = 0


def test_product_deleted_before_the_load_is_made_anew() -> None:
    import_rows([row("A", category="Home")])
    run = confirm([row("A", price="1", category="Home")])
    work_up_to(run, "load")
    Product.objects.all().delete()

    work(run)

    assert outcomes(run) == {"created": 1}
    assert (values("price"), values("category__full_name")) == ({"A": 1}, {"A": "Home"})


def test_product_deleted_before_the_load_of_too_short_a_row_rejects_it() -> None:
    import_rows([row("A"), row("B")])
    run = confirm("sku,price\nA,1\nB,2\n")
    work_up_to(run, "load")
    Product.objects.filter(sku="A").delete()

    work(run)

    assert outcomes(run) == {"updated": 1, "rejected": 1}
    assert rejections(run) == [(2, "", "product_gone")]
    assert rejected_file(run) == [
        ["sku", "price", "_line", "_error"],
        ["A", "1", "2", run.rejected_rows.get().message],
    ]


def test_product_created_before_the_load_is_updated() -> None:
    run = confirm([row("A", price="1")])
    work_up_to(run, "load")
    Product.objects.create(sku="A", slug="mine", name="Mine", price=9)

    work(run, forgive=IntegrityError)

    assert outcomes(run) == {"updated": 1}
    assert (products()["A"]["slug"], products()["A"]["price"]) == ("mine", 1)


def test_category_deleted_before_the_load_is_made_anew() -> None:
    run = confirm([row("A", category="Home > Kitchen")])
    job = work_up_to(run, "load")
    Category.objects.filter(parent__isnull=False).delete()

    work(run, forgive=IntegrityError)

    assert (outcomes(run), Job.objects.get(pk=job.pk).attempts) == ({"created": 1}, 2)
    assert values("category__full_name") == {"A": "Home > Kitchen"}


def test_slug_taken_before_the_load_gets_a_suffix() -> None:
    run = confirm([row("A", name="Oak board"), row("B")])
    work_up_to(run, "load")
    Product.objects.create(sku="Z", slug="oak-board", name="Mine", price=9)

    work(run, forgive=IntegrityError)

    assert outcomes(run) == {"created": 2}
    assert values("slug") == {"A": "oak-board--a", "B": "name-of-b", "Z": "oak-board"}


def test_staff_edit_during_the_import_is_its_before_image() -> None:
    import_rows([row("A", price="5")])
    run = confirm([row("A", price="6")])
    work_up_to(run, "load")
    Product.objects.update(price=7, stock=1)

    work(run)

    assert outcomes(run) == {"updated": 1}
    change = run.changes.get()
    assert (change.before, change.after) == ({"price": 7, "stock": 1}, {"price": 6, "stock": 3})


def test_staff_edit_of_a_product_that_the_file_leaves_as_it_was_stays() -> None:
    import_rows([row("A", price="5")])
    run = confirm([row("A", price="5")])
    work_up_to(run, "check")
    Product.objects.update(price=7)

    work(run)

    assert (outcomes(run), values("price")) == ({"unchanged": 1}, {"A": 7})


def test_staff_edit_to_what_the_file_says_is_unchanged() -> None:
    import_rows([row("A", price="5")])
    run = confirm([row("A", price="6")])
    work_up_to(run, "load")
    Product.objects.update(price=6)

    work(run)

    assert (outcomes(run), run.changes.count()) == ({"unchanged": 1}, 0)


@pytest.mark.parametrize(
    ("mode", "expected"), [("create", {"created": 1, "skipped": 1}), ("update", {"updated": 1, "skipped": 1})]
)
def test_modes_go_by_the_catalogue_at_the_time_of_the_load(mode: str, expected: dict[str, int]) -> None:
    import_rows([row("OLD", category="Home")])
    run = confirm(
        [row("OLD", category="Attic", price="1"), row("NEW", category="Attic", price="1")], mode=mode
    )
    work_up_to(run, "load")
    Product.objects.filter(sku="OLD").delete()
    Product.objects.create(sku="NEW", slug="new", name="New", price=9)

    work(run, forgive=IntegrityError)

    assert outcomes(run) == expected
    written = "OLD" if mode == "create" else "NEW"
    assert values("category__full_name")[written] == "Attic"


def test_failed_attempt_leaves_nothing_behind(settings: Any) -> None:
    settings.IMPORT_RANGE_ROWS = 2
    run = confirm([row(sku) for sku in "ABCD"])
    job = work_up_to(run, "load")
    Product.objects.create(sku="Z", slug="name-of-b", name="Mine", price=9)

    with pytest.raises(IntegrityError):
        do(job)

    run.refresh_from_db()
    assert (Product.objects.count(), run.creations.count()) == (1, 0)
    assert (run.state, run.ranges_done, run.created, run.pending) == ("loading", 0, 0, 4)
    assert Job.objects.get(pk=job.pk).state == Job.State.QUEUED


def test_load_repeated_after_the_import_was_cancelled_is_given_up_quietly() -> None:
    run = confirm([row("A", name="Oak board")])
    job = work_up_to(run, "load")
    Product.objects.create(sku="Z", slug="oak-board", name="Mine", price=9)
    with pytest.raises(IntegrityError):
        do(job)
    pipeline.cancel(run=run)
    Job.objects.filter(pk=job.pk).update(state="queued", finished_at=None)  # it was running just then

    work(run, choose=lambda jobs: jobs[-1])  # the staging table goes first

    assert Job.objects.get(pk=job.pk).state == Job.State.CANCELLED
    assert (run.state, values("sku")) == (ImportRun.State.CANCELLED, {"Z": "Z"})


def test_price_and_stock_of_another_spelling_are_unchanged() -> None:
    import_rows([row("A", price="5.00", stock="3")])

    run = import_rows([row("A", price="+5.", stock="03.0")])

    assert (outcomes(run), run.changes.count()) == ({"unchanged": 1}, 0)


def test_metadata_of_another_spelling_is_unchanged() -> None:
    import_rows([row("A", metadata='{"b": 1.50, "a": {"long key": [1, 2], "k": null}}')])

    text = csv_of([row("A", metadata='{"a":{"k":null,"long key":[1.0,2e0]},"b":15e-1}')])
    run = import_rows(text)

    assert outcomes(run) == {"unchanged": 1}
