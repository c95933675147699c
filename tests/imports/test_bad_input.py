"""Bad files are refused, bad rows rejected, each with a message that tells the fix; all other rows land."""

from __future__ import annotations

import pytest

from imports import choices
from imports.dialect import RefusedFile
from imports.models import ImportRun
from tests.imports.running import (
    confirm,
    do,
    due_jobs,
    import_rows,
    outcomes,
    receive,
    rejections,
    row,
    values,
    work,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        pytest.param(
            b"", "empty", "The file is empty. Export the catalogue again and upload the new file.", id="empty"
        ),
        pytest.param(
            b"\xef\xbb\xbf \r\n\r\n",
            "empty",
            "The file is empty. Export the catalogue again and upload the new file.",
            id="only blank lines",
        ),
        pytest.param(
            b"sku,name,price\n",
            "header_only",
            "The file has a header but no line of data below it. Add the rows and upload it again.",
            id="header only",
        ),
        pytest.param(
            b"sku,name,price\n\n,,\n",
            "header_only",
            "The file has a header but no line of data below it. Add the rows and upload it again.",
            id="header and blank lines",
        ),
        pytest.param(
            bytes(range(256)) * 40,
            "binary",
            "The file is not text, it holds binary data. Open it in your"
            " spreadsheet program, save it as CSV UTF-8 and upload that.",
            id="binary",
        ),
        pytest.param(
            b"\x89PNG\r\n\x1a\n",
            "binary",
            "The file is a PNG image. Choose the CSV file of the catalogue instead.",
            id="image",
        ),
    ],
)
def test_bad_file_is_refused_with_the_fix(data: bytes, code: str, message: str) -> None:
    with pytest.raises(RefusedFile) as refused:
        receive(data)

    assert (refused.value.code, str(refused.value), ImportRun.objects.count()) == (code, message, 0)


def test_file_without_a_column_for_the_sku_is_refused() -> None:
    with pytest.raises(choices.MappingError, match=r"recognised as the SKU\. Say which one it is"):
        confirm("Nummer,name,price\nA,Board,1\n")

    assert ImportRun.objects.get().state == ImportRun.State.DRAFT


def test_column_that_is_no_sku_by_name_can_be_chosen() -> None:
    run = import_rows("Nummer,name,price\nA,Board,1\n", mapping={"sku": 0, "name": 1, "price": 2})

    assert outcomes(run) == {"created": 1}


@pytest.mark.parametrize(
    ("cells", "column", "code", "message"),
    [
        ({"sku": ""}, "sku", "missing_sku", "The SKU is missing; every row needs one. Fill it in."),
        ({"name": " "}, "name", "missing_name", "The name is missing; a new product needs one. Fill it in."),
        (
            {"price": ""},
            "price",
            "missing_price",
            "The price is missing; a new product needs one. Fill it in.",
        ),
        (
            {"price": "abc"},
            "price",
            "not_a_price",
            "“abc” is not a plain number. Write digits with a point for the cents, such as 12.50.",
        ),
        ({"price": "-1"}, "price", "negative_price", "The price -1 is below zero. Write 0 or more."),
        (
            {"price": "12.50 €/kg"},
            "price",
            "not_a_price",
            "“12.50 €/kg” is not a plain number. Write digits with a point for the cents, such as 12.50.",
        ),
        (
            {"price": "1.234"},
            "price",
            "too_many_decimals",
            "The price 1.234 has more than 2 decimals. Round it.",
        ),
        (
            {"price": "1e400"},
            "price",
            "not_a_price",
            "“1e400” is not a plain number. Write digits with a point for the cents, such as 12.50.",
        ),
        ({"stock": "3.7"}, "stock", "not_whole", "The stock 3.7 is not whole. Write a whole number."),
        ({"stock": "-2"}, "stock", "negative_stock", "The stock -2 is below zero. Write 0 or more."),
        (
            {"stock": "99999999999999999999"},
            "stock",
            "stock_too_large",
            "The stock is above 2,147,483,647. Check the number.",
        ),
        (
            {"name": "x" * 5000},
            "name",
            "too_long",
            "The name has 5,000 characters; shorten it to 255 or fewer.",
        ),
        (
            {"metadata": "{colour: blue}"},
            "metadata",
            "not_json",
            'The metadata is not valid JSON (near character 2). Write it like {"colour": "blue"}.',
        ),
        (
            {"name": "Bo\0ard"},
            "name",
            "nul_byte",
            "There is an invisible NUL byte in cell 2. Delete it or export the file again.",
        ),
        (
            {"description": "x" * 10_000_000},
            "description",
            "cell_too_long",
            "There are more than 1,048,576 characters in cell 3. Shorten the text.",
        ),
    ],
    ids=lambda value: f"{next(iter(value.items()))}"[:40] if isinstance(value, dict) else "",
)
def test_bad_row_is_rejected_with_the_fix_and_all_others_land(
    cells: dict[str, str], column: str, code: str, message: str
) -> None:
    sound = {"metadata": '{"a": 1}', "description": "Long"}

    run = import_rows([row("A", **sound), row("BAD") | sound | cells, row("C", **sound)])

    assert rejections(run) == [(3, column, code)]
    assert run.rejected_rows.get().message == message
    assert (outcomes(run), list(values("sku"))) == ({"created": 2, "rejected": 1}, ["A", "C"])


