"""Excel workbooks are read as people see them; what they do not show is rejected and never read as blank."""

from __future__ import annotations

import datetime
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from imports.inspecting import TableReader
from imports.unpacking import plain_file
from tests.imports.running import import_rows, outcomes, rejections, values

type Fill = Callable[[Any, Any], None]


def workbook(fill: Fill, *, empty_first: bool = False) -> bytes:
    """A workbook whose (second) sheet `fill(sheet, book)` writes."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        if empty_first:
            book.add_worksheet("Notes")
        fill(book.add_worksheet("Stock"), book)
        book.add_worksheet("More").write(0, 0, "not looked at")
    return out.getvalue()


def table_of(data: bytes) -> tuple[list[str], list[list[str]]]:
    with plain_file(io.BytesIO(data), limit=10**9) as plain:
        reader = TableReader(plain)
        return reader.seen.header, [row for block in reader.blocks() for row in block]


def test_cells_are_shown_as_people_see_them() -> None:
    moment = datetime.datetime(2024, 3, 1, 9, 30)  # noqa: DTZ001 - workbooks know no time zones
    formats = ["yyyy-mm-dd", "yyyy-mm-dd hh:mm", "hh:mm", "[h]:mm", "0%"]
    cells = [moment.date(), moment, moment.time(), 1.25, 0.19]

    def fill(sheet: Any, book: Any) -> None:
        header = ["sku", "day", "moment", "time", "hours", "share", "stock", "price", "sold", "text", "sum"]
        sheet.write_row(0, 0, header)
        sheet.write_string(1, 0, "0012")
        for at, (cell, form) in enumerate(zip(cells, formats, strict=True), start=1):
            sheet.write(1, at, cell, book.add_format({"num_format": form}))
        sheet.write_row(1, 6, [12, 12.5, True])
        sheet.write_string(1, 9, "12,50")
        sheet.write_formula(1, 10, "=1+1.5", None, 2.5)

    assert table_of(workbook(fill, empty_first=True))[1] == [
        ["0012", "2024-03-01", "2024-03-01 09:30:00", "09:30:00", "30:00:00", "0.19", "12", "12.5", "true",
         "12,50", "2.5"]
    ]  # fmt: skip


def test_table_may_stand_anywhere_in_its_sheet() -> None:
    def fill(sheet: Any, book: Any) -> None:
        sheet.write(1, 2, "Stock in March")
        for number, row in enumerate([["sku", "name", "price"], ["A", "Pot", 1], ["B", "Pan", 2]], start=4):
            sheet.write_row(number, 2, row)
        sheet.write_formula(5, 4, "=1/0", None, "#DIV/0!")

    assert table_of(workbook(fill)) == (
        ["sku", "name", "price"], [["A", "Pot", "#DIV/0!"], ["B", "Pan", "2"]],
    )  # fmt: skip


def test_merged_cells_hold_for_all_their_rows_and_titles_for_one() -> None:
    def fill(sheet: Any, book: Any) -> None:
        sheet.merge_range(0, 0, 0, 2, "Stock in March")
        sheet.write_row(1, 0, ["sku", "category", "price"])
        for number in range(2, 7):
            sheet.write(number, 0, f"A{number}")
            sheet.write(number, 2, number)
        sheet.merge_range(2, 1, 4, 1, "Kitchen")
        sheet.merge_range(5, 1, 6, 1, "Garden")
        sheet.merge_range(2, 5, 9, 6, "")
        sheet.merge_range(20, 0, 22, 1, "")

    header, rows = table_of(workbook(fill))
    assert header == ["sku", "category", "price"]
    assert [row[1] for row in rows] == ["Kitchen"] * 3 + ["Garden"] * 2


@pytest.mark.django_db
def test_formulas_without_a_sound_value_are_rejected_by_line_and_all_others_land() -> None:
    def fill(sheet: Any, book: Any) -> None:
        sheet.write_row(0, 0, ["sku", "name", "price"])
        for number in range(1, 6):
            sheet.write_row(number, 0, [f"A{number}", f"Pot {number}", number])
        sheet.write_formula(2, 1, "=NA()", None, "#N/A")
        sheet.write_formula(3, 2, "=1+1", None, "")
        sheet.write_formula(4, 2, "=2+2", None, 4)

    run = import_rows(workbook(fill))

    assert rejections(run) == [(3, "name", "formula_error"), (4, "price", "formula_without_value")]
    assert [row.message for row in run.rejected_rows.order_by("line")] == [
        "#N/A is the error of a formula. Correct the formula, or type the value.",
        "The formula in this cell has no value saved. Open the workbook in a spreadsheet program, save it"
        " and upload it again, or type the value.",
    ]
    assert (outcomes(run), list(values("sku"))) == ({"created": 3, "rejected": 2}, ["A1", "A4", "A5"])


@pytest.mark.django_db
def test_error_of_a_formula_in_csv_never_becomes_a_name() -> None:
    run = import_rows("sku,name,price\nA,#N/A,1\nB,Pan #1,2\n")

    assert (rejections(run), values("name")) == ([(2, "name", "formula_error")], {"B": "Pan #1"})


@pytest.mark.parametrize(
    "cell",
    [
        b'<c r="B2"><f>1+1</f></c>', b'<c r="B2" s="3"><f>1+1</f><v/></c>',
        b'<c r="B2" t="str"><f t="shared" si="0"/><v></v></c>',
    ],
)  # fmt: skip
def test_formula_without_value_is_told_however_it_is_written(cell: bytes) -> None:
    def fill(sheet: Any, book: Any) -> None:
        sheet.write_row(0, 0, ["sku", "price", "stock"])
        sheet.write_row(1, 0, ["A", 12345, 7])
        sheet.write_row(2, 0, ["B", 2, 8])

    source, out = zipfile.ZipFile(io.BytesIO(workbook(fill))), io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in source.namelist():
            xml = source.read(name)
            archive.writestr(name, xml.replace(b'<c r="B2"><v>12345</v></c>', cell))

    assert table_of(out.getvalue())[1] == [["A", "#NO-VALUE!", "7"], ["B", "2", "8"]]


def test_long_workbook_is_unpacked_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.xlsx"
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["sku", "price", "stock"])
        for number in range(1, 150_000):
            sheet.write_row(number, 0, [f"A{number}", number / 100, number])
    code = (
        "import os, sys\n"
        "from bench.memory import peak_bytes\n"
        "from imports.unpacking import Unpacked\n"
        "unpacked = Unpacked(open(sys.argv[1], 'rb'), limit=10**9)\n"
        "lines = sum(block.count(b'\\n') for block in iter(unpacked.read, b''))\n"
        "print(lines, peak_bytes(os.getpid()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    lines, peak = map(int, done.stdout.split())

    assert lines == 150_000
    assert peak < 250_000_000
