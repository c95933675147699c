"""Each shop's export is recognised and comes to products, variants, categories and images without mapping."""

from __future__ import annotations

import csv
import io
import json
from itertools import permutations
from typing import Any

import pytest

from imports import profiles
from imports.profiles import PROFILES, guess_mapping, recognise
from tests.imports.shaped_files import filled, fixture, refused, shape

NAMES = [profile.name for profile in PROFILES]


def header_of(name: str) -> list[str]:
    text = fixture(name).splitlines()[0]
    return next(csv.reader(io.StringIO(text), delimiter=";" if text.count(";") > text.count(",") else ","))


def metadata_of(cells: dict[str, str]) -> dict[str, object]:
    return dict(json.loads(cells.get("metadata", "{}")))


@pytest.mark.parametrize("name", NAMES)
def test_header_is_recognised_in_any_case_and_order_and_with_other_columns(name: str) -> None:
    header = [f" {cell.upper()} " for cell in reversed(header_of(name))]

    found = recognise(["our own note", *header, ""])
    assert (found and found.name) == name


@pytest.mark.parametrize("header", [["sku", "name", "price"], ["Artikelnummer", "Preis"], [], ["", ""]])
def test_header_of_no_shop_is_not_recognised(header: list[str]) -> None:
    assert recognise(header) is None
    assert guess_mapping(["Artikelnummer", "Preis"], None) == {"sku": 0, "price": 1}


def test_header_that_two_shops_could_have_written_is_taken_for_none() -> None:
    shopify = list(profiles.BY_NAME["shopify"].signatures[0])
    medusa = [header.replace("{currency}", "EUR") for header in profiles.BY_NAME["medusa"].signatures[0]]

    assert len(shopify) == len(medusa)
    assert recognise(shopify + medusa) is None


def test_no_signature_is_part_of_another_shops() -> None:
    for one, other in permutations(PROFILES, 2):
        for mine in one.signatures:
            for theirs in other.signatures:
                assert not set(map(str.casefold, mine)) <= set(map(str.casefold, theirs))


def test_price_is_taken_in_the_stores_currency_or_in_the_first_one(settings: Any) -> None:
    header, medusa = header_of("medusa"), profiles.BY_NAME["medusa"]

    settings.STORE_CURRENCY = "EUR"
    assert header[guess_mapping(header, medusa)["price"]] == "Variant Price EUR"
    settings.STORE_CURRENCY = "JPY"
    assert header[guess_mapping(header, medusa)["price"]] == "Variant Price DKK"


def test_shopify() -> None:
    shaped = shape(fixture("shopify"))
    mug, socks, small, medium, candle = filled(shaped)

    assert list(zip(shaped.lines, shaped.counts, strict=True)) == [
        (2, True), (3, False), (3, True), (5, True), (7, True),
    ]  # fmt: skip
    assert (shaped.merged, shaped.rejected) == ([(6, 3)], [])
    assert {name: mug[name] for name in mug if name != "metadata"} == {
        "sku": "FJ-1",
        "name": "Fjord mug",
        "description": "<p>Holds 3 dl.</p>",
        "price": "14.50",
        "compare_at_price": "18.00",
        "stock": "12",
        "category": "Kitchen",
        "published": "true",
        "images": "https://img.example/mug.jpg",
    }
    assert metadata_of(mug) == {
        "tags": ["stoneware", "gift"],
        "brand": "Nordlys",
        "barcode": "4006381333931",
        "weight_grams": "350",
        "stock_policy": "deny",
    }
    assert (socks["sku"], socks["price"], socks["category"]) == ("wool-socks", "8.90", "Clothing > Socks")
    assert socks["images"].split("\n") == [f"https://img.example/socks-{n}.jpg" for n in (1, 2, 3)]
    assert small == {
        "sku": "WS-S-G",
        "name": "Wool socks - S, Dark grey",
        "price": "9.90",
        "compare_at_price": "0",
        "stock": "0",
        "published": "true",
        "metadata": '{"weight_grams": "80", "stock_policy": "continue", "backordered": "2"}',
        "parent": "wool-socks",
        "options": '{"Size": "S", "Colour": "Dark grey"}',
        "images": "https://img.example/socks-grey.jpg",
    }
    assert (medium["sku"], medium["options"]) == (
        "wool-socks:m-dark-grey",
        '{"Size": "M", "Colour": "Dark grey"}',
    )
    assert (candle["published"], "stock" in candle) == ("false", False)
    assert metadata_of(candle)["stock_untracked"] is True


def test_shopifys_headers_since_2025() -> None:
    shaped = shape(
        "Title,URL handle,Description,Published on online store,SKU,Option1 name,Option1 value,Price,"
        "Inventory quantity\n"
        "Mug,mug,Blue,true,M-1,Title,Default Title,9.50,3\n"
    )

    assert filled(shaped) == [
        {
            "sku": "M-1",
            "name": "Mug",
            "description": "Blue",
            "price": "9.50",
            "stock": "3",
            "published": "true",
        }
    ]


