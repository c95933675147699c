"""Exports for other shops: what these want, and that our own import makes the same products of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from imports.models import ImportRun
from shop.models import Product, ProductImage
from tests.imports.exports import catalogue, content, empty_catalogue, exported, imported, table
from tests.imports.running import outcomes, rejections
from tests.shop.factories import a_category, a_product

pytestmark = pytest.mark.django_db(transaction=True)

_SAME = (
    "sku",
    "name",
    "description",
    "price",
    "stock",
    "category",
    "published",
    "parent",
    "options",
    "images",
)


def pictures(product: Product, *names: str) -> None:
    for at, name in enumerate(names):
        ProductImage.objects.create(
            product=product, source_url=f"https://img.example/{name}.jpg", position=at
        )


def stock_the_shop() -> None:
    """Products with and without variants, images and options, and what has commas and line ends in it."""
    clothes = a_category("Clothes > Coats, capes")
    mug = a_product(sku="MUG-1", name='Mug, "large"', slug="mug", stock=7, description="Holds\n3 dl.")
    pictures(mug, "mug-1", "mug-2", "mug-3")
    a_product(sku="BOX", name="Box", slug="box", price=Decimal("0.00"), published=False, category=clothes)
    coat = a_product(sku="coat", name="Coat", slug="rain-coat", price=Decimal(30), category=clothes)
    pictures(coat, "coat-front", "coat-back", "coat-side")
    for number, (colour, size) in enumerate([("Red", "S"), ("Red", "M"), ("Dark, blue", "M")]):
        variant = a_product(
            sku=f"coat-{number}",
            name=f"Coat - {size}, {colour}",  # as an import calls a variant that has no name
            price=Decimal(30 + number),
            stock=number,
            parent=coat,
            options={"Colour": colour, "Size": size},
        )
        pictures(variant, f"coat-{number}")


def known() -> list[dict[str, Any]]:
    """What is promised to come back."""
    return [{name: row[name] for name in _SAME} for row in catalogue()]


@pytest.mark.parametrize("format", ["csv", "xlsx"])
@pytest.mark.parametrize(("profile", "rows"), [("shopify", 7), ("woocommerce", 6)])
def test_import_makes_the_same_products_of_an_export(profile: str, rows: int, format: str) -> None:
    stock_the_shop()
    before, run = known(), exported(profile=profile, format=format)
    assert (run.products, run.rows) == (6, rows)

    empty_catalogue()
    again = imported(content(run))

    assert (again.profile, rejections(again)) == (profile, [])
    assert outcomes(again)["created"] == (5 if profile == "shopify" else 6)
    assert known() == before


def test_shopify_has_a_row_for_each_variant_and_further_image() -> None:
    stock_the_shop()

    rows = table(exported(profile="shopify"))

    names = ("Handle", "Title", "Option1 Name", "Option1 Value", "Option2 Value", "Variant SKU", "Image Src")
    assert [tuple(row[name].removeprefix("https://img.example/") for name in names) for row in rows] == [
        ("box", "Box", "Title", "Default Title", "", "BOX", ""),
        ("mug", 'Mug, "large"', "Title", "Default Title", "", "MUG-1", "mug-1.jpg"),
        ("mug", "", "", "", "", "", "mug-2.jpg"),
        ("mug", "", "", "", "", "", "mug-3.jpg"),
        ("coat", "Coat", "Size", "S", "Red", "coat-0", "coat-front.jpg"),
        ("coat", "", "", "M", "Red", "coat-1", "coat-back.jpg"),
        ("coat", "", "", "M", "Dark, blue", "coat-2", "coat-side.jpg"),
    ]


def test_woocommerce_names_each_variation_s_product() -> None:
    stock_the_shop()

    rows = table(exported(profile="woocommerce"))

    names = ("Type", "SKU", "Parent", "Stock", "Categories", "Attribute 1 value(s)", "Attribute 2 value(s)")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("simple", "BOX", "", "0", "Clothes > Coats\\, capes", "", ""),
        ("simple", "MUG-1", "", "7", "", "", ""),
        ("variable", "coat", "", "", "Clothes > Coats\\, capes", "S, M", "Red, Dark\\, blue"),
        ("variation", "coat-0", "coat", "0", "", "S", "Red"),
        ("variation", "coat-1", "coat", "1", "", "M", "Red"),
        ("variation", "coat-2", "coat", "2", "", "M", "Dark, blue"),
    ]


@pytest.mark.parametrize("profile", ["shopify", "woocommerce"])
def test_a_chosen_variant_brings_its_whole_family(profile: str) -> None:
    stock_the_shop()
    chosen = {"ids": [str(Product.objects.get(sku="coat-1").pk)]}

    run = exported(chosen, profile=profile)

    skus = {row["Variant SKU" if profile == "shopify" else "SKU"] for row in table(run)}
    assert skus - {"coat"} == {"coat-0", "coat-1", "coat-2"}


@pytest.mark.parametrize("profile", ["shopify", "woocommerce"])
def test_a_spreadsheet_runs_nothing_of_an_export(profile: str) -> None:
    a_product(sku="=1+1", name="@SUM(A1)", description="+1")

    [row] = table(exported(profile=profile))

    assert [cell for cell in row.values() if cell[:1] in ("=", "+", "-", "@")] == []


def test_more_options_than_usual_get_columns_of_their_own() -> None:
    top = a_product(sku="T")
    a_product(sku="T-1", parent=top, options={"A": "1", "B": "2", "C": "3"})
    a_product(sku="T-2", parent=top, options={"D": "4"})

    [first, second] = table(exported(profile="shopify"))

    assert [first[f"Option{number} Name"] for number in (1, 2, 3, 4)] == ["A", "B", "C", "D"]
    assert [second[f"Option{number} Value"] for number in (1, 2, 3, 4)] == ["", "", "", "4"]
    assert ImportRun.objects.count() == 0
