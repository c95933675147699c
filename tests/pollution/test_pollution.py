"""One polluted line never harms another: tried with every kind of pollution at every row and column."""

from collections import Counter
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.pollution import reporting, tables
from tests.pollution.files import Polluted
from tests.pollution.judging import HARMED, REPAIRED, judge
from tests.pollution.scoring import score
from tests.pollution.whole_kinds import polluted_files

CLEAN = [["1", "a"], ["2", "b"], ["3", "c"], ["4", "d"]]


@pytest.fixture(scope="module")
def results() -> list[reporting.Result]:
    """What became of all files made from both tables."""
    return [
        reporting.measure(table.name, reporting.files_of(table))
        for table in (tables.retail(), tables.german())
    ]


def test_no_other_line_is_lost_or_changed_in_any_file(results: list[reporting.Result]) -> None:
    assert [result.harmed for result in results] == [[], []]
    assert all(result.files > 4000 for result in results)


def test_counts_in_the_documentation_are_true(results: list[reporting.Result]) -> None:
    assert reporting.documented() == reporting.report(results)


def test_command_writes_the_same_tables(tmp_path: Path) -> None:
    files = list(polluted_files(tables.retail()))
    paths = [tmp_path / f"{number}.csv" for number in range(len(files))]
    for path, file in zip(paths, files, strict=True):
        path.write_bytes(file.data)
    call_command("inspect_csv", *map(str, paths), all=True, format="csv", output_dir=tmp_path / "out")

    for path, file in zip(paths, files, strict=True):
        style = tables.Style(all_quoted=False)
        expected = [style.line(cells) + "\r\n" for cells in (file.header, *file.rows) if cells]
        assert (tmp_path / "out" / path.name).read_bytes().decode() == "".join(expected)


def polluted(text: str, **how: object) -> Polluted:
    settings = {"broken": range(1, 2), "lines": range(3, 4), **how}
    return Polluted("", "", text.encode(), ["n", "x"], CLEAN, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("n,x\n1,a\n2,b\n3,c\n4,d\n", REPAIRED),
        ("n,x\n1,a\n2,b,z\n3,c\n4,d\n", "rejected"),
        ("n,x\n1,a\n2,z\n3,c\n4,d\n", "read otherwise"),
        ("n,x\n1,a\n3,c\n4,d\n", HARMED),  # lost without a word
        ("n,x\n1,a\n2,b\n3,z\n4,d\n", HARMED),
        ("n,x\n1,a\n2,b\n3,c\n", HARMED),
        ("n,x\n1,a\n2,b\n3,c,z\n4,d\n", HARMED),
        ("m,x\n1,a\n2,b\n3,c\n4,d\n", HARMED),
    ],
)
def test_verdict_tells_what_became_of_the_polluted_line_and_of_others(text: str, outcome: str) -> None:
    assert judge(polluted(text)).outcome == outcome


def test_whole_table_has_the_full_score_and_a_refused_one_has_none() -> None:
    header = ["n", "x"]

    assert score(header, CLEAN, found_header=header, found_rows=CLEAN, success=True) == 10
    assert score(header, CLEAN, found_header=[], found_rows=[], success=False) == 0
    assert score([], [], found_header=[], found_rows=[], success=True) == 10


def test_lost_row_costs_precision_of_records_and_cells() -> None:
    header = ["n", "x"]
    found = score(header, CLEAN, found_header=header, found_rows=CLEAN[1:], success=True)

    records = 3 / 4 + 1 + 2 * (3 / 4) / (3 / 4 + 1)
    cells = 8 / 10 + 1 + 2 * (8 / 10) / (8 / 10 + 1)
    assert found == pytest.approx(1 + 3 + records + cells)


def test_kinds_are_made_for_every_row_and_column() -> None:
    made = Counter(file.kind for file in reporting.files_of(tables.retail()))

    assert (made["extra delimiter"], made["missing delimiter"]) == (85 * 9, 85 * 8)
    assert (made["quote before cell"], made["row in quotes"]) == (85 * 9, 85)
