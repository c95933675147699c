"""`manage.py inspect_csv`: the table of a file as the importer sees it, in any number of files at once."""

import csv
import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from imports.inspecting import TableReader, write_csv

Inspect = Callable[..., str]


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., list[Path]]:
    """Write files by name and content."""

    def make(**contents: bytes) -> list[Path]:
        paths = [tmp_path / f"{name}.csv" for name in contents]
        for path, content in zip(paths, contents.values(), strict=True):
            path.write_bytes(content)
        return paths

    return make


def shown(*args: Any) -> str:
    out = io.StringIO()
    call_command("inspect_csv", *map(str, args), stdout=out)
    return out.getvalue()


def test_json_tells_dialect_header_guesses_rows_and_problems(files: Callable[..., list[Path]]) -> None:
    (path,) = files(stock="Artikelnummer;Titel;Preis\nA1;Käse;2\nA2;Pan\n\nA3;Cup;4\n".encode("cp1252"))
    seen = json.loads(shown(path))

    assert (seen["file"], seen["size"], seen["header"]) == (
        "stock.csv",
        53,
        ["Artikelnummer", "Titel", "Preis"],
    )
    assert (seen["dialect"]["encoding"], seen["dialect"]["delimiter"]) == ("cp1252", ";")
    assert seen["columns"]["sku"] == {"index": 0, "header": "Artikelnummer"}
    assert seen["rows"] == [["A1", "Käse", "2"], ["A3", "Cup", "4"]]
    assert [(found["line"], found["code"]) for found in seen["problems"]] == [(3, "too_few_cells")]
    assert (seen["lines"], seen["records"], seen["rejected"], seen["blank_lines"]) == (4, 2, 1, 1)


def test_rows_are_limited_but_problems_are_of_the_whole_file(files: Callable[..., list[Path]]) -> None:
    (path,) = files(long=b"a,b\n" + b"1,2\n" * 50 + b"3\n")

    assert len(json.loads(shown(path))["rows"]) == 20
    assert json.loads(shown(path, "--rows", "3"))["rows"] == [["1", "2"]] * 3
    seen = json.loads(shown(path, "--all"))
    assert (len(seen["rows"]), seen["problems"][0]["line"]) == (50, 52)


def test_csv_is_the_whole_table_in_rfc_4180(files: Callable[..., list[Path]]) -> None:
    (path,) = files(table='\ufeffname|note|\nKäse|"a|b"\n"x\ny"|5" pipe||\nlost\n'.encode())

    assert shown(path, "--format", "csv", "--all") == ('name,note\r\nKäse,a|b\r\n"x\ny","5"" pipe"\r\n')
    assert shown(path, "--format", "csv", "--rows", "1") == "name,note\r\nKäse,a|b\r\n"


def test_each_file_gets_a_result_of_its_name(files: Callable[..., list[Path]], tmp_path: Path) -> None:
    paths = files(full=b"a;b\n1;2\n", header=b"sku;name", empty=b"", blank=b"\n \n", image=b"\x89PNG\r\n")
    call_command(
        "inspect_csv", *map(str, paths), "--format=csv", "--all", f"--output-dir={tmp_path / 'out'}",
        stderr=io.StringIO(),
    )  # fmt: skip

    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {
        "full.csv": b"a,b\r\n1,2\r\n",
        "header.csv": b"sku,name\r\n",
        "empty.csv": b"",
        "blank.csv": b"",
        "image.csv": b"",
    }


def test_refused_file_says_why(files: Callable[..., list[Path]]) -> None:
    (path,) = files(image=b"\x89PNG\r\n")
    error = io.StringIO()
    call_command("inspect_csv", str(path), "--format=csv", stderr=error, stdout=io.StringIO())
    message = "The file is a PNG image. Choose the CSV file of the catalogue instead."

    assert json.loads(shown(path)) == {"file": "image.csv", "refused": {"code": "binary", "message": message}}
    assert error.getvalue() == f"image.csv: {message}\n"


def test_files_are_read_as_the_options_say(files: Callable[..., list[Path]]) -> None:
    (path,) = files(list=b"a;b\nc;d\ne;f\n")

    assert shown(path, "--format", "csv", "--header-line", "2") == "c,d\r\ne,f\r\n"
    assert json.loads(shown(path, "--delimiter", ","))["header"] == ["a;b"]


def test_file_refused_while_it_is_read_still_gives_one_whole_object(files: Callable[..., list[Path]]) -> None:
    (path,) = files(long=b"a,b\n1,2\n" + b"x" * 17_000_000 + b"\n")
    seen = json.loads(shown(path))

    assert (seen["header"], seen["rows"], seen["refused"]["code"]) == (["a", "b"], [], "line_too_long")


def test_file_that_cannot_be_opened_fails_the_command_after_the_others(
    files: Callable[..., list[Path]], tmp_path: Path
) -> None:
    (path,) = files(good=b"a,b\n1,2\n")
    out, error = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("inspect_csv", str(tmp_path / "gone.csv"), str(path), stdout=out, stderr=error)

    assert (stopped.value.code, json.loads(out.getvalue())["header"]) == (1, ["a", "b"])
    assert error.getvalue() == f"Can't read {tmp_path / 'gone.csv'}: No such file or directory.\n"


def test_results_never_overwrite_their_sources(files: Callable[..., list[Path]], tmp_path: Path) -> None:
    (path,) = files(good=b"a,b\n1,2\n")
    with pytest.raises(CommandError, match="would overwrite"):
        call_command("inspect_csv", str(path), f"--output-dir={tmp_path}")

    assert path.read_bytes() == b"a,b\n1,2\n"


def test_table_longer_than_a_chunk_is_read_in_flat_memory() -> None:
    rows = [[f"A-{number}", "Pot, big", "x" * 60] for number in range(150_000)]
    text = io.StringIO()
    csv.writer(text).writerows([["sku", "name", "text"], *rows])
    stream = io.BytesIO(text.getvalue().encode())
    tracemalloc.start()
    table = TableReader(stream)
    count = sum(map(len, table.blocks()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    out = io.StringIO()
    write_csv(stream, out, limit=None)

    assert (count, table.records, table.lines) == (150_000, 150_000, 150_000)
    assert peak < 12_000_000
    assert out.getvalue() == text.getvalue()


def test_json_names_the_shop_whose_export_it_is(files: Callable[..., list[Path]]) -> None:
    shop, other = files(shop=b"Handle,Title,Variant SKU,Variant Price\na,A,A-1,5\n", other=b"sku,name\nA,B\n")

    seen = json.loads(shown(shop))
    assert (seen["profile"], seen["columns"]["sku"]) == ("shopify", {"index": 2, "header": "Variant SKU"})
    assert json.loads(shown(other))["profile"] is None
