"""Modes that take out what the file lists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from imports import pipeline, undoing
from imports.models import ImportRun, RowChange
from shop import carts, references
from shop.models import Product, ProductImage, StockMovement
from shop.problems import Code
from shop.stock import move
from tests.imports.running import (
    Choose,
    catalogue,
    confirm,
    csv_of,
    do,
    import_rows,
    in_small_pieces,
    outcomes,
    products,
    rejected_file,
    rejections,
    row,
    set_aside,
    values,
    work,
    work_up_to,
)
from tests.shop.orders import a_cart, an_order, findings

pytestmark = pytest.mark.django_db

Mode = ImportRun.Mode
_UNKNOWN = "No product has this SKU."


@pytest.fixture
def orders() -> Iterator[None]:
    """An app whose orders refer to the product with the SKU `sold`."""
    before = dict(references.kinds())["orders"]
    references.register("orders", condition="p.sku = 'sold'")
    yield
    references.register("orders", condition=before)


def skus(*listed: str) -> str:
    return "\n".join(["sku", *listed, ""])


def shirts() -> None:
    """Two shirts with variants, and a hat."""
    import_rows(
        [
            row("shirt"),
            row("a-shirt-M", parent="shirt", options="Size: M"),
            row("z-shirt-L", parent="shirt", options="Size: L"),
            row("coat"),
            row("coat-M", parent="coat", options="Size: M"),
            row("hat", images="https://example.com/1.jpg | https://example.com/2.jpg"),
        ]
    )


def test_ordered_product_is_kept_and_the_row_says_why() -> None:
    import_rows([row("A"), row("B")])
    an_order({"A": 1})

    run = import_rows(skus("A", "B"), mode=Mode.DELETE)

    assert list(products()) == ["A"]
    assert rejections(run) == [(2, "sku", "in_use")]
    assert run.rejected_rows.get().message.startswith("“A” can’t be deleted: orders refer to it.")


def test_product_in_a_cart_is_deleted_and_its_cart_told() -> None:
    import_rows([row("A")])
    cart = a_cart({"A": 1})

    import_rows(skus("A"), mode=Mode.DELETE)

    assert list(products()) == []
    assert [problem.code for problem in carts.review(cart=cart)] == [Code.GONE]


def test_undo_keeps_what_was_ordered_and_takes_back_what_lies_in_carts() -> None:
    run = import_rows([row("A"), row("B")])
    order = an_order({"A": 1})
    a_cart({"B": 1})

    undone = work(undoing.begin(run))

    assert (list(products()), outcomes(undone)) == (["A"], {"removed": 1, "skipped": 1})
    assert (order.lines.get().product_id is not None, findings()) == (True, [])


def test_listed_products_are_unpublished() -> None:
    import_rows([row("A"), row("B"), row("C", published="no")])
    before = dict(Product.objects.values_list("sku", "version"))

    run = import_rows(skus("A", "C", "X"), mode=Mode.UNPUBLISH)

    assert outcomes(run) == {"removed": 1, "unchanged": 1, "skipped": 1}
    assert values("published") == {"A": False, "B": True, "C": False}
    assert set_aside(run) == [(4, "skipped", _UNKNOWN)]
    after = dict(Product.objects.values_list("sku", "version"))
    assert {sku for sku in after if after[sku] != before[sku]} == {"A"}
    assert list(RowChange.objects.filter(run=run).values_list("line", "before", "after")) == [
        (2, {"published": True}, {"published": False})
    ]
    change = RowChange.objects.get(run=run)
    assert (change.version_before, change.version_after) == (before["A"], after["A"])


def test_unpublished_product_is_published_by_the_line_that_made_it() -> None:
    rows = [row("A", published="yes")]
    import_rows(rows)
    import_rows(skus("A"), mode=Mode.UNPUBLISH)

    run = import_rows(rows)

    assert (outcomes(run), values("published")) == ({"updated": 1}, {"A": True})


def test_other_columns_are_ignored_when_products_are_taken_out() -> None:
    import_rows([row("A")])

    run = import_rows("sku,name,price,category\nA,,not a price,New > Category\n", mode=Mode.UNPUBLISH)

    assert (outcomes(run), run.categories_created) == ({"removed": 1}, 0)
    assert (values("name"), values("price")) == ({"A": "Name of A"}, {"A": 12.5})


def test_deleted_product_is_journaled_whole() -> None:
    shirts()
    hat = Product.objects.get(sku="hat")
    ProductImage.objects.create(product=hat, file="a.jpg", alt="A hat", position=2)
    whole = _columns_of("hat")

    run = import_rows(skus("hat", "unknown"), mode=Mode.DELETE)

    assert outcomes(run) == {"removed": 1, "skipped": 1}
    assert "hat" not in products()
    assert ProductImage.objects.count() == 0
    change = RowChange.objects.get(run=run)
    assert {name: change.before[name] for name in whole} == whole
    assert (change.after, change.version_after) == (None, None)
    assert (str(change.product_id), change.version_before) == (whole["id"], whole["version"])
    assert change.before["images"] == ["https://example.com/1.jpg", "https://example.com/2.jpg"]
    assert [(image["file"], image["alt"]) for image in change.before["uploads"]] == [("a.jpg", "A hat")]


def _columns_of(sku: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(p) FROM shop_product p WHERE sku = %s", [sku])
        return json.loads(cursor.fetchone()[0])


def test_ledger_outlives_a_deleted_product() -> None:
    import_rows([row("A", stock="5")])
    move({"A": -2}, kind=StockMovement.Kind.SALE)
    before = list(StockMovement.objects.values_list("product_id", "quantity", "balance"))

    import_rows(skus("A"), mode=Mode.DELETE)

    assert products() == {}
    assert list(StockMovement.objects.values_list("product_id", "quantity", "balance")) == before


@pytest.mark.parametrize("choose", [lambda jobs: jobs[0], lambda jobs: jobs[-1]], ids=["first", "last"])
def test_family_is_deleted_whatever_the_order(settings: Any, choose: Choose) -> None:
    settings.IMPORT_RANGE_ROWS = 1
    shirts()

    run = work(confirm(skus("z-shirt-L", "shirt", "a-shirt-M", "hat"), mode=Mode.DELETE), choose=choose)

    assert (outcomes(run), sorted(products())) == ({"removed": 4}, ["coat", "coat-M"])
    assert RowChange.objects.filter(run=run).count() == 4


def test_product_with_variants_that_are_not_listed_is_rejected() -> None:
    shirts()

    run = import_rows(skus("shirt", "a-shirt-M"), mode=Mode.DELETE)

    assert outcomes(run) == {"removed": 1, "rejected": 1}
    assert rejections(run) == [(2, "sku", "has_variants")]
    assert rejected_file(run)[1][2] == (
        "“shirt” can’t be deleted: its variant “z-shirt-L” stays. List all of its variants as well, or give"
        " that one another parent first."
    )
    assert sorted(products()) == ["coat", "coat-M", "hat", "shirt", "z-shirt-L"]


@pytest.mark.usefixtures("orders")
def test_product_that_is_referred_to_is_rejected() -> None:
    import_rows([row("sold"), row("B")])

    run = import_rows(skus("sold", "B"), mode=Mode.DELETE)

    assert outcomes(run) == {"removed": 1, "rejected": 1}
    assert [(rejected.sku, rejected.code, rejected.message) for rejected in run.rejected_rows.all()] == [
        (
            "sold",
            "in_use",
            "“sold” can’t be deleted: orders refer to it. Take its row out; to hide the product, unpublish"
            " it.",
        )
    ]
    assert import_rows(skus("sold"), mode=Mode.UNPUBLISH).removed == 1


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize("errors", [ImportRun.Errors.LAND, ImportRun.Errors.NOTHING])
def test_product_whose_listed_variant_must_stay_stays_too(errors: str) -> None:
    import_rows([row("shirt"), row("sold", parent="shirt", options="Size: M"), row("B")])

    run = import_rows(skus("shirt", "sold", "B"), mode=Mode.DELETE, errors=errors)

    assert rejections(run) == [(2, "sku", "has_variants"), (3, "sku", "in_use")]
    landed = {"removed": 1} if errors == ImportRun.Errors.LAND else {"pending": 1}
    assert outcomes(run) == {"rejected": 2, **landed}
    assert len(products()) == (2 if errors == ImportRun.Errors.LAND else 3)


def test_doubled_sku_is_taken_out_once() -> None:
    import_rows([row("A")])

    run = import_rows(skus("A", "A"), mode=Mode.DELETE)

    assert (outcomes(run), products()) == ({"removed": 1, "superseded": 1}, {})


def test_whole_catalogue_is_deleted_in_small_pieces(settings: Any) -> None:
    in_small_pieces(settings)
    import_rows(catalogue(60))

    run = import_rows(csv_of(catalogue(50)), mode=Mode.DELETE)

    assert (outcomes(run), len(products())) == ({"removed": 50}, 10)


def test_export_of_a_shop_takes_out_its_products_and_variants() -> None:
    export = (
        "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n"
        "shirt,Shirt,Size,M,shirt-M,10\nshirt,,,L,shirt-L,10\nhat,Hat,Title,Default Title,hat,5\n"
    )
    import_rows(export)
    assert sorted(products()) == ["hat", "shirt", "shirt-L", "shirt-M"]

    run = import_rows(export, mode=Mode.DELETE)

    assert (outcomes(run), products()) == ({"removed": 3}, {})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after", [0, 1, 2, 3, 4, 5])
def test_deletion_goes_on_after_the_staging_table_was_lost(settings: Any, after: int) -> None:
    settings.IMPORT_RANGE_ROWS = 1
    shirts()
    run = confirm(skus("a-shirt-M", "coat", "shirt", "unknown", "z-shirt-L"), mode=Mode.DELETE)
    work_up_to(run, "load")
    done: list[object] = []
    work(run, until=lambda job: job.kind == "imports.load" and (done.append(job), len(done) > after)[1])
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {run.staging_table}")

    work(run)

    assert outcomes(run) == {"removed": 3, "skipped": 1, "rejected": 1}
    assert sorted(products()) == ["coat", "coat-M", "hat"]


@pytest.mark.django_db(transaction=True)
def test_product_that_gets_a_variant_before_it_is_deleted_is_rejected() -> None:
    import_rows([row("A")])
    run = confirm(skus("A"), mode=Mode.DELETE)
    work_up_to(run, "load")
    above = Product.objects.get(sku="A")
    Product.objects.create(sku="A-1", slug="a-1", name="A-1", price=1, parent=above)

    work(run)

    assert (outcomes(run), rejections(run)) == ({"rejected": 1}, [(2, "sku", "has_variants")])


@pytest.mark.django_db(transaction=True)
def test_attempt_that_dies_at_its_end_takes_out_nothing(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOB_RETRY_BASE_SECONDS = 0
    import_rows([row("A")])
    run = confirm(skus("A"), mode=Mode.DELETE)
    job = work_up_to(run, "load")
    with monkeypatch.context() as broken:
        broken.setattr(pipeline, "loaded", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            do(job)
    assert (sorted(products()), RowChange.objects.count()) == (["A"], 0)

    work(run)

    assert (outcomes(run), products(), RowChange.objects.count()) == ({"removed": 1}, {}, 1)


def test_deleted_products_come_back_with_their_pictures_when_it_is_undone() -> None:
    import_rows([row("A", images="https://example.com/a.jpg", stock="4"), row("B")])
    product = Product.objects.get(sku="A")
    ProductImage.objects.create(product=product, file="products/a.png", alt="A board", position=7)
    product.refresh_from_db()
    before = Product.objects.values().get(sku="A")
    pictures = list(product.images.values_list("source_url", "file", "alt", "position"))

    run = import_rows("sku\nA\n", mode="delete")
    for steps in range(3):  # undo, redo, undo again
        run = work(undoing.begin(run))
        assert Product.objects.filter(sku="A").exists() == (steps != 1)

    back = Product.objects.get(sku="A")
    assert Product.objects.values().get(sku="A") | {"updated_at": 0, "source_hash": 0} == before | {
        "updated_at": 0,
        "source_hash": 0,
    }
    assert list(back.images.values_list("source_url", "file", "alt", "position")) == pictures


@pytest.mark.django_db(transaction=True)  # a load's settings end with its transaction
def test_undo_of_unpublishing_publishes_again() -> None:
    import_rows([row("A"), row("B"), row("C")])
    run = import_rows("sku\nA\nB\n", mode="unpublish")
    Product.objects.filter(sku="B").update(price=1)

    undo = work(undoing.begin(run))

    assert values("published") == {"A": True, "B": False, "C": True}
    assert outcomes(undo) == {"updated": 1, "skipped": 1}
