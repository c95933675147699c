"""The sample catalogue: the same every time, as broken and changed as asked, written whole or not at all."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from imports import sample_catalog
from imports.sample_catalog import BREAKS, COLUMNS, HEADER, broken_rows

COUNT = 2_000


def products(count: int = COUNT, **chosen: float) -> list[dict[str, str]]:
    """The rows of a catalogue without errors, as any CSV reader sees them."""
    lines = [HEADER, *sample_catalog.rows(count, **chosen)]
    return list(csv.DictReader(io.StringIO("".join(lines), newline=""), strict=True))


def written(path: Path) -> list[str]:
    """The names of what is in the folder of `path`."""
    return sorted(entry.name for entry in path.parent.iterdir())


def test_catalog_has_the_columns_in_their_order() -> None:
    assert HEADER == "sku,name,description,price,stock,category,published,featured,metadata\n"
    assert {tuple(row) for row in products()} == {COLUMNS}


def test_catalog_is_the_same_for_the_same_seed() -> None:
    chosen = {"seed": 7, "errors": 2, "changed": 5}
    assert list(sample_catalog.rows(COUNT, **chosen)) == list(sample_catalog.rows(COUNT, **chosen))


def test_catalog_differs_for_another_seed() -> None:
    first, second = products(seed=1), products(seed=2)
    assert {row["sku"] for row in first} & {row["sku"] for row in second} == set()
    assert {row["name"] for row in first} & {row["name"] for row in second} == set()


def test_catalog_of_another_size_shares_its_first_rows() -> None:
    assert list(islice(sample_catalog.rows(50_000), 300)) == list(sample_catalog.rows(300))


def test_skus_are_unique_and_in_no_order() -> None:
    skus = [row["sku"] for row in products(20_000)]
    ascents = sum(first < second for first, second in pairwise(skus))
    assert len(set(skus)) == 20_000
    assert {(len(sku), sku[:3]) for sku in skus} == {(10, "TM-")}
    assert 9_000 < ascents < 11_000


def test_every_cell_is_what_its_column_promises() -> None:
    for row in products():
        euros, cents = row["price"].split(".")
        assert (euros.isdecimal(), len(cents), cents.isdecimal()) == (True, 2, True)
        assert row["stock"].isdecimal()
        assert {row["published"], row["featured"]} <= {"true", "false"}
        assert 2 <= len(row["category"].split(" > ")) <= 3
        metadata = json.loads(row["metadata"])
        assert len(metadata) == 5
        assert {"brand", "made_of", "weight_g", "ean"} < metadata.keys()
        assert len(metadata["ean"]) == 13


def test_catalog_has_500_categories_and_rows_of_about_440_bytes() -> None:
    lines = list(sample_catalog.rows(20_000))
    rows = list(csv.reader(lines))
    assert len({row[5] for row in rows}) == 500
    assert 420 < sum(len(line.encode()) for line in lines) / 20_000 < 460
    assert 190 < sum(len(row[2]) for row in rows) / 20_000 < 220


def test_names_are_nearly_all_unique_and_need_care() -> None:
    names = [row["name"] for row in products(50_000)]
    assert 0 < 50_000 - len(set(names)) < 100
    for careful in (",", '"', "ä", "é"):
        assert any(careful in name for name in names), careful


def test_few_descriptions_have_a_line_break() -> None:
    broken = sum("\n" in row["description"] for row in products(20_000))
    assert 60 < broken < 140


@pytest.mark.parametrize(("errors", "expected"), [(0, 0), (0.5, 10), (3.33, 67), (100, 2_000)])
def test_errors_break_exactly_the_rows_that_are_told(errors: float, expected: int) -> None:
    clean = list(sample_catalog.rows(COUNT))
    differing = {
        index for index, line in enumerate(sample_catalog.rows(COUNT, errors=errors)) if line != clean[index]
    }
    assert len(differing) == expected
    assert differing == broken_rows(COUNT, errors=errors).keys()


def test_errors_are_spread_over_the_file_and_of_every_kind() -> None:
    broken = broken_rows(COUNT, errors=5)
    assert [sum(index // 200 == part for index in broken) for part in range(10)] == [10] * 10
    assert set(broken.values()) == set(BREAKS)


def complaint(line: str) -> str:
    """What a strict reader that sees nothing but this line finds wrong with it."""
    try:
        cells = next(csv.reader([line.rstrip("\n")], strict=True))
    except csv.Error:
        return "stray_quote"
    if len(cells) != len(COLUMNS):
        return "too_few_cells" if len(cells) < len(COLUMNS) else "too_many_cells"
    return "".join(_wrong_values(dict(zip(COLUMNS, cells, strict=True))))


def _wrong_values(row: dict[str, str]) -> Iterator[str]:
    for column in ("sku", "name"):
        if not row[column]:
            yield f"{column}_missing"
    if len(row["name"]) == 5_000:
        yield "name_too_long"
    yield {"abc": "price_text", "-1": "price_negative"}.get(row["price"], "")
    yield {"3.7": "stock_fraction", "-2": "stock_negative"}.get(row["stock"], "")
    try:
        json.loads(row["metadata"])
    except ValueError:
        yield "metadata_not_json"


def test_broken_rows_are_one_line_each_and_wrong_in_their_own_way_only() -> None:
    lines = list(sample_catalog.rows(COUNT, errors=25))
    for index, kind in broken_rows(COUNT, errors=25).items():
        assert (lines[index].count("\n"), complaint(lines[index])) == (1, kind)


def test_stray_quote_swallows_rows_only_for_a_careless_reader() -> None:
    lines = list(sample_catalog.rows(COUNT, errors=5))
    assert len(list(csv.reader(lines))) < COUNT


@pytest.mark.parametrize(("changed", "expected"), [(0.1, 2), (10, 200), (100, 2_000)])
def test_changed_rows_are_exactly_as_many_and_keep_their_sku(changed: float, expected: int) -> None:
    before, after = products(), products(changed=changed)
    assert [row["sku"] for row in before] == [row["sku"] for row in after]
    differing = [
        {column for column in COLUMNS if old[column] != new[column]}
        for old, new in zip(before, after, strict=True)
        if old != new
    ]
    assert len(differing) == expected
    assert {len(columns) for columns in differing} == {1}
    assert set.union(*differing) <= {"name", "description", "price", "stock"}


def test_changed_rows_are_never_broken_ones() -> None:
    broken = list(sample_catalog.rows(COUNT, errors=10))
    both = list(sample_catalog.rows(COUNT, errors=10, changed=90))
    same = {index for index in range(COUNT) if broken[index] == both[index]}
    assert same == broken_rows(COUNT, errors=10).keys()


def test_command_writes_header_and_rows(tmp_path: Path) -> None:
    out, said = tmp_path / "catalog.csv", io.StringIO()
    call_command("make_catalog", COUNT, str(out), "--seed=3", "--errors=1", "--changed=2", stdout=said)
    rows = sample_catalog.rows(COUNT, seed=3, errors=1, changed=2)
    assert out.read_bytes() == "".join([HEADER, *rows]).encode()
    assert said.getvalue() == f"Wrote 2,000 rows ({out.stat().st_size / 1e6:.1f} MB) to {out}\n"
    assert written(out) == ["catalog.csv"]


def test_command_writes_bytes_to_stdout_whatever_its_encoding() -> None:
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    call_command("make_catalog", 50, "-", stdout=stdout)
    assert stdout.buffer.getvalue() == "".join([HEADER, *sample_catalog.rows(50)]).encode()


def test_command_says_nothing_when_its_reader_has_seen_enough() -> None:
    command = f"{sys.executable} manage.py make_catalog 50000 - | head -n 1"
    root = Path(__file__).parents[2]
    ran = subprocess.run(command, shell=True, cwd=root, capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == (HEADER, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_command_says_in_one_line_that_stdout_is_full() -> None:
    command = f"{sys.executable} manage.py make_catalog 50000 - >/dev/full"
    root = Path(__file__).parents[2]
    ran = subprocess.run(command, shell=True, cwd=root, stderr=subprocess.PIPE, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (
        1,
        "CommandError: Can't write standard output: No space left on device.\n",
    )


def test_command_interrupted_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> Iterator[str]:
        yield from ["a line\n"] * 20_000
        raise KeyboardInterrupt

    out = tmp_path / "catalog.csv"
    out.write_text("yesterday's\n")
    monkeypatch.setattr(sample_catalog, "rows", interrupted)
    with pytest.raises(KeyboardInterrupt):
        call_command("make_catalog", 30_000, str(out))
    assert out.read_text() == "yesterday's\n"
    assert written(out) == ["catalog.csv"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["0"], "ROWS is 0; it must be from 1 to 34,359,738,368."),
        (["34359738369"], "ROWS is 34359738369; it must be from 1 to 34,359,738,368."),
        (["10", "--errors=101"], "--errors is 101; it must be a percentage from 0 to 100."),
        (["10", "--errors=nan"], "--errors is nan; it must be a percentage from 0 to 100."),
        (["10", "--changed=-1"], "--changed is -1; it must be a percentage from 0 to 100."),
        (
            ["10", "--errors=60", "--changed=50"],
            "--errors 60 and --changed 50 need 6 and 5 different rows, but there are only 10: "
            "a broken row can't be a changed one too. Lower one of the two.",
        ),
    ],
)
def test_command_refuses_figures_that_cannot_be_met(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    rows, *options = arguments
    with pytest.raises(CommandError) as refused:
        call_command("make_catalog", rows, str(tmp_path / "catalog.csv"), *options)
    assert (str(refused.value), refused.value.returncode) == (message, 2)
    assert list(tmp_path.iterdir()) == []


def test_command_refuses_a_folder_as_out(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("make_catalog", 10, str(tmp_path))
    assert str(refused.value) == f"{tmp_path} is not a file. Name a file, or - for standard output."


def test_command_refuses_out_in_a_missing_folder(tmp_path: Path) -> None:
    out = tmp_path / "missing" / "catalog.csv"
    with pytest.raises(CommandError) as refused:
        call_command("make_catalog", 10, str(out))
    assert str(refused.value) == f"Can't write {out}: No such file or directory. Choose another OUT."
