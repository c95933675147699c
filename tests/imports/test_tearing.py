"""A row torn in two by a line break is one row, or none, and the rows around it stay what they are."""

from __future__ import annotations

import pytest

from imports.learning import learn
from imports.reading import ChunkReader
from tests.imports.tables import reader_of

HEADER = ["Code", "Name", "Price", "Stock"]
ROWS = [
    [f"{4000 + 7 * i}-{i % 9}", f"Pot {chr(97 + i % 26)}{'xy'[i // 26]}", f"{i}.50", str(100 + i)]
    for i in range(30)
]
AT = 10
CODE, NAME, PRICE, STOCK = ROWS[AT]
OTHERS = [*ROWS[:AT], *ROWS[AT + 1 :]]


def read(text: str, rows: list[list[str]] = ROWS, *, before: int = AT) -> tuple[list[list[str]], ChunkReader]:
    """The rows that are read with `text` in place of one of them."""
    lines = [",".join(row) for row in rows]
    lines[before] = text
    habits = learn(rows, header=HEADER[: len(rows[0])], is_small=True)
    reader = reader_of("\n".join([*lines, ""]).encode(), len(rows[0]), habits=habits)
    found = [row for _, row in reader]
    counted = reader.records + len(reader.problems) + reader.continuation_lines + reader.blank_lines
    assert (reader.physical_lines, reader.records) == (counted, len(found))
    return found, reader


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        pytest.param(f"{CODE},Po\nt kx,{PRICE},{STOCK}", [CODE, "Po\nt kx", PRICE, STOCK], id="in a text"),
        pytest.param(f"{CODE},\n{NAME},{PRICE},{STOCK}", ROWS[AT], id="before a text"),
        pytest.param(f"{CODE},{NAME},10.\n50,{STOCK}", ROWS[AT], id="in a price"),
        pytest.param(f"{CODE[:3]}\n{CODE[3:]},{NAME},{PRICE},{STOCK}", ROWS[AT], id="in the first cell"),
        pytest.param(f"{CODE},{NAME},{PRICE},\n{STOCK}", ROWS[AT], id="before the last cell"),
    ],
)
def test_torn_row_is_joined_where_all_cells_fit_then(text: str, cells: list[str]) -> None:
    rows, reader = read(text)

    assert rows == [*ROWS[:AT], cells, *ROWS[AT + 1 :]]
    assert [(one.line, one.lines, one.code) for one in reader.repairs] == [(AT + 1, 2, "line_break")]
    assert reader.problems == []


def test_one_blank_cell_in_the_sample_does_not_hide_that_it_was_torn_off() -> None:
    blank = [*ROWS[:AT], [*ROWS[AT][:3], ""], *ROWS[AT + 1 :]]
    habits = learn(blank, header=HEADER, is_small=True)
    lines = [",".join(row) for row in blank]
    lines.insert(AT + 1, STOCK)

    assert [row for _, row in reader_of("\n".join([*lines, ""]).encode(), 4, habits=habits)] == ROWS


def test_message_names_the_cell_that_was_torn() -> None:
    _, reader = read(f"{CODE},{NAME},10.\n50,{STOCK}")

    assert reader.repairs[0].message == "A line break in cell 3 was not in quotes: read as “10.50”."


def test_row_whose_last_number_may_go_on_below_is_rejected_with_the_rest() -> None:
    rows, reader = read(f"{CODE},{NAME},{PRICE},11\n0")

    assert rows == OTHERS
    (problem,) = reader.problems
    assert (problem.line, problem.lines, problem.code, problem.column) == (AT + 1, 2, "line_break", 3)
    assert problem.message == (
        'A line break in cell 4 tore this row in two. Remove it, or put that cell in quotes (").'
    )


@pytest.mark.parametrize(
    "text", ["4", "40", '""', "green things", "Garden", "and so on", "4007-1", "# 10", "'10"]
)
def test_line_that_no_neighbour_lacks_harms_none(text: str) -> None:
    texts = [[*row[:3], f"it is {row[1]}"] for row in ROWS]
    for rows in (ROWS, texts):
        found, reader = read(text, rows)

        assert found == [*rows[:AT], *rows[AT + 1 :]]
        assert all(problem.line == AT + 1 for problem in reader.problems)


def test_number_that_both_neighbours_could_lack_harms_none() -> None:
    rows = [[str(100 + i), row[1], row[3]] for i, row in enumerate(ROWS)]
    found, reader = read("7", rows)

    assert found == [*rows[:AT], *rows[AT + 1 :]]
    assert [problem.code for problem in reader.problems] == ["too_few_cells"]


def test_cell_of_two_columns_is_no_half_of_a_row() -> None:
    rows = [[row[0], row[3]] for row in ROWS]
    found, _ = read("7", rows)

    assert found == [*rows[:AT], *rows[AT + 1 :]]


def test_row_is_taken_back_from_a_full_block() -> None:
    """Rows are handed out some hundred at once, and the last one may still turn out to be torn."""
    rows = [[f"{4000 + i}-{i % 9}", "Pot", "1.50", str(100 + i % 800)] for i in range(1_200)]
    for before in (499, 500, 511, 512, 767, 1_000):
        found, reader = read(f"{rows[before][0]},Pot,1.50,\n{rows[before][3]}", rows, before=before)

        assert found == rows
        assert [one.line for one in reader.repairs] == [before + 1]


def test_piece_below_a_row_that_was_recognised_is_joined_all_the_same() -> None:
    rows = [[f"TM-{10 + i}", f"Board {i}", f"{i}.50", f"AB-{1000 + i}-X"] for i in range(40)]
    lines = [",".join(row) for row in rows]
    lines[AT : AT + 1] = [lines[AT][:-2], "-X"]
    data, habits = "\n".join([*lines, ""]).encode(), learn(rows, header=HEADER, is_small=True)
    reader = reader_of(data, 4, habits=habits)
    reader.recognised[AT] = 1

    assert [row for _, row in reader] == rows
    assert ([found.line for found in reader.repairs], reader.problems) == ([AT + 1], [])
