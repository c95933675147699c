"""What `inspect` makes of the ways in which shops, suppliers and spreadsheets write CSV."""

import io
import json
import random
from typing import Unpack

import pytest

from imports.corrections import Corrections
from imports.dialect import SAMPLE_BYTES, Dialect, Inspection, RefusedFile, inspect


def look(text: str | bytes, **given: Unpack[Corrections]) -> Inspection:
    data = text if isinstance(text, bytes) else text.encode()
    return inspect(io.BytesIO(data), **given)


def refusal(data: bytes) -> RefusedFile:
    with pytest.raises(RefusedFile) as caught:
        look(data)
    return caught.value


def test_inspect_shows_header_rows_and_size_of_a_plain_file() -> None:
    seen = look("sku,name\nA1,Pot\nA2,Pan\n")

    assert seen.header == ["sku", "name"]
    assert seen.rows == [["A1", "Pot"], ["A2", "Pan"]]
    assert seen.size == 23
    assert seen.dialect == Dialect("utf-8", ",", '"', "\n", header_line=1, first_line=2, data_offset=9)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(delimiter: str) -> None:
    lines = ["sku,name,price", 'A1,"Pot, big; red | new\tone",3', "A2,Pan,4"]
    text = "\n".join(
        delimiter.join(f'"{cell}"' for cell in cells)
        for cells in (["sku", "name", "price"], ["A1", "Pot, big; red | new\tone", "3"], ["A2", "Pan", "4"])
    )
    assert look(text).dialect.delimiter == delimiter
    assert look(lines[0].replace(",", delimiter) + "\n" + lines[2].replace(",", delimiter)).header == [
        "sku",
        "name",
        "price",
    ]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("name;price\nPot;1,50\nPan;2,75\n", ";"),
        ("name;price, net;stock\nPot;1,50;3\nPan;2,75;4\n", ";"),
        ("name,note\nPot,a;b;c\nPan,d;e;f\n", ","),
        ("name|price|text\nPot|1,50|a, b\nPan|2,75|c, d\n", "|"),
        ('sku,body\nA1,"<p>\n;;;;\n;;;;</p>"\nA2,"x;y"\n', ","),
        ("sku;sizes (s, m, l)\nA1;x\nA2;y\n", ";"),
        ("a,b,c\n1,2,3,4\n5,6,7,8\n", ","),
    ],
)
def test_delimiter_is_the_one_that_explains_most_cells(text: str, delimiter: str) -> None:
    assert look(text).dialect.delimiter == delimiter


def test_delimiter_survives_a_stray_quote_in_the_first_row() -> None:
    seen = look('sku;name;price\nA1;"Pot;1,5\nA2;Pan;2,5\nA3;Cup;3,5\n')

    assert seen.dialect.delimiter == ";"
    assert seen.rows == [["A2", "Pan", "2,5"], ["A3", "Cup", "3,5"]]


