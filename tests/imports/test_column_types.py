"""What a file's columns hold is told from its sample, and no more than the sample shows."""

import json

import pytest

from imports.column_types import ColumnType, Habits
from imports.learning import learn


def type_of(*cells: str) -> ColumnType:
    (column,) = learn([[cell] for cell in cells], header=["Name"], header_line="Name", is_small=True).columns
    return column


@pytest.mark.parametrize(
    ("cells", "kind", "fitting", "others"),
    [
        (["1", "20", "-3", "400", "5"], "whole", ["12345", " 7 "], ["1.5", "a", "1;2", ""]),
        (["4006381333931", "4006381333948", "4006381333955", "4006381333962", "4006381333979"], "code",
         ["4006381333986"], ["400638133393", "40063813339311"]),
        (["1.50", "20.00", "1,234.00", "3.99", "0.05"], "decimal", ["100.25", "1234.56"], ["1,50", "1.5"]),
        (["1,50", "20,00", "1.234,00", "3,99", "0,05"], "decimal", ["100,25"], ["1.50", "1,5"]),
        (["$1.50", "$20.00", "$3.99", "$4.10", "$0.05"], "decimal", ["$100.25"], ["1.50", "€1.50"]),
        (["1.50 €", "20.00 €", "3.99 €", "4.10 €", "5.00 €"], "decimal", ["7.20 €"], ["7.20"]),
        (["2021-01-03", "2021-11-30", "2022-05-06", "2022-05-07", "2022-05-08"], "date",
         ["2020-02-02"], ["3.1.2021", "2021-01-0310:15"]),
        (["3.1.2021", "30.11.2021", "6.5.2022", "7.5.2022", "8.5.2022"], "date", ["1.1.2020"], ["1.1.20"]),
        (["28/01/2018", "29/01/2018", "30/01/2018", "31/01/2018", "01/02/2018"], "date",
         ["12/31/2020"], ["28/01/201800:00"]),
        (["10:15", "00:00", "23:59", "07:30", "12:00"], "time", ["11:11"], ["1:11", "11:111"]),
        (["9:05 AM", "10:15 PM", "1:00 AM", "2:30 PM", "12:00 AM"], "time", ["11:11 PM"], ["11:11"]),
        (["https://a.example/1", "https://b.example/2", "https://c.example", "https://d.example/?a=1,2",
          "https://e.example"], "url", ["https://f.example"], ["www.f.example", "https://f.example;", "f"]),
        (["a@x.example", "b.c@y.example", "d@z.example", "e@z.example", "f@z.example"], "email",
         ["q@q.example"], ["q", "q@q"]),
        (["AB-1234", "CD-5678", "EF-9012", "GH-3456", "IJ-7890"], "code", ["ZZ-0000"],
         ["Z-0000", "ZZ-00", "ZZ0000"]),
        (["SKU-1", "SKU-20", "SKU-300", "SKU-4", "SKU-5"], "code", ["SKU-123456"], ["SKU-", "SKU1"]),
        (["yes", "no"] * 4, "word", ["no"], ["maybe", "yesno"]),
        (["Home > Kitchen", "Home > Bath", "Garden"] * 4, "word", ["Garden"], ["Home"]),
    ],
)  # fmt: skip
def test_column_of_one_kind_fits_its_like_only(
    cells: list[str], kind: str, fitting: list[str], others: list[str]
) -> None:
    column = type_of(*cells)

    assert column.kind == kind
    assert [cell for cell in fitting if not column.fits(cell)] == []
    assert [cell for cell in others if column.fits(cell)] == []


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(["Red pot", "Blue cup", "Green pan, large", "Oak table", "Lamp"], id="prose"),
        pytest.param(["anna", "bert", "carl", "dora", "emil"], id="words that come once"),
        pytest.param(["12", "twelve", "1.5", "2021-01-03", "-"], id="this and that"),
        pytest.param(["12", "", "", "", ""], id="nearly always blank"),
        pytest.param([""] * 10, id="always blank, in few rows"),
    ],
)
def test_column_of_no_kind_is_text_and_fits_all(cells: list[str]) -> None:
    column = type_of(*cells)

    assert (column.kind, column.fits("whatever, 12"), column.fits("x\ny")) == ("text", True, True)


def test_blank_cell_fits_where_the_sample_has_one() -> None:
    assert type_of("1", "2", "", "4", "5", "6").fits("") is True
    assert type_of("1", "2", "3", "4", "5", "6").fits("  ") is False
    assert type_of("a", "b c", "d", "e", "f").fits("") is False


def test_column_that_is_always_blank_in_many_rows_stays_so() -> None:
    column = type_of(*[""] * 20)

    assert (column.kind, column.fits(" "), column.fits("x")) == ("empty", True, False)


def test_single_dirty_cell_does_not_change_what_its_column_is() -> None:
    assert type_of(*map(str, range(20)), "n/a").kind == "whole"
    assert type_of(*map(str, range(5)), "n/a").kind == "text"


def test_few_rows_say_nothing() -> None:
    assert learn([["1"]] * 4, header=["n"], header_line="n", is_small=True) == Habits()


def test_header_that_comes_again_is_no_row_of_the_sample() -> None:
    habits = learn([["n"], *([["7"]] * 5)], header=["n"], header_line="n", is_small=True)

    assert habits.columns[0].kind == "whole"


def test_habits_come_back_from_json() -> None:
    rows = [[f"A-{number}", "yes" if number % 2 else "no", "#x", ""] for number in range(30)]
    habits = learn(rows, header=["a", "b", "c", "d"], header_line="a,b,c,d", is_small=False)

    assert Habits.from_dict(json.loads(json.dumps(habits.as_dict()))) == habits
    assert Habits.from_dict({}) == Habits()
