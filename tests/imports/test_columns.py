"""What each column takes, and what it says about what it does not take."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imports.columns import BY_NAME, CellError, Column, guess_mapping, normalise, slugs_for


def clean(column: str, text: str) -> str:
    return BY_NAME[column]().clean(text)


def refusal(column: str, text: str) -> tuple[str, str]:
    with pytest.raises(CellError) as refused:
        clean(column, text)
    return refused.value.code, str(refused.value)


@pytest.mark.parametrize(
    ("column", "text", "cleaned"),
    [
        ("sku", "TM-1001", "TM-1001"),
        ("sku", "Ä 1/ß", "Ä 1/ß"),
        ("parent", "TM-1001", "TM-1001"),
        ("options", "Colour: red", '{"Colour": "red"}'),
        (
            "options",
            " Colour :dark red|Size: M: wide\nFit:slim",
            '{"Colour": "dark red", "Size": "M: wide", "Fit": "slim"}',
        ),
        (
            "options",
            '{"Größe": 42, "wide": true, "x|y": "a:b"}',
            '{"Größe": "42", "wide": "true", "x|y": "a:b"}',
        ),
        ("options", "{}", "{}"),
        ("images", "https://x.test/1.jpg", '["https://x.test/1.jpg"]'),
        ("images", "http://x/1\nHTTPS://x/2\r\n http://x/3", '["http://x/1", "HTTPS://x/2", "http://x/3"]'),
        (
            "images",
            "http://x/1 | http://x/a|b, http://x/w_1,h_2,http://x/3",
            '["http://x/1", "http://x/a|b", "http://x/w_1,h_2", "http://x/3"]',
        ),
        ("images", "http://x/2 | http://x/1 | http://x/2", '["http://x/2", "http://x/1"]'),
        ("sku", "x" * 100, "x" * 100),
        ("name", "Oak board", "Oak board"),
        ("name", "Oak\n\tboard", "Oak board"),
        ("name", "x" * 255, "x" * 255),
        ("description", "two\nlines", "two\nlines"),
        ("price", "12.50", "12.50"),
        ("price", "12", "12"),
        ("price", "12.5", "12.50"),
        ("price", ".5", "0.50"),
        ("price", "+7.", "7.00"),
        ("price", "0.000", "0.00"),
        ("price", "-0", "0.00"),
        ("price", "12,5", "12.50"),
        ("price", "1.234,56", "1234.56"),
        ("price", "1'234.–", "1234.00"),
        ("price", "9999999999.99", "9999999999.99"),
        ("stock", "25", "25"),
        ("stock", "0", "0"),
        ("stock", "25.0", "25"),
        ("stock", "+3", "3"),
        ("stock", "2147483647", "2147483647"),
        ("stock", "1 250 Stk.", "1250"),
        ("stock", "12 pcs", "12"),
        ("category", " Home >  Kitchen tools>Knives > ", "Home > Kitchen tools > Knives"),
        ("published", "TRUE", "t"),
        ("published", "0", "f"),
        ("published", "draft", "f"),
        ("featured", "Yes", "t"),
        *[("featured", word, "t") for word in ("ja", "Wahr", "OUI", "vrai", "Sí", "verdadero", "vero")],
        *[("featured", word, "f") for word in ("Nein", "falsch", "non", "faux", "No", "falso", "nee")],
        ("metadata", '{"a": [1, null, "é"]}', '{"a": [1, null, "é"]}'),
        (
            "metadata",
            '{"a": "\\u00e9 \\ud83d\\ude00 \\\\u0000"}',
            '{"a": "\\u00e9 \\ud83d\\ude00 \\\\u0000"}',
        ),
    ],
)
def test_good_cell_is_cleaned(column: str, text: str, cleaned: str) -> None:
    assert clean(column, text) == cleaned


@pytest.mark.parametrize(
    ("column", "text", "code", "message"),
    [
        ("sku", "x" * 101, "too_long", "The SKU has 101 characters; shorten it to 100 or fewer."),
        ("sku", "a\nb", "control_character", "The SKU has a line break or control character; remove it."),
        ("name", "x" * 5000, "too_long", "The name has 5,000 characters; shorten it to 255 or fewer."),
        (
            "price",
            "abc",
            "not_a_price",
            "“abc” is not a plain number. Write digits with a point for the cents, such as 12.50.",
        ),
        ("price", "-1", "negative_price", "The price -1 is below zero. Write 0 or more."),
        (
            "price",
            "12%",
            "percentage",
            "“12%” is a percentage. Map the column that has the price itself.",
        ),
        (
            "price",
            "1.234",
            "ambiguous_number",
            "“1.234” can mean 1.234 or 1234. Say how the column writes numbers (price.format:"
            " point or comma), or write 1234 if that is meant.",
        ),
        (
            "price",
            "€ 12,50",
            "currency_not_chosen",
            "“€ 12,50” names a currency. Say that it is the one of all prices"
            " (price.currency: EUR), or remove it.",
        ),
        (
            "price",
            "1e400",
            "not_a_price",
            "“1e400” is not a plain number. Write digits with a point for the cents, such as 12.50.",
        ),
        (
            "price",
            "nan",
            "not_a_price",
            "“nan” is not a plain number. Write digits with a point for the cents, such as 12.50.",
        ),
        (
            "price",
            "１２",
            "not_a_price",
            "“１２” is not a plain number. Write digits with a point for the cents, such as 12.50.",
        ),
        (
            "price",
            "10000000000",
            "price_too_large",
            "The price is above 9,999,999,999.99. Check the decimal point.",
        ),
        ("price", "1.0051", "too_many_decimals", "The price 1.0051 has more than 2 decimals. Round it."),
        ("stock", "3.7", "not_whole", "The stock 3.7 is not whole. Write a whole number."),
        ("stock", "-2", "negative_stock", "The stock -2 is below zero. Write 0 or more."),
        ("stock", "2147483648", "stock_too_large", "The stock is above 2,147,483,647. Check the number."),
        ("stock", "9" * 5000, "stock_too_large", "The stock is above 2,147,483,647. Check the number."),
        ("stock", "12 kg", "not_a_number", "“12 kg” is not a whole number. Write digits only, 25."),
        (
            "stock",
            "2.500",
            "ambiguous_number",
            "“2.500” can mean 2.500 or 2500. Say how the column writes numbers (stock.format:"
            " point or comma), or write 2500 if that is meant.",
        ),
        (
            "parent",
            "a\nb",
            "not_a_sku",
            "“a\nb” is no SKU. Write the SKU of the product that this is a variant of.",
        ),
        *[
            (
                "options",
                text,
                "not_options",
                f'{problem} Write Colour: red | Size: M, or {{"Colour": "red", "Size": "M"}}.',
            )
            for text, problem in [
                ("red", "“red” is not names with values."),
                ("Colour: red | M", "“Colour: red | M” is not names with values."),
                ("Colour:", "“Colour:” is not names with values."),
                ('{"Colour": null}', '“{"Colour": null}” is not names with values.'),
                ('{"Colour": "\\u0000"}', '“{"Colour": "\\u0000"}” is not names with values.'),
                ('{"Colour":', '“{"Colour":” is no valid JSON.'),
                ("Size: M | size: L", "“Size: M | size: L” names an option twice."),
                (" | ".join(f"o{n}: 1" for n in range(21)), "There are 21 options, 20 are possible."),
            ]
        ],
        *[
            (
                "images",
                text,
                "not_an_address",
                f"“{shown}” is no address of an image. Write one that begins with https:// and has up to"
                " 1,000 characters; separate several by line breaks or “ | ”.",
            )
            for text, shown in [
                ("board.jpg", "board.jpg"),
                ("http://x/1 | ftp://x/2", "ftp://x/2"),
                ("https://x/a b.jpg", "https://x/a b.jpg"),
                ("https://x/" + "a" * 991, "https://x/" + "a" * 30 + "…"),
            ]
        ],
        (
            "images",
            "\n".join(f"https://x/{n}" for n in range(251)),
            "too_many_images",
            "There are 251 images; a product has up to 250. Leave some out.",
        ),
        ("stock", "many", "not_a_number", "“many” is not a whole number. Write digits only, 25."),
        ("stock", "٣", "not_a_number", "“٣” is not a whole number. Write digits only, 25."),
        ("category", "> >", "empty_category", "“> >” names no category. Write A > B > C."),
        (
            "category",
            "x" * 121,
            "category_too_long",
            "Category names have up to 120 characters, paths up to 8 steps and 900 bytes. Shorten it.",
        ),
        (
            "category",
            " > ".join("abcdefghi"),
            "category_too_long",
            "Category names have up to 120 characters, paths up to 8 steps and 900 bytes. Shorten it.",
        ),
        ("category", "a\x07b", "control_character", "The category has a control character; remove it."),
        ("published", "maybe", "not_yes_or_no", "“maybe” is neither true nor false. Write true or false."),
        (
            "metadata",
            "{a: 1}",
            "not_json",
            'The metadata is not valid JSON (near character 2). Write it like {"colour": "blue"}.',
        ),
        (
            "metadata",
            '{"a": 1} x',
            "not_json",
            'The metadata is not valid JSON (near character 9). Write it like {"colour": "blue"}.',
        ),
        ("metadata", "[1]", "not_an_object", 'Metadata must be a JSON object such as {"colour": "blue"}.'),
        (
            "metadata",
            '{"a": NaN}',
            "not_json",
            'The metadata is not valid JSON. Write it like {"colour": "blue"}.',
        ),
        (
            "metadata",
            '{"a": 1e999}',
            "not_json",
            'The metadata is not valid JSON. Write it like {"colour": "blue"}.',
        ),
        (
            "metadata",
            '{"a": "\\u0000"}',
            "not_json",
            "The metadata has a \\u escape that stands for no character; remove it.",
        ),
        (
            "metadata",
            '{"\\ud800": 1}',
            "not_json",
            "The metadata has a \\u escape that stands for no character; remove it.",
        ),
        (
            "metadata",
            '{"a":' + "[" * 100 + "]" * 100 + "}",
            "too_deep",
            "The metadata is nested more than 100 levels deep. Make it flatter.",
        ),
        (
            "metadata",
            '{"a":' * 90_000 + "1" + "}" * 90_000,
            "not_json",
            'The metadata is not valid JSON. Write it like {"colour": "blue"}.',
        ),
    ],
)
def test_bad_cell_is_refused_with_the_fix(column: str, text: str, code: str, message: str) -> None:
    assert refusal(column, text) == (code, message)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("price", "-" + "9" * 5000),
        ("price", "0." + "1" * 5000),
        ("price", "x" * 5000),
        ("stock", "x" * 5000),
        ("stock", "-" + "1" * 5000),
        ("stock", "1." + "1" * 5000),
        ("category", ">" * 5000),
        ("published", "x" * 5000),
    ],
)
def test_message_about_an_endless_cell_stays_short(column: str, text: str) -> None:
    assert len(refusal(column, text)[1]) < 200


def test_metadata_may_be_a_hundred_levels_deep() -> None:
    text = '{"a":' + "[" * 99 + "]" * 99 + "}"

    assert clean("metadata", text) == text


def test_every_column_accepts_its_own_example() -> None:
    for column in BY_NAME.values():
        if column.example:
            assert column().clean(column.example)


@pytest.mark.parametrize(
    ("header", "mapping"),
    [
        (
            ",".join(BY_NAME),
            dict(zip(BY_NAME, range(len(BY_NAME)), strict=True)),
        ),
        (" SKU ;Product-Name;PRICE;Qty", {"sku": 0, "name": 1, "price": 2, "stock": 3}),
        ("colour;size", {}),
        ("", {}),
        ("title;name;sku", {"sku": 2, "name": 1}),
        ("sku;SKU;name", {"sku": 0, "name": 2}),
        ("name;sku;_line;_error", {"sku": 1, "name": 0}),
        (
            "Handle;Title;Body (HTML);Vendor;Product Category;Type;Tags;Published;Option1 Name;Option1 Value;"
            "Variant SKU;Variant Grams;Variant Inventory Tracker;Variant Inventory Qty;Variant Price;"
            "Image Src;Status",
            {
                "sku": 10,
                "name": 1,
                "description": 2,
                "price": 14,
                "stock": 13,
                "category": 4,
                "published": 7,
                "images": 15,
            },
        ),
        (
            "ID;Type;SKU;Name;Published;Is featured?;Visibility in catalog;Short description;Description;"
            "Tax status;In stock?;Stock;Sale price;Regular price;Categories;Tags;Images;Parent",
            {
                "sku": 2,
                "name": 3,
                "description": 8,
                "price": 13,
                "stock": 11,
                "category": 14,
                "published": 4,
                "featured": 5,
                "parent": 17,
                "images": 16,
            },
        ),
        (
            "Artikelnummer;Bezeichnung;Preis;Bestand;Kategorie;Beschreibung",
            {"sku": 0, "name": 1, "price": 2, "stock": 3, "category": 4, "description": 5},
        ),
        (
            "Référence;Nom;Prix TTC;Quantité;Catégorie;Descriptif;En ligne;Mis en avant",
            {
                "sku": 0,
                "name": 1,
                "price": 2,
                "stock": 3,
                "category": 4,
                "description": 5,
                "published": 6,
                "featured": 7,
            },
        ),
        (
            "Código;Nombre;Precio;Existencias;Categoría;Descripción;Publicado;Destacado",
            {
                "sku": 0,
                "name": 1,
                "price": 2,
                "stock": 3,
                "category": 4,
                "description": 5,
                "published": 6,
                "featured": 7,
            },
        ),
        (
            "Artikelcode;Productnaam;Prijs;Voorraad;Categorie;Omschrijving",
            {"sku": 0, "name": 1, "price": 2, "stock": 3, "category": 4, "description": 5},
        ),
        (
            "Codice articolo;Nome prodotto;Prezzo;Giacenza;Categoria;Descrizione",
            {"sku": 0, "name": 1, "price": 2, "stock": 3, "category": 4, "description": 5},
        ),
    ],
)
def test_mapping_is_guessed_from_the_header(header: str, mapping: dict[str, int]) -> None:
    cells = header.split("," if "," in header else ";")

    assert guess_mapping(cells) == mapping


def test_no_synonym_names_two_columns() -> None:
    named = [{normalise(name) for name in (column.name, *column.synonyms)} for column in BY_NAME.values()]

    assert len(set.union(*named)) == sum(map(len, named))


@pytest.mark.parametrize(
    ("header", "normalised"),
    [(" Variant_SKU ", "variantsku"), ("Is featured?", "isfeatured"), ("Größe", "grösse"), ("###", "")],
)
def test_headers_are_compared_without_case_spaces_and_punctuation(header: str, normalised: str) -> None:
    assert normalise(header) == normalised


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Oak board", "oak-board"),
        ("Men's 5\" Crème-Brûlée torch", "mens-5-creme-brulee-torch"),
        ("日本", "product"),
        ("--", "product"),
        ("x" * 300, "x" * 120),
        ("a_b/c", "a-b-c"),
    ],
)
def test_slug_is_made_from_the_name(name: str, slug: str) -> None:
    assert slugs_for(["Oak board", name, name]) == ["oak-board", slug, slug]


_CELL = st.one_of(
    st.sampled_from(
        ["12", "12.50", "12,50", "0", "true", "No", "Home > Hats", "x" * 256, "a\tb", "12\x1f13", "12 13"]
    ),
    st.text(min_size=1, max_size=12).map(str.strip).filter(bool),
)


@given(st.lists(_CELL, min_size=1, max_size=5))
@example(["12\x1f13", "4"])
@example(["12 13"])
@example(["12,50", "3"])
def test_cleaning_at_once_answers_what_cleaning_one_by_one_does(texts: list[str]) -> None:
    kinds = [kind() for kind in BY_NAME.values()] + [BY_NAME["price"]({"format": "comma"})]
    for column in kinds:
        for _ in range(2):  # the second time, a category is known already
            at_once = column.clean_all(texts)
            assert at_once is None or at_once == one_by_one(column, texts)


def one_by_one(column: Column, texts: list[str]) -> list[str | None]:
    cleaned: list[str | None] = []
    for text in texts:
        try:
            cleaned.append(column.clean(text))
        except CellError:
            cleaned.append(None)
    return cleaned


def test_refused_price_of_a_column_with_commas_is_told_with_a_comma() -> None:
    with pytest.raises(CellError, match="with a comma for the cents, such as 12,50"):
        BY_NAME["price"]({"format": "comma"}).clean("dear")


def test_header_that_was_written_twice_is_still_understood() -> None:
    assert guess_mapping(["SKU SKU", "Unit price Unit price", "Colour Colour"]) == {"sku": 0, "price": 1}