def test_corrections_by_the_user_win() -> None:
    seen = look("a,b;c\n1,2;3\n", delimiter=";", encoding="latin-1")

    assert (seen.dialect.delimiter, seen.dialect.encoding, seen.header) == (";", "latin-1", ["a,b", "c"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"delimiter": "x"}, "The delimiter “x” is not offered"),
        ({"encoding": "klingon"}, "The encoding “klingon” is not offered"),
        ({"quotechar": "`"}, "The quotechar “`” is not offered"),
        ({"header_line": -1}, "There is no line -1"),
    ],
)
def test_correction_that_is_not_offered_is_an_error(given: Corrections, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        look("a,b\n1,2\n", **given)


TITLED = "Stock,March,2024\nTotal,3,9.50\nsku,name,price\nA1,Pot,2\nA2,Pan,4\n"


@pytest.mark.parametrize(
    ("line", "header", "rows", "first_line"),
    [
        (1, ["Stock", "March", "2024"], 4, 2),
        (3, ["sku", "name", "price"], 2, 4),
        (4, ["A1", "Pot", "2"], 1, 5),
        (0, ["Column 1", "Column 2", "Column 3"], 5, 1),
    ],
)
def test_header_line_that_is_given_holds(line: int, header: list[str], rows: int, first_line: int) -> None:
    seen = look(TITLED, header_line=line)

    assert (seen.header, len(seen.rows)) == (header, rows)
    assert (seen.dialect.header_line, seen.dialect.first_line) == (line or 1, first_line)
    assert [(aside.line, aside.lines) for aside in seen.asides] == ([(1, line - 1)] if line > 1 else [])


def test_header_that_is_given_may_stand_above_a_smaller_table() -> None:
    text = "a,b\n1,2\n\nsku,name,price\nA1,Pot,2\nA2,Pan,4\nA3,Cup,5\n"

    assert look(text, header_line=1).rows == [["1", "2"]]
    assert look(text, header_line=4).rows == [["A1", "Pot", "2"], ["A2", "Pan", "4"], ["A3", "Cup", "5"]]


@pytest.mark.parametrize("line", [2, 9])
def test_header_line_with_nothing_in_it_is_refused(line: int) -> None:
    with pytest.raises(RefusedFile, match=f"Line {line} can’t be the header") as caught:
        look("sku,name\n,\nA1,Pot\n", header_line=line)

    assert caught.value.code == "no_header_line"


@pytest.mark.parametrize(
    ("quotechar", "rows"),
    [
        ('"', [["A1", "'5'", "4;4"], ["A2", "'6'", "7"]]),
        ("'", [["A1", "5", '"4;4"'], ["A2", "6", '"7"']]),
        ("", [["A1", "'5'", '"4;4"'], ["A2", "'6'", '"7"']]),
    ],
)
def test_quote_character_that_is_given_holds(quotechar: str, rows: list[list[str]]) -> None:
    semicolon = ";" if quotechar == '"' else "."
    rows = [[cell.replace(";", semicolon) for cell in row] for row in rows]
    text = f"A1;'5';\"4{semicolon}4\"\nA2;'6';\"7\"\n"
    seen = look(text, quotechar=quotechar, header_line=0)

    assert (seen.dialect.quotechar, seen.rows) == (quotechar, rows)


def test_single_column_is_allowed() -> None:
    seen = look("sku\nA1\nA2\n")

    assert (seen.header, seen.rows) == (["sku"], [["A1"], ["A2"]])


def test_byte_order_mark_is_no_part_of_the_header() -> None:
    seen = look("\ufeffsku,name\nA1,Käse\n")

    assert (seen.header, seen.dialect.encoding, seen.dialect.data_offset) == (["sku", "name"], "utf-8", 12)


def test_blank_lines_before_the_header_are_skipped() -> None:
    data = b"\n  \n,,\nsku,name,price\n\nA1,Pot,2\n"
    dialect = look(data).dialect

    assert (dialect.header_line, dialect.first_line) == (4, 5)
    assert data[dialect.data_offset :] == b"\nA1,Pot,2\n"


def test_header_over_two_lines_is_one_header() -> None:
    data = b'sku,"price\nin EUR",name\nA1,2,Pot\n'
    seen = look(data)

    assert (seen.header, seen.dialect.first_line) == (["sku", "price\nin EUR", "name"], 3)
    assert data[seen.dialect.data_offset :] == b"A1,2,Pot\n"


def test_header_with_a_stray_quote_still_names_the_columns() -> None:
    assert look('"sku,name,price\nA1,Pot,2\nA2,"Pan, big",3\n').header == ["sku", "name", "price"]


def test_trailing_delimiters_of_the_header_are_dropped() -> None:
    assert look("sku,name,,\nA1,Pot,,\nA2,Pan,,\n").header == ["sku", "name"]


def test_unnamed_last_column_is_kept_when_it_holds_something() -> None:
    assert look("sku,name,\nA1,Pot,red\n").header == ["sku", "name", ""]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("name\nKäse €\n".encode(), "utf-8"),
        ("name\nKäse €\n".encode("cp1252"), "cp1252"),
        (b"name\nK\xe4se \x81\n", "latin-1"),
        (b"name\nCheese\n", "utf-8"),
        ("name\nKäse\n".encode() + b"K\xe4se\n", "utf-8"),
        (b"name\nK\xe4", "cp1252"),
    ],
)
def test_encoding_is_told_from_the_bytes(data: bytes, encoding: str) -> None:
    assert look(data).dialect.encoding == encoding


