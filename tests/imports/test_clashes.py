"""Rows that want the same SKU, slug or category: the same result whatever the order of the work."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import transaction

from imports import pipeline
from imports.models import ImportRun
from shop.models import Category, Product
from tests.imports.previews import preview
from tests.imports.running import (
    catalogue,
    confirm,
    import_rows,
    in_small_pieces,
    outcomes,
    products,
    rejections,
    row,
    set_aside,
    values,
    work,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_pieces(settings: Any) -> None:
    in_small_pieces(settings)


def test_last_sound_line_of_a_sku_wins() -> None:
    run = import_rows([row("A", price="1"), row("B"), row("A", price="2"), row("A", price="3")])

    assert outcomes(run) == {"created": 2, "superseded": 2}
    assert set_aside(run) == [
        (2, "superseded", "Line 5 has the same SKU and comes later."),
        (4, "superseded", "Line 5 has the same SKU and comes later."),
    ]
    assert (products()["A"]["price"], run.changes.count()) == (3, 0)


def test_rejected_line_supersedes_nothing() -> None:
    run = import_rows([row("A", price="1"), row("A", price="abc"), {"sku": "A"}])

    assert outcomes(run) == {"created": 1, "rejected": 2}
    assert rejections(run) == [(3, "price", "not_a_price"), (4, "name", "missing_name")]
    assert products()["A"]["price"] == 1


def test_line_equal_to_the_catalogue_supersedes_an_earlier_change() -> None:
    import_rows([row("A")])

    run = import_rows([row("A", price="99"), row("A")])

    assert outcomes(run) == {"superseded": 1, "unchanged": 1}
    assert products()["A"]["price"] == 12.50


def _hard_catalogue() -> list[dict[str, str]]:
    """Duplicates, clashing slugs and categories, broken rows, in several chunks and ranges."""
    rows = catalogue(40)
    rows += [row(f"SKU-{number:03}", name="Same name", price="5") for number in range(0, 40, 3)]
    rows += [
        row(f"N-{number}", name="Same Name!", category="C" if number % 2 else "C++") for number in range(9)
    ]
    rows += [row(f"X-{number}", price="abc", category="Never made") for number in range(5)]
    rows += [row("Q", name="Same name N-1"), row("R", category="home > ROOM 1")]
    return rows


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_any_order_of_the_work_gives_the_same_table(seed: int, settings: Any) -> None:
    def result(run: ImportRun) -> tuple[Any, ...]:
        tree = list(Category.objects.values_list("full_name", "path", "key"))
        return products(), tree, outcomes(run), set_aside(run), rejections(run)

    with transaction.atomic():
        expected = result(import_rows(_hard_catalogue()))
        transaction.set_rollback(True)
    settings.IMPORT_CHUNK_BYTES, settings.IMPORT_RANGE_ROWS = 300 * seed, 3 + seed
    random_order = random.Random(seed)
    run = work(confirm(_hard_catalogue()), choose=random_order.choice)

    assert run.chunks_total > 3
    assert run.ranges_total > 3
    assert result(run) == expected
    assert outcomes(run) == {"created": 51, "superseded": 14, "rejected": 5}


def test_range_of_one_row_each_is_loaded(settings: Any) -> None:
    settings.IMPORT_RANGE_ROWS = 1

    run = import_rows([row("A"), row("B"), row("C")])

    assert (run.ranges_total, outcomes(run)) == (3, {"created": 3})


def test_names_that_slug_alike_get_suffixes_from_the_sku() -> None:
    import_rows([row("OLD", name="Oak board")])

    import_rows(
        [row("A/1", name="Oak board"), row("B", name="Ash cup"), row("C c", name="ash CUP"), row("D")]
    )

    assert values("slug") == {
        "OLD": "oak-board",
        "A/1": "oak-board--a-1-c0cefabf",  # a digest, for A-1 would give the same without
        "B": "ash-cup--b",
        "C c": "ash-cup--c-c-a740d57e",
        "D": "name-of-d",
    }


def test_names_that_slug_alike_get_suffixes_after_a_preview_too() -> None:
    import_rows([row("OLD", name="Oak board")])
    run = preview([row("A", name="Oak board"), row("B", name="Ash cup"), row("C", name="ash CUP")])

    work(pipeline.approve(run=run, accept_warnings=True))  # at the first attempt

    assert values("slug") == {"OLD": "oak-board", "A": "oak-board--a", "B": "ash-cup--b", "C": "ash-cup--c"}


def test_slugs_that_clash_after_the_suffix_are_told_apart() -> None:
    import_rows(
        [row("A-1", name="Cup"), row("A 1", name="Cup"), row("B", name="Cup a 1"), row("+", name="Cup")]
    )

    assert len(set(Product.objects.values_list("slug", flat=True))) == 4


def test_categories_that_slug_alike_stay_apart() -> None:
    run = import_rows([row("1", category="C"), row("2", category="C++"), row("3", category="C#")])

    assert outcomes(run) == {"created": 3}
    assert [cells["category__full_name"] for cells in products().values()] == ["C", "C++", "C#"]
    assert len(set(Category.objects.values_list("path", flat=True))) == 3


def test_categories_that_differ_in_case_and_space_are_one() -> None:
    first = import_rows([row("1", category="Home > Kitchen"), row("2", category=" home>KITCHEN ")])
    again = import_rows([row("1", category="HOME > kitchen"), row("2", category="Home>Kitchen")])

    assert (first.categories_created, outcomes(again)) == (2, {"unchanged": 2})
    assert set(Category.objects.values_list("full_name", flat=True)) == {"Home", "Home > Kitchen"}
