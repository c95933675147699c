"""The products and variants that a sample of a shop's file comes to."""

from __future__ import annotations

from typing import Any

import pytest

from imports import sampling, shaping
from imports.families import Families, families
from imports.sampling import shop_sample
from tests.imports.running import receive
from tests.imports.shaped_files import fixture

pytestmark = pytest.mark.django_db


def of(content: str, **choices: Any) -> Families:
    run = receive(content)
    for name, value in choices.items():
        setattr(run, name, value)
    sample = shop_sample(run)
    assert sample
    return families(run, sample)


def listed(found: Families) -> list[tuple[str, str, dict[str, str], int]]:
    """(SKU, parent, cells, images) of each."""
    return [
        (one.sku, one.parent, {name: cell.becomes for name, cell in one.cells.items()}, one.images)
        for one in found.items
    ]


def test_variants_stand_below_their_product_with_what_becomes_of_their_cells() -> None:
    found = of(fixture("shopify"))
    assert (found.said, found.records, found.merged) == ("3 products, 2 variants and 5 images", 5, 1)
    assert listed(found)[1:4] == [
        (
            "wool-socks",
            "",
            {"name": "Wool socks", "price": "8.90", "category": "Clothing > Socks"},
            3,
        ),
        (
            "WS-S-G",
            "wool-socks",
            {
                "name": "Wool socks - S, Dark grey",
                "price": "9.90",
                "stock": "0",
                "options": "Size: S | Colour: Dark grey",
            },
            1,
        ),
        (
            "wool-socks:m-dark-grey",
            "wool-socks",
            {
                "name": "Wool socks - M, Dark grey",
                "price": "8.90",
                "stock": "5",
                "options": "Size: M | Colour: Dark grey",
            },
            0,
        ),
    ]
    assert [one.sku for one in found.items if one.is_split] == ["wool-socks"]


def test_rows_find_each_other_within_the_sample_wherever_they_stand() -> None:
    found = of(fixture("woocommerce"))
    assert [(one.sku, one.parent) for one in found.items] == [
        ("woo-30", ""),
        ("woo-11", "woo-30"),
        ("RC-BLUE", "woo-30"),
        ("GUIDE", ""),
    ]
    assert found.rejected == 4
    assert found.reasons[0] == (
        6,
        "A product of the type “grouped” is only a list of other products. Import those; to sell the set,"
        " make it a simple product with a price of its own.",
    )


def test_refused_cell_is_shown_as_it_is_with_the_reason() -> None:
    found = of("Handle,Title,Option1 Value,Variant Price\ncup,Cup,,dear\n")
    assert (found.items[0].cells["price"].text, found.items[0].cells["price"].error) == (
        "dear",
        "“dear” is not a plain number. Write digits with a point for the cents, such as 12.50.",
    )


def test_other_column_changes_what_comes_out() -> None:
    text = "Handle,Title,Option1 Value,Variant Price,UVP\ncup,Cup,,9.00,12.00\n"
    mapping = {"sku": 0, "name": 1, "price": 4}
    assert of(text, mapping=mapping).items[0].cells["price"].becomes == "12.00"


def test_twelve_are_listed_and_the_rest_is_counted() -> None:
    rows = [f"cup-{number},Cup,,9\n" for number in range(15)]
    found = of("Handle,Title,Option1 Value,Variant Price\n" + "".join(rows))
    assert (len(found.items), found.more) == (12, 3)


def test_no_more_than_the_sample_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "SAMPLE_ROWS", 2)
    rows = [f"cup-{number},Cup,,9\n" for number in range(5)]
    found = of("Handle,Title,Option1 Value,Variant Price\n" + "".join(rows))
    assert (found.records, found.products) == (2, 2)


def test_file_that_is_no_export_of_a_shop_has_none() -> None:
    assert shop_sample(receive("sku,name\nA,Pot\n")) is None


def test_columns_that_a_shops_rows_are_put_together_from_are_not_unused() -> None:
    run = receive("Handle,Title,Option1 Name,Option1 Value,Variant Price,Tags,Tax code\ncup,Cup,,,9,x,7\n")
    assert [run.header[index] for index in shaping.unused_columns(run)] == ["Tax code"]
    run.profile = ""
    assert [run.header[index] for index in shaping.unused_columns(run)] == [
        "Handle",
        "Option1 Name",
        "Option1 Value",
        "Tags",
        "Tax code",
    ]