def test_encoding_is_utf8_when_the_sample_ends_inside_its_only_special_character() -> None:
    start = b"a,b\n"
    data = start + b"x" * (SAMPLE_BYTES - len(start) - 1) + "é,c\n".encode()

    assert look(data).dialect.encoding == "utf-8"


@pytest.mark.parametrize(
    ("data", "line_end"),
    [
        (b"a,b\n1,2\n", "\n"),
        (b"a,b\r\n1,2\r\n", "\n"),
        (b"a,b\n1,2\r\n3,4\n", "\n"),
        (b"a,b\r1,2\r", "\r"),
        (b'a,b\r1,"x\ny"\r2,z\r', "\r"),
        (b'a,b\n1,"x\ry"\n2,z\n', "\n"),
    ],
)
def test_line_end_is_found(data: bytes, line_end: str) -> None:
    seen = look(data)

    assert (seen.dialect.line_end, seen.header) == (line_end, ["a", "b"])


def test_record_longer_than_the_sample_is_no_hindrance() -> None:
    seen = look(b"sku,name\nA1," + b"x" * 3_000_000 + b"\nA2,Pan\n")

    assert (seen.header, seen.dialect.data_offset) == (["sku", "name"], 9)


def test_row_that_the_sample_cuts_is_not_shown() -> None:
    row = ["A1", "x" * 400_000]
    seen = look("sku,name\n" + f"{','.join(row)}\n" * 3)

    assert seen.rows == [row, row]


def test_what_cannot_be_decoded_never_shows_as_a_surrogate() -> None:
    seen = look(b"sku,n\xff\nA1,\xc3\xa9\nA2,\xff\n")

    assert json.loads(json.dumps(seen.header)) == ["sku", "n�"]
    assert seen.rows == [["A1", "é"], ["A2", "�"]]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \r\n\n\t\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b",,,\n;;\n", "empty"),
        (b"sku,name\n", "header_only"),
        (b"sku,name", "header_only"),
        (b"sku,name\n\n,\n", "header_only"),
        ("sku,name\nA1,Pot\n".encode("utf-16"), "utf16"),
        ("sku,name\nA1,Pot\n".encode("utf-16-le"), "utf16"),
        ("sku,name\nA1,Pot\n".encode("utf-16-be"), "utf16"),
        (b"PK\x03\x04 xl/workbook.xml", "xlsx"),
        (b"PK\x03\x04 products.csv", "zip"),
        (b"\x1f\x8b\x08 and so on", "gzip"),
        (b"%PDF-1.7\n", "binary"),
        (b"\x89PNG\r\n", "binary"),
        (b"\xff\xd8\xff\xe0", "binary"),
        (b"\xd0\xcf\x11\xe0", "binary"),
        (random.Random(1).randbytes(5_000), "binary"),
        (b"\x7fELF" + b"\0" * 500, "binary"),
        (b"x" * 1_100_000, "no_line_ends"),
    ],
)
def test_file_that_is_no_table_is_refused(data: bytes, code: str) -> None:
    assert refusal(data).code == code


def test_refusal_says_what_is_wrong_and_what_to_do() -> None:
    assert refusal(b"sku,name\n").message == (
        "The file has a header but no line of data below it. Add the rows and upload it again."
    )


def test_one_nul_does_not_make_a_file_binary() -> None:
    assert look(b"sku,name\nA1,Pot\nA2,P\0n\nA3,Cup\n").header == ["sku", "name"]


def test_dialect_survives_json() -> None:
    dialect = look("sku;name\nA1;Pot\n").dialect

    assert Dialect.from_dict(json.loads(json.dumps(dialect.as_dict()))) == dialect
