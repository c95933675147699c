"""What a sample would become, as it is told before an import runs."""

from __future__ import annotations

from typing import Any

import pytest

from imports import previewing
from imports.models import ImportRun
from imports.previewing import Preview, Sample
from imports.receiving import sample_rows
from imports.sampling import shop_sample
from tests.imports.running import receive
from tests.imports.shaped_files import fixture

pytestmark = pytest.mark.django_db


def shown(content: str, **choices: Any) -> dict[str, Preview]:
    run = receive(content)
    for name, value in choices.items():
        setattr(run, name, value)
    return previewing.preview(run, sample_rows(run), shop_sample(run))


def test_cells_are_shown_as_they_are_and_as_they_become() -> None:
    made = shown(
        "sku;name;price;published;category\n"
        "A;Oak  board;1.234,50 €;ja;Home>Kitchen\nB;Bowl;2,50 €;nein;Home > Kitchen\n"
    )
    assert {name: [(cell.text, cell.becomes) for cell in one.samples] for name, one in made.items()} == {
        "sku": [("A", "A"), ("B", "B")],
        "name": [("Oak board", "Oak board"), ("Bowl", "Bowl")],
        "price": [("1.234,50 €", "1234.50"), ("2,50 €", "2.50")],
        "published": [("ja", "yes"), ("nein", "no")],
        "category": [("Home>Kitchen", "Home > Kitchen"), ("Home > Kitchen", "Home > Kitchen")],
    }
    assert {one.warning for one in made.values()} == {""}


def test_three_different_cells_are_shown() -> None:
    made = shown("sku,stock\n" + "".join(f"{number},{number // 2}\n" for number in range(20)))
    assert [cell.text for cell in made["stock"].samples] == ["0", "1", "2"]


def test_chosen_format_shows_what_it_makes_of_the_cells() -> None:
    text = "sku,price\nA,1.234\n"
    assert shown(text)["price"].samples[0].error.startswith("“1.234” can mean 1.234 or 1234.")
    made = shown(text, options={"price": {"format": "comma"}})
    assert made["price"].samples == [Sample("1.234", "1234.00")]


def test_choice_that_is_not_offered_counts_for_nothing() -> None:
    made = shown("sku,price\nA,1.50\n", options={"price": {"format": "dots"}, "colour": {"format": "comma"}})
    assert made["price"].samples == [Sample("1.50", "1.50")]


def test_header_that_lies_is_told_by_its_cells() -> None:
    made = shown("sku,price\nA,cheap\nB,\nC,dear\n")["price"]
    assert (made.rows, made.blank, made.rejected) == (3, 1, 2)
    assert made.warning == (
        "Is this the right column? None of its sampled cells can be used: “cheap” is not a plain number."
        " Write digits with a point for the cents, such as 12.50."
    )


def test_share_of_rows_that_would_be_rejected_is_told() -> None:
    made = shown("sku,stock\nA,1\nB,none\nC,3\nD,-4\n")["stock"]
    assert made.warning == (
        "2 of 4 sampled rows would be rejected: “none” is not a whole number. Write digits only, 25."
    )
    assert [bool(cell.error) for cell in made.samples] == [False, True, False]


def test_blank_and_repeated_skus_are_told() -> None:
    made = shown("sku,name\nA,x\n,y\nA,z\n")["sku"]
    assert (
        made.warning == "1 of 3 sampled rows would be rejected: every row needs a SKU, and here it is blank."
    )
    assert shown("sku,name\nA,x\nB,y\nA,z\n")["sku"].warning == (
        "1 of 3 sampled rows have the SKU of an earlier row; the last row of each SKU counts."
    )


def test_token_is_shown_to_clear_and_blank_cells_are_counted() -> None:
    made = shown("sku,description,stock\nA,__clear__,\nB,,\n")
    assert made["description"].samples == [Sample("__clear__", "cleared")]
    assert (made["description"].note, made["stock"].note) == ("1 blank", "All sampled cells are blank.")
    assert made["stock"].samples == []


@pytest.mark.parametrize(
    ("name", "text", "sample"),
    [
        ("price", "1.234,50", Sample("1.234,50", "1234.50")),
        ("published", "oui", Sample("oui", "yes")),
        ("stock", "many", Sample("many", error="“many” is not a whole number. Write digits only, 25.")),
    ],
)
def test_constant_is_shown_as_it_becomes(name: str, text: str, sample: Sample) -> None:
    assert previewing.constant(name, text) == sample


def test_mapping_to_a_column_that_is_not_there_shows_nothing() -> None:
    run: ImportRun = receive("sku,name\nA,x\n")
    run.mapping = {"sku": 0, "name": 9, "colour": 1}
    assert list(previewing.preview(run, sample_rows(run))) == ["sku"]


def cells_of(preview: Preview) -> list[tuple[str, str]]:
    return [(cell.text, cell.becomes) for cell in preview.samples]


def test_shop_file_shows_what_its_cells_become_when_the_rows_are_put_together() -> None:
    made = shown(
        "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src\n"
        "cup,Cup,Size,S,,9,https://img.example/1.jpg\ncup,,,M,CUP-M,8,https://img.example/2.jpg\n"
    )
    assert {name: cells_of(one) for name, one in made.items() if one.samples} == {
        "sku": [("", "cup:s"), ("CUP-M", "CUP-M")],
        "name": [("Cup", "Cup - S"), ("", "Cup - M")],
        "price": [("9", "9"), ("8", "8")],
        "parent": [("cup", "cup")],
        "options": [("Size: S", "Size: S"), ("Size: M", "Size: M")],
        "images": [("https://img.example/1.jpg and 1 more",) * 2],
    }
    assert {one.warning for one in made.values()} == {""}


def test_shop_file_without_skus_that_could_be_made_is_warned_of() -> None:
    warning = shown("sku,attribute_set_code,product_type,name,price\n,Default,simple,Cup,9\n")["sku"].warning
    assert warning == (
        "Is this the right column? None of its sampled cells can be used:"
        " every row needs a SKU, and here it is blank."
    )


def test_shop_file_with_a_column_that_is_not_there_is_shown_row_by_row() -> None:
    run = receive(fixture("shopify"))
    run.mapping = {"sku": 0, "price": 99}
    assert (shop_sample(run), list(shown(fixture("shopify"), mapping=run.mapping))) == (None, ["sku"])
