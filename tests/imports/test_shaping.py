"""Rows that belong together: what each line comes to, also where a line of them is broken."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.made_names import clipped
from imports.profiles import BY_NAME, guess_mapping
from imports.shop_cells import NAMES, ShopCells
from tests.imports.shaped_files import TODAY, filled, fixture, in_pieces, refused, shape, shaper_of

SHOPIFY = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src,Published\n"
VENDURE = "name,slug,optionGroups,optionValues,sku,price\n"
WOO = "ID,Type,SKU,Name,Published,Regular price,Parent,Attribute 1 name,Attribute 1 value(s)\n"
MAGENTO = "sku,attribute_set_code,product_type,name,price,visibility,configurable_variations\n"


def skus(text: str) -> list[tuple[str, str]]:
    return [(cells["sku"], cells.get("parent", "")) for cells in filled(shape(text))]


def test_every_line_is_accounted_for_once() -> None:
    for name in ("shopify", "woocommerce", "medusa", "magento2", "prestashop", "spree", "vendure"):
        shaped = shape(fixture(name))
        counted = [line for line, counts in zip(shaped.lines, shaped.counts, strict=True) if counts]
        told = counted + [line for line, _ in shaped.merged] + [line for line, *_ in shaped.rejected]
        assert len(told) == len(set(told))
        assert set(shaped.lines) <= set(counted)
        assert all(len(row) == len(NAMES) for row in shaped.rows)


CELLS = st.sampled_from(
    ["", "", "", "a", "b", "Size", "S", "M", "1", "-3", "9,99", "id:1", "1|2", "sku=a,size=S|sku=b", "simple",
     "variable", "variation", "configurable", "__clear__", "<b", "{}", "\\,", "∞", "https://a.example/a, /b"]
)  # fmt: skip


@pytest.mark.parametrize("name", [name for name, profile in BY_NAME.items() if profile.structure])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_cells_are_shaped_and_every_line_is_told_once(name: str, data: st.DataObject) -> None:
    first = fixture(name).splitlines()[0]
    header = next(csv.reader(io.StringIO(first), delimiter=max(",;", key=first.count)))
    rows = data.draw(st.lists(st.lists(CELLS, min_size=len(header), max_size=len(header)), max_size=8))
    profile = BY_NAME[name]
    cells = ShopCells(profile, header=header, mapping=guess_mapping(header, profile), today=TODAY)
    shaped = in_pieces(shaper_of(cells, rows), range(2, len(rows) + 2), rows)

    counted = [line for line, counts in zip(shaped.lines, shaped.counts, strict=True) if counts]
    told = counted + [line for line, _ in shaped.merged] + [line for line, *_ in shaped.rejected]
    assert sorted(told) == list(range(2, len(rows) + 2))
    assert set(shaped.lines) == set(counted)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_blocks_of_the_reader_make_no_difference(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = shape(fixture("shopify"))
    monkeypatch.setattr(
        "tests.imports.shaped_files.in_pieces",
        lambda shaper, lines, rows: in_pieces(shaper, lines, rows, size),
    )

    assert shape(fixture("shopify")) == whole


def test_product_without_options_is_one_row_and_takes_its_handle_as_sku() -> None:
    assert skus(SHOPIFY + "mug,Mug,Title,Default Title,,9,,true\n") == [("mug", "")]


def test_made_skus_depend_on_the_options_alone() -> None:
    small, large = "cup,Cup,Size,S,,9,,true\n", "cup,,,L,,9,,\n"
    swapped = "cup,Cup,Size,L,,9,,true\ncup,,,S,,9,,\n"

    assert set(skus(SHOPIFY + small + large)) == set(skus(SHOPIFY + swapped))
    assert skus(SHOPIFY + small) == [("cup", ""), ("cup:s", "cup")]


def test_option_values_that_would_make_the_same_sku_are_told_apart() -> None:
    values = ["S+", "S-", "★", "☆"]
    rows = [f"cup,{'' if at else 'Cup'},Size,{value},,9,,true\n" for at, value in enumerate(values)]
    made = [sku for sku, parent in skus(SHOPIFY + "".join(rows)) if parent]

    assert len(set(made)) == 4
    backwards = [
        f"cup,{'' if at else 'Cup'},Size,{value},,9,,true\n" for at, value in enumerate(values[::-1])
    ]
    assert set(skus(SHOPIFY + "".join(backwards))) == set(skus(SHOPIFY + "".join(rows)))


def test_sku_made_of_a_long_handle_fits_and_stays_unlike_others() -> None:
    one, other = clipped("a" * 150 + "x"), clipped("a" * 150 + "y")

    assert (len(one), len(other), one == other) == (100, 100, False)
    assert clipped("a" * 100) == "a" * 100


def test_parent_does_not_take_the_sku_of_its_variant() -> None:
    assert skus(SHOPIFY + "cup,Cup,Size,S,cup,9,,true\n") == [("cup:product", ""), ("cup", "cup:product")]


def test_line_that_only_has_an_image_is_merged() -> None:
    shaped = shape(
        SHOPIFY
        + "mug,Mug,Title,Default Title,,9,https://img.example/1.jpg,true\nmug,,,,,,https://img.example/2.jpg,\n"
    )

    assert shaped.merged == [(3, 2)]
    assert filled(shaped, "images") == [{"images": "https://img.example/1.jpg\nhttps://img.example/2.jpg"}]


def test_second_row_without_options_is_rejected_and_names_the_first() -> None:
    shaped = shape(SHOPIFY + "mug,Mug,Title,Default Title,A,9,,true\nmug,,,,B,9,,\n")

    assert refused(shaped) == [(3, "Handle", "no_options")]
    assert "line 2" in shaped.rejected[0][4]
    assert skus(SHOPIFY + "mug,Mug,Title,Default Title,A,9,,true\nmug,,,,B,9,,\n") == [("A", "")]


def test_variants_of_a_broken_first_line_are_rejected_and_name_it() -> None:
    long = "x" * 300
    shaped = shape(SHOPIFY + f"cup,{long},Size,S,,9,,true\ncup,,,L,,9,,\nmug,Mug,,,M,5,,true\n")

    assert refused(shaped) == [(2, "Title", "too_long"), (3, "Handle", "lead_rejected")]
    assert shaped.rejected[1][4].startswith("Line 2, which begins the product “cup”, is rejected.")
    assert [cells["sku"] for cells in filled(shaped)] == ["M"]


def test_variants_whose_first_line_was_not_read_are_rejected() -> None:
    shaped = shape(SHOPIFY + "mug,Mug,,,M,5,,true\ncup,Cup,Size\ncup,,,L,,9,,\n")

    assert refused(shaped) == [(4, "Title", "lead_missing")]
    assert [cells["sku"] for cells in filled(shaped)] == ["M"]


def test_variant_without_key_is_not_given_to_the_product_above_a_broken_line() -> None:
    shaped = shape(
        VENDURE + 'Mug,mug,,,M,5\n"Cup\nof tin",cup,Size,S,C-S,9\n,,,L,C-L,9\nPot,pot\n,,,XL,P-XL,9\n'
    )

    assert [(cells["sku"], cells.get("parent")) for cells in filled(shaped)] == [
        ("M", None), ("cup", None), ("C-S", "cup"), ("C-L", "cup"),
    ]  # fmt: skip
    assert refused(shaped) == [(7, "name", "lead_missing")]


def test_row_without_handle_and_name_is_rejected() -> None:
    assert refused(shape(SHOPIFY + ",,,,X,5,,true\nmug,Mug,,,M,5,,true\n")) == [
        (2, "Handle", "missing_handle")
    ]


@pytest.mark.parametrize(
    ("published", "status", "expected"),
    [
        ("true", "active", "true"),
        ("true", "draft", "false"),
        ("TRUE", "archived", "false"),
        ("false", "active", "false"),
    ],
)
def test_status_has_a_say_in_what_is_published(published: str, status: str, expected: str) -> None:
    header = "Handle,Title,Variant SKU,Variant Price,Published,Status\n"
    shaped = shape(f"{header}mug,Mug,M,5,{published},{status}\n")

    assert filled(shaped, "published")[0]["published"].lower() == expected


def test_html_loses_what_acts_and_plain_text_stays() -> None:
    header = "Handle,Title,Variant SKU,Variant Price,Body (HTML)\n"
    body = (
        '<b onmouseover=x()>Blue</b><script>y()</script><iframe src=//e></iframe><a href="javascript:z()">a'
    )
    quoted = body.replace('"', '""')
    shaped = shape(f'{header}a,A,A,5,"{quoted}"\nb,B,B,5,Salt & pepper\n')

    assert filled(shaped, "description") == [
        {"description": '<b>Blue</b><a rel="noopener noreferrer">a</a>'},
        {"description": "Salt & pepper"},
    ]


def test_variation_finds_its_parent_by_id_wherever_it_stands() -> None:
    rows = [
        "5,variation,,Red,1,9,id:7,Colour,Red\n",
        "6,variation,B,Blue,1,8,ID: 7,Colour,Blue\n",
        "7,variable,COAT,Coat,1,,,,\n",
        "8,variation,G,Green,1,7,id:999,Colour,Green\n",
    ]
    assert skus(WOO + "".join(rows)) == [("woo-5", "COAT"), ("B", "COAT"), ("COAT", ""), ("G", "woo-999")]
    assert set(skus(WOO + "".join(reversed(rows)))) == set(skus(WOO + "".join(rows)))
    assert filled(shape(WOO + "".join(rows)), "price")[2] == {"price": "8"}


def test_type_that_is_missing_or_unknown_is_rejected_with_the_fix() -> None:
    shaped = shape(WOO + "1,,A,A,1,9,,,\n2,booking,B,B,1,9,,,\n3,simple,C,C,1,9,,,\n")

    assert refused(shaped) == [(2, "Type", "missing_type"), (3, "Type", "cannot_be_sold")]
    assert shaped.rejected[1][4] == (
        "A product of the type “booking” is not known here. To import it as it is, make it a simple product."
    )


def test_configurable_without_price_takes_the_lowest_of_its_variants() -> None:
    rows = [
        'P,Default,configurable,P,,Catalog,"sku=A,size=S|sku=B,size=M"\n',
        "A,Default,simple,A,12,Not Visible Individually,\n",
        "B,Default,simple,B,11,Not Visible Individually,\n",
    ]
    shaped = shape(MAGENTO + "".join(rows))

    assert filled(shaped, "sku", "price", "parent", "options") == [
        {"sku": "P", "price": "11"},
        {"sku": "A", "price": "12", "parent": "P", "options": '{"size": "S"}'},
        {"sku": "B", "price": "11", "parent": "P", "options": '{"size": "M"}'},
    ]


def test_prices_with_decimal_comma_are_added_and_written_so() -> None:
    header = (
        "Product ID;Active (0/1);Name *;Price tax excluded;Attribute (Name:Type:Position);"
        "Value (Value:Position);Impact on price\n"
    )
    shaped = shape(f"{header}7;1;Shirt;35,50;;;\n7;;;;Size:select:0;S:0;-1,25\n")

    assert [cells["price"] for cells in filled(shaped)] == ["35,50", "34,25"]