@pytest.mark.parametrize(
    ("line", "column", "code", "message"),
    [
        (
            "B,Cup",
            "price",
            "too_few_cells",
            "2 cells where the header has 3. Add the missing ones; if a line break"
            ' inside a cell cut the line, put that cell in quotes (").',
        ),
        (
            "B,Cup,2,more",
            "",
            "too_many_cells",
            "4 cells where the header has 3. Put the cell that contains a comma"
            ' in quotes ("), or remove the cells that are too many.',
        ),
        (
            'B,"Cup,2',
            "name",
            "stray_quote",
            'A quote (") in cell 2 has no partner or has text after it. Remove it, or'
            ' put the whole cell in quotes and write the quote twice ("").',
        ),
    ],
)
def test_line_that_is_no_row_is_rejected_with_the_fix_and_all_others_land(
    line: str, column: str, code: str, message: str
) -> None:
    rows = [f"S{n},Name {n},{n}" for n in range(6)]

    run = import_rows("\n".join(["sku,name,price", *rows[:3], line, *rows[3:]]))

    assert rejections(run) == [(5, column, code)]
    assert run.rejected_rows.get().message == message
    assert (outcomes(run), list(values("sku"))) == (
        {"created": 6, "rejected": 1},
        [f"S{n}" for n in range(6)],
    )


def test_line_in_another_encoding_than_its_file_is_rejected() -> None:
    run = import_rows("sku,name,price\nA,Käse,1\n".encode() + b"B,K\xe4se,2\nC,Cup,3\n")

    assert rejections(run) == [(3, "name", "encoding")]
    assert run.rejected_rows.get().message == (
        "The byte 0xE4 in cell 2 is not UTF-8. Type the character again and save the file as CSV UTF-8,"
        " or choose the encoding that the file is in."
    )
    assert values("name") == {"A": "Käse", "C": "Cup"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_promised_dialect_is_read(encoding: str, delimiter: str) -> None:
    text = "sku,name,price\r\nA,Käse,1\r\nB,Crème brûlée,2.50\r\n".replace(",", delimiter)

    run = import_rows(text.encode(encoding))

    assert (outcomes(run), values("name")) == ({"created": 2}, {"A": "Käse", "B": "Crème brûlée"})


def test_encoding_that_shows_late_in_the_file_is_still_found() -> None:
    rows = [f"S{n:05},{'plain ' * 30},{n}" for n in range(6_000)]
    data = "\n".join(["sku,name,price", *rows, "Z,Käse,1"]).encode("cp1252")

    run = import_rows(data)

    assert (outcomes(run), values("name")["Z"]) == ({"created": 6_001}, "Käse")


@pytest.mark.django_db(transaction=True)
def test_line_without_an_end_fails_the_import_at_once_with_the_fix() -> None:
    run = confirm(b"sku,name,price\nA,Board,1\n" + b"x" * 17_000_000 + b"\n")

    with pytest.raises(Exception, match="longer than"):
        do(due_jobs()[0])
    work(run)

    assert run.state == ImportRun.State.FAILED
    assert run.error == (
        f"Import {run.pk}: reading the file could not be done: Line 3 is longer than 16,777,216 bytes."
        " Probably a line end or a closing quote is missing in it: correct it, or export the file again."
    )


def test_every_kind_of_bad_row_in_one_file_harms_no_other() -> None:
    bad = [
        'B1,"Cup "tall" mug,2',
        "B2,Cup,abc,,",
        "B3,Cup",
        "B4,Cup,1,x,{}",
        ",Cup,1,1,{}",
        "B5,,1,1,{}",
        "B6,Cup,1,1,{]",
        "B7,C\0up,1,1,{}",
        "B8,Cup,1,1,{},,,9",
        'B9,"Cup" x,1,1,{}',
    ]
    lines = ["sku,name,price,stock,metadata"]
    for number, line in enumerate(bad):
        lines += [line, *(f"S{number}{n},Name,1,1," for n in range(3))]

    run = import_rows("\n".join(lines))

    assert outcomes(run) == {"created": 30, "rejected": 10}
    assert [line for line, _, _ in rejections(run)] == list(range(2, 42, 4))
