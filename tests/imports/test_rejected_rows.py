"""The file of rejected rows: as it was written, with line and error, fit to be mended and uploaded again."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from imports.finishing import rejected_rows_csv
from imports.models import ImportRun
from tests.imports.running import (
    confirm,
    csv_of,
    do,
    due_jobs,
    import_rows,
    outcomes,
    rejected_file,
    row,
    values,
    work,
    work_up_to,
)

pytestmark = pytest.mark.django_db

PRICE = "“abc” is not a plain number. Write digits with a point for the cents, such as 12.50."


def test_rejected_rows_have_the_original_columns_in_their_order_and_why() -> None:
    run = import_rows('Colour,price,Sku,name\nred,1,A,Board\n"b,l",abc,B," Cup "\n,-1,,Pot\n')

    assert rejected_file(run) == [
        ["Colour", "price", "Sku", "name", "_line", "_error"],
        ["b,l", "abc", "B", " Cup ", "3", PRICE],
        [
            "",
            "-1",
            "",
            "Pot",
            "4",
            "The SKU is missing; every row needs one. Fill it in. The price -1 is below"
            " zero. Write 0 or more.",
        ],
    ]


def test_import_without_rejected_rows_has_no_file_of_them() -> None:
    assert import_rows([row("A")]).rejected_file.name == ""


def test_file_of_rejected_rows_begins_with_a_byte_order_mark() -> None:
    run = import_rows([row("A", price="abc")])

    with run.rejected_file.open("rb") as file:
        assert file.read(6) == b"\xef\xbb\xbfsku"


def test_mended_rows_land_when_uploaded_again() -> None:
    rows = [row(f"S{n}", price="abc" if n % 3 else "5", name=f"Größe, {n}\n½") for n in range(9)]
    first = import_rows(rows)
    assert outcomes(first) == {"created": 3, "rejected": 6}
    with first.rejected_file.open("rb") as file:
        mended = file.read().replace(b",abc,", b",7.50,")

    second = import_rows(mended, keep_unknown=True)

    assert outcomes(second) == {"created": 6}
    assert values("price") == {f"S{n}": 7.5 if n % 3 else 5 for n in range(9)}
    assert set(values("name").values()) == {f"Größe, {n} ½" for n in range(9)}
    assert list(values("metadata").values()) == [{}] * 9


def test_rows_rejected_twice_carry_the_latest_line_and_error_only() -> None:
    first = import_rows([row("A"), row("B", price="abc")])
    with first.rejected_file.open("rb") as file:
        second = import_rows(file.read())

    assert rejected_file(second) == [
        ["sku", "name", "price", "stock", "_line", "_error"],
        ["B", "Name of B", "abc", "3", "2", PRICE],
    ]


def test_surplus_cells_are_kept_behind_the_error() -> None:
    run = import_rows("sku,name,price\nA,Board,1,x,y\nB,Cup\n")

    too_many = run.rejected_rows.get(line=2).message
    too_few = run.rejected_rows.get(line=3).message
    assert rejected_file(run) == [
        ["sku", "name", "price", "_line", "_error"],
        ["A", "Board", "1", "2", too_many, "x", "y"],
        ["B", "Cup", "", "3", too_few],
    ]


def test_rows_of_a_cp1252_file_come_back_as_utf8() -> None:
    run = import_rows("sku;name;price\nA;Käse – 5 €;abc\n".encode("cp1252"))

    assert rejected_file(run)[1][:3] == ["A", "Käse – 5 €", "abc"]


def test_rows_of_many_chunks_come_in_the_order_of_the_file(settings: Any) -> None:
    settings.IMPORT_CHUNK_BYTES = 150
    run = confirm([row(f"S{n}", price="abc" if n % 5 else "5") for n in range(60)])
    work(run, choose=lambda jobs: jobs[-1])

    assert run.chunks_total > 5
    assert [int(cells[4]) for cells in rejected_file(run)[1:]] == [n + 2 for n in range(60) if n % 5]


def test_rejected_rows_can_be_read_while_the_import_runs(settings: Any) -> None:
    settings.IMPORT_CHUNK_BYTES = 150
    run = confirm([row(f"S{n}", price="abc") for n in range(30)])
    do(work_up_to(run, "stage"))
    do(due_jobs()[-1])

    found = list(csv.reader(io.StringIO("".join(rejected_rows_csv(run)), newline="")))

    lines = [int(cells[4]) for cells in found[1:]]
    run.refresh_from_db()
    assert (len(lines), lines[0], lines[-1]) == (run.rejected, 2, 31)
    assert 0 < run.rejected < 30


def test_rejected_rows_of_a_cancelled_import_can_be_read() -> None:
    from imports import pipeline

    run = confirm([row("A", price="abc"), row("B")])
    work_up_to(run, "check")
    pipeline.cancel(run=run)
    work(run)

    assert [cells.split(",")[0] for cells in rejected_rows_csv(run)] == ["\ufeffsku", "A"]
    assert run.state == ImportRun.State.CANCELLED


def test_rejected_rows_of_another_import_are_not_in_the_file() -> None:
    import_rows([row("A", price="abc")])
    run = import_rows(csv_of([row("B", price="abc")]))

    assert [cells[0] for cells in rejected_file(run)] == ["sku", "B"]