def test_woocommerce() -> None:
    shaped = shape(fixture("woocommerce"))
    red, blue, coat, guide = filled(shaped)

    assert (shaped.lines, shaped.counts, shaped.merged) == ([2, 3, 4, 5], [True] * 4, [])
    assert refused(shaped) == [
        (6, "Type", "cannot_be_sold"),
        (7, "Type", "cannot_be_sold"),
        (8, "Type", "cannot_be_sold"),
        (9, "Parent", "missing_parent"),
    ]
    # The parent stands below its variants and has no SKU; a sale that is over does not count.
    assert (red["sku"], red["parent"], red["options"], "stock" in red) == (
        "woo-11",
        "woo-30",
        '{"Colour": "Red"}',
        False,
    )
    assert (blue["sku"], blue["parent"], blue["price"], blue["stock"]) == ("RC-BLUE", "woo-30", "55", "4")
    assert (coat["sku"], coat["price"], coat["category"]) == ("woo-30", "55", "Clothing > Coats")
    assert coat["description"] == "Keeps dry.\nFor years."
    assert metadata_of(coat)["categories"] == ["Clothing > Coats", "Sale"]
    assert coat["images"].split("\n") == ["https://img.example/coat.jpg", "https://img.example/coat-2.jpg"]
    assert (guide["price"], guide["published"], guide["description"]) == ("4", "false", "Learn knots.")
    assert (guide["compare_at_price"], coat["compare_at_price"]) == ("5", "0")
    assert metadata_of(guide)["image_files"] == ["/uploads/guide.jpg"]


def test_medusa() -> None:
    shaped = shape(fixture("medusa"))
    stool, low, high, pad = filled(shaped)

    assert list(zip(shaped.lines, shaped.counts, strict=True)) == [
        (2, False), (2, True), (4, True), (6, True),
    ]  # fmt: skip
    assert (stool["sku"], stool["price"], stool["published"]) == ("oak-stool", "80", "true")
    assert stool["description"] == "Four legs,\none seat."
    assert stool["images"].split("\n") == ["https://img.example/stool.jpg", "https://img.example/stool-2.jpg"]
    assert metadata_of(stool)["tags"] == ["oak", "seat"]
    assert (low["sku"], low["options"], low["stock"]) == ("oak-stool:45-cm", '{"Height": "45 cm"}', "7")
    assert (high["sku"], high["parent"], "stock" in high) == ("STOOL-H", "oak-stool", False)
    assert metadata_of(high)["prices"] == {"DKK": "700"}
    assert (pad["sku"], pad["published"], "parent" in pad) == ("FELT", "false", False)


def test_magento() -> None:
    shaped = shape(fixture("magento2"))
    small, medium, belt, care = filled(shaped)

    assert shaped.lines == [2, 3, 4, 6]
    assert refused(shaped) == [
        (5, "store_view_code", "translation"),
        (7, "product_type", "cannot_be_sold"),
        (8, "product_type", "cannot_be_sold"),
    ]
    assert (small["parent"], small["options"]) == ("BELT", '{"Size": "S", "Buckle": "Brass, matt"}')
    assert (small["price"], small["compare_at_price"]) == ("25.000000", "29.000000")
    assert (medium["parent"], medium["options"]) == ("BELT", '{"Size": "M", "Buckle": "Steel"}')
    assert (belt["price"], belt["category"], "parent" in belt) == ("25.000000", "Clothing > Belts", False)
    assert len(belt["images"].split("\n")) == 3
    assert (care["published"], care["category"], care["description"]) == ("false", "Services", "By phone.")


def test_prestashop() -> None:
    shaped = shape(fixture("prestashop"))
    shirt, small, large, tote = filled(shaped)

    assert (shaped.lines, shaped.counts, shaped.rejected) == ([2, 3, 4, 5], [True] * 4, [])
    assert (shirt["sku"], shirt["price"], shirt["category"]) == ("LS-7", "35.00", "Clothing > Shirts")
    assert (small["sku"], small["parent"], small["price"]) == ("LS-7-S-W", "LS-7", "35.00")
    assert (large["sku"], large["price"], large["stock"]) == ("prestashop-7:xl-white", "39.50", "2")
    assert large["options"] == '{"Size": "XL", "Colour": "White"}'
    assert (tote["sku"], tote["category"], tote["published"]) == ("prestashop-8", "Bags", "false")


def test_spree() -> None:
    shaped = shape(fixture("spree"))

    assert (shaped.lines, shaped.counts) == ([2, 3, 4, 5], [True] * 4)
    assert filled(shaped, "sku", "name", "price", "stock", "category", "published", "parent", "options") == [
        {
            "sku": "TEA",
            "name": "Black tea",
            "price": "8.0",
            "stock": "0",
            "category": "Food > Tea",
            "published": "true",
        },
        {
            "sku": "TEA-100",
            "name": "Black tea - 100 g",
            "price": "8.0",
            "stock": "25",
            "published": "true",
            "parent": "TEA",
            "options": '{"Weight": "100 g"}',
        },
        {
            "sku": "TEA-500",
            "name": "Black tea - 500 g",
            "price": "32.0",
            "published": "true",
            "parent": "TEA",
            "options": '{"Weight": "500 g"}',
        },
        {
            "sku": "POT",
            "name": "Glass pot",
            "price": "21.5",
            "stock": "4",
            "category": "Kitchen",
            "published": "false",
        },
    ]


def test_vendure() -> None:
    shaped = shape(fixture("vendure"))
    lamp, black, white, bulb = filled(shaped)

    assert list(zip(shaped.lines, shaped.counts, strict=True)) == [
        (2, False), (2, True), (3, True), (4, True),
    ]  # fmt: skip
    assert (lamp["sku"], lamp["price"], lamp["category"]) == ("desk-lamp", "45.00", "Lighting")
    assert (black["parent"], black["options"]) == ("desk-lamp", '{"Colour": "Black", "Plug": "EU"}')
    assert (white["parent"], white["options"]) == ("desk-lamp", '{"Colour": "White", "Plug": "EU"}')
    assert (bulb["sku"], "stock" in bulb, "parent" in bulb) == ("BULB", False, False)


def test_tallyman_needs_no_shaping() -> None:
    header = header_of("tallyman")

    assert profiles.BY_NAME["tallyman"].structure is None
    assert guess_mapping(header, profiles.BY_NAME["tallyman"]) == {name: at for at, name in enumerate(header)}
