"""What a product cost before, from files to the catalogue and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from imports import staging, undoing
from imports.models import ImportRun
from tests.imports.exports import exported, table
from tests.imports.running import confirm, import_rows, outcomes, receive, row, values, work
from tests.shop.factories import a_product

pytestmark = pytest.mark.django_db

SHOPIFY = "Handle,Title,Variant SKU,Variant Price,Variant Compare At Price\n"
WOO = "ID,Type,SKU,Name,Published,Regular price,Sale price,Categories,Images,Parent\n"


def before() -> dict[str, Any]:
    """SKU → compare-at price."""
    return values("compare_at_price")


@pytest.mark.parametrize(
    "header", ["compare_at_price", "Compare At Price", "Compare-at price", "Streichpreis", "Prix barré"]
)
def test_column_is_found_by_its_names(header: str) -> None:
    run = receive(f"sku,name,price,{header}\nA,Pot,10.00,15.00\n")

    assert run.mapping["compare_at_price"] == 3


def test_import_sets_changes_keeps_and_clears_it() -> None:
    skus = ("NEW", "CHANGED", "KEPT", "ZERO", "CLEARED", "SAME")
    for sku in skus[1:]:
        a_product(sku=sku, price=Decimal("12.50"), compare_at_price=Decimal(20))
    said = dict(zip(skus, ("15.5", "30", "", "0", "__clear__", "20"), strict=True))

    run = import_rows(
        [{"sku": sku, "name": "N", "price": "12.50", "compare_at_price": said[sku]} for sku in skus]
    )

    assert run.rejected == 0
    assert before() == {
        "NEW": Decimal("15.50"),
        "CHANGED": Decimal(30),
        "KEPT": Decimal(20),
        "ZERO": None,
        "CLEARED": None,
        "SAME": Decimal(20),
    }


def test_same_price_again_is_unchanged_and_draws_no_version() -> None:
    rows = [row("A", compare_at_price="20"), row("B", compare_at_price="0")]
    import_rows(rows)
    versions = values("version")

    run = import_rows(rows)

    assert (outcomes(run)["unchanged"], values("version")) == (2, versions)


@pytest.mark.parametrize(
    ("cell", "code"),
    [("-1", "negative_price"), ("dear", "not_a_price"), ("1.234567", "too_many_decimals")],
)
def test_broken_price_rejects_its_row(cell: str, code: str) -> None:
    run = import_rows([row("A", compare_at_price=cell), row("B", compare_at_price="20")])

    assert [(one.sku, one.column, one.code) for one in run.rejected_rows.all()] == [
        ("A", "compare_at_price", code)
    ]
    assert before() == {"B": Decimal(20)}


def test_undo_brings_it_back() -> None:
    a_product(sku="A", compare_at_price=Decimal(20))
    a_product(sku="B")
    old = before()
    run = import_rows([{"sku": "A", "compare_at_price": "0"}, {"sku": "B", "compare_at_price": "9"}])
    assert before() == {"A": None, "B": Decimal(9)}

    work(undoing.begin(run))

    assert before() == old


def test_preview_shows_it_and_approval_writes_it() -> None:
    a_product(sku="A", name="Name of A", price=Decimal("12.50"), stock=3, compare_at_price=Decimal(20))
    run = confirm([row("A", compare_at_price="0")], preview=True)
    work(run)
    run.refresh_from_db()

    assert run.state == ImportRun.State.PREVIEWED
    change = run.planned_changes.get()
    assert (change.before, change.after) == ({"compare_at_price": 20.00}, {"compare_at_price": None})


def test_shopifys_compare_at_price_is_taken_where_it_is_above_the_price() -> None:
    a_product(sku="C", compare_at_price=Decimal(99))
    run = import_rows(f"{SHOPIFY}a,A,A,10.00,15.00\nb,B,B,10.00,10.00\nc,C,C,10.00,\n")

    assert run.state == ImportRun.State.COMPLETED
    assert before() == {"A": Decimal(15), "B": None, "C": None}


def test_shopifys_compare_at_price_that_says_nothing_clears_nothing() -> None:
    for sku in "AB":
        a_product(sku=sku, name=sku, price=Decimal(10), compare_at_price=Decimal(20))

    run = import_rows(f"{SHOPIFY}a,A,A,10.00,dear\nb,B,B,,30.00\n")

    assert [(one.sku, one.column, one.value) for one in run.rejected_rows.all()] == [
        ("A", "Variant Compare At Price", "dear")
    ]
    assert before() == {"A": Decimal(20), "B": Decimal(20)}


def test_shopifys_compare_at_price_is_read_as_the_file_writes_prices() -> None:
    rows = "".join(f'p{n},P,P{n},"{n},50",1.{n:03}\n' for n in range(10, 13))

    import_rows(f"{SHOPIFY}{rows}")

    assert before() == {"P10": Decimal(1010), "P11": Decimal(1011), "P12": Decimal(1012)}


def test_woocommerces_regular_price_is_what_a_lower_sale_price_is_compared_with() -> None:
    import_rows(f"{WOO}1,simple,A,A,1,15,10,,,\n2,simple,B,B,1,15,,,,\n3,simple,C,C,1,15,20,,,\n")

    assert before() == {"A": Decimal(15), "B": None, "C": None}
    assert values("price") == {"A": Decimal(10), "B": Decimal(15), "C": Decimal(15)}


@pytest.mark.django_db(transaction=True)  # an export reads by a connection of its own
@pytest.mark.parametrize("profile", ["tallyman", "shopify", "woocommerce"])
def test_export_brings_it_back(profile: str) -> None:
    a_product(sku="A", price=Decimal(10), compare_at_price=Decimal(15))
    a_product(sku="B", price=Decimal(10))
    lines = table(exported(profile=profile))
    shown = {
        "tallyman": ("price", "compare_at_price"),
        "shopify": ("Variant Price", "Variant Compare At Price"),
        "woocommerce": ("Sale price", "Regular price"),
    }[profile]

    assert sorted(tuple(line[name] for name in shown) for line in lines) == sorted(
        [("10.00", "15.00"), ("", "10.00") if profile == "woocommerce" else ("10.00", "")]
    )


def test_file_without_it_stages_no_column_for_it() -> None:
    run = confirm([row("A")])
    staging.make_table(run)
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, run.staging_table)
    assert "compare_at_price" not in [one.name for one in described]
