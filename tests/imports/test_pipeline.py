"""An import from file to result: outcomes, modes, what blank and absent cells mean, the journal."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from shop.models import Category, Product
from tests.imports.running import (
    catalogue,
    import_rows,
    in_small_pieces,
    outcomes,
    products,
    rejections,
    row,
    set_aside,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_pieces(settings: Any) -> None:
    in_small_pieces(settings)


def test_first_import_creates_every_row() -> None:
    run = import_rows([row("A", category="Home > Kitchen", metadata='{"a": 1}', featured="yes"), row("B")])

    assert (run.state, run.error, outcomes(run), run.rows, run.lines) == (
        "completed",
        "",
        {"created": 2},
        2,
        2,
    )
    assert run.categories_created == 2
    assert products() == {
        "A": {
            "name": "Name of A",
            "description": "",
            "price": 12.50,
            "stock": 3,
            "published": True,
            "featured": True,
            "metadata": {"a": 1},
            "slug": "name-of-a",
            "category__full_name": "Home > Kitchen",
        },
        "B": {
            "name": "Name of B",
            "description": "",
            "price": 12.50,
            "stock": 3,
            "published": True,
            "featured": False,
            "metadata": {},
            "slug": "name-of-b",
            "category__full_name": None,
        },
    }


def test_created_products_are_journaled_without_images() -> None:
    run = import_rows([row("A"), row("B")])

    made = run.creations.get()
    assert sorted(made.product_ids) == sorted(Product.objects.values_list("pk", flat=True))
    assert set(Product.objects.values_list("created_at", flat=True)) == {made.at}
    assert run.changes.count() == 0


@pytest.mark.usefixtures("small_pieces")
def test_unchanged_file_writes_and_journals_nothing() -> None:
    import_rows(catalogue())
    versions = list(Product.objects.order_by("pk").values_list("pk", "updated_at", "metadata"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT sku, xmin::text FROM shop_product ORDER BY sku")
        before = cursor.fetchall()
        run = import_rows(catalogue())
        cursor.execute("SELECT sku, xmin::text FROM shop_product ORDER BY sku")
        assert cursor.fetchall() == before

    assert outcomes(run) == {"unchanged": 60}
    assert run.changes.count() == 0
    assert list(Product.objects.order_by("pk").values_list("pk", "updated_at", "metadata")) == versions


@pytest.mark.usefixtures("small_pieces")
def test_changed_rows_are_updated_and_journaled_field_by_field() -> None:
    import_rows(catalogue())
    rows = catalogue()
    for number in range(0, 60, 10):
        rows[number] |= {"price": "99.00"}
    rows[0] |= {"metadata": '{"colour": "ash"}', "category": "Garden", "name": "Renamed"}

    run = import_rows(rows)

    assert outcomes(run) == {"updated": 6, "unchanged": 54}
    garden, room = Category.objects.get(name="Garden").pk, Category.objects.get(name="Room 0").pk
    changes = {change.line: (change.before, change.after) for change in run.changes.all()}
    assert changes.keys() == {2, 12, 22, 32, 42, 52}
    assert changes[12] == ({"price": 10.90}, {"price": 99.00})
    assert changes[2] == (
        {
            "name": "Name of SKU-000",
            "price": 0.90,
            "category_id": room,
            "metadata": {"weight": 0, "colour": "oak"},
        },
        {"name": "Renamed", "price": 99.00, "category_id": garden, "metadata": {"colour": "ash"}},
    )
    assert products()["SKU-000"] | {"description": "", "stock": 0} == {
        "name": "Renamed",
        "description": "",
        "price": 99,
        "stock": 0,
        "published": False,
        "featured": False,
        "metadata": {"colour": "ash"},
        "slug": "name-of-sku-000",
        "category__full_name": "Garden",
    }


def test_mode_create_skips_existing_products_and_says_why() -> None:
    import_rows([row("A"), row("B")])

    run = import_rows([row("A"), row("B", price="1"), row("C")], mode="create")

    why = "The product exists already, and this import only creates new ones."
    assert outcomes(run) == {"created": 1, "skipped": 2}
    assert set_aside(run) == [(2, "skipped", why), (3, "skipped", why)]
    assert products()["B"]["price"] == 12.50


def test_mode_update_skips_new_products_and_says_why() -> None:
    import_rows([row("A"), row("B")])

    run = import_rows([row("A"), row("B", price="1"), row("C"), {"sku": "D"}], mode="update")

    why = "No product has this SKU, and this import only updates existing ones."
    assert outcomes(run) == {"unchanged": 1, "updated": 1, "skipped": 2}
    assert set_aside(run) == [(4, "skipped", why), (5, "skipped", why)]
    assert products().keys() == {"A", "B"}


def test_skipped_rows_create_no_categories() -> None:
    import_rows([row("A")])

    import_rows([row("A", category="For A"), row("B", category="For B")], mode="create")
    import_rows([row("C", category="For C")], mode="update")

    assert list(Category.objects.values_list("full_name", flat=True)) == ["For B"]


def test_blank_cells_keep_what_is_there() -> None:
    import_rows([row("A", description="Long", category="Home", metadata='{"a": 1}', published="no")])
    before = products()

    run = import_rows(
        [row("A", name="", price=" ", stock="", description="", category="", metadata="", published="")]
    )

    assert outcomes(run) == {"unchanged": 1}
    assert products() == before


def test_blank_cells_beside_changed_ones_keep_what_is_there() -> None:
    import_rows([row("A", description="Long", category="Home", metadata='{"a": 1}', published="no")])
    before = products()["A"]

    run = import_rows([row("A", name="", description="", stock="4", category="", metadata="", published="")])

    assert outcomes(run) == {"updated": 1}
    assert products()["A"] == before | {"stock": 4}


def test_absent_columns_are_left_alone() -> None:
    import_rows([row("A", description="Long", category="Home", metadata='{"a": 1}', featured="yes")])
    before = products()["A"]

    run = import_rows("sku,price\nA,1.00\n")

    assert outcomes(run) == {"updated": 1}
    assert products()["A"] == before | {"price": 1}


def test_file_of_skus_alone_changes_nothing() -> None:
    import_rows([row("A")])

    run = import_rows("sku,colour\nA,red\nB,blue\n")

    assert outcomes(run) == {"unchanged": 1, "rejected": 1}
    assert [error[2] for error in run.rejected_rows.get().more] == ["missing_price"]
    assert rejections(run) == [(3, "name", "missing_name")]


def test_unknown_columns_are_ignored() -> None:
    run = import_rows("sku,name,price,colour\nA,Board,1,red\n")

    assert outcomes(run) == {"created": 1}
    assert products()["A"]["metadata"] == {}


def test_unknown_columns_are_kept_in_the_metadata_when_asked() -> None:
    text = 'sku,name,price,Colour,metadata,_line,Size\nA,Board,1,rót,"{""size"": 1}",7,\nB,Cup,2,,,8,XL\n'

    run = import_rows(text, keep_unknown=True)
    assert outcomes(run) == {"created": 2}
    again = import_rows(text, keep_unknown=True)
    assert outcomes(again) == {"unchanged": 2}
    changed = import_rows(text.replace("rót", "blue"), keep_unknown=True)

    assert outcomes(changed) == {"updated": 1, "unchanged": 1}
    assert [change.before for change in changed.changes.all()] == [{"metadata": {"size": 1, "Colour": "rót"}}]
    assert {sku: cells["metadata"] for sku, cells in products().items()} == {
        "A": {"size": 1, "Colour": "blue"},
        "B": {"Size": "XL"},
    }


def test_blank_lines_and_lines_within_cells_are_no_rows() -> None:
    run = import_rows('sku,name,price,description\n\nA,Board,1,"one\ntwo\n\nthree"\n,,,\nB,Cup,2,x\n')

    assert outcomes(run) == {"created": 2}
    assert (run.lines, run.blank_lines, run.continuation_lines, run.rows) == (7, 2, 3, 2)
    assert products()["A"]["description"] == "one\ntwo\n\nthree"
