"""Files that were made to fill memory or disk, or to take ages, are read or refused in flat memory."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imports.dialect import SAMPLE_BYTES, RefusedFile, examine
from imports.inspecting import TableReader

BASE_DIR = Path(__file__).resolve().parent.parent.parent
_PLENTY = 120_000_000  # bytes for a process that has Django loaded and reads a file of any size
_CHILD = """
import os, sys
from django.core.management import call_command
import django
django.setup()
call_command("inspect_csv", sys.argv[1], "--rows", "1")
from bench.memory import peak_bytes  # what getrusage says includes the process that forked this one
print(peak_bytes(os.getpid()))
"""


def seen_by_a_child(path: Path) -> tuple[dict[str, Any], int]:
    """What `inspect_csv` says of a file, and the most memory that its process ever held, in bytes."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path)],
        cwd=BASE_DIR, capture_output=True, text=True, timeout=120, check=True,
        env={"DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(BASE_DIR)},
    )  # fmt: skip
    said, peak = done.stdout.splitlines()
    return json.loads(said), int(peak)


def wide(rows: int) -> Iterator[bytes]:
    yield b",".join(b"column %d" % number for number in range(5_000)) + b"\n"
    for row in range(rows):
        yield b",".join(b"%d" % (row + number) for number in range(5_000)) + b"\n"


def refusal(seen: dict[str, Any]) -> str:
    return str(seen["refused"]["code"])


def test_line_of_two_gigabytes_is_refused_in_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "endless.csv"
    with path.open("wb") as file:
        file.write(b"sku,name\n" + b"A,Pot\n" * 200_000 + b"B,")
        file.truncate(2**31)
    seen, peak = seen_by_a_child(path)

    assert (refusal(seen), seen["header"]) == ("line_too_long", ["sku", "name"])
    assert seen["refused"]["message"].startswith("Line 200002 is longer than 16,777,216 bytes.")
    assert peak < _PLENTY


def test_table_of_five_thousand_columns_is_read_in_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_bytes(b"".join(wide(1_000)))
    seen, peak = seen_by_a_child(path)

    assert (len(seen["header"]), seen["records"], seen["rejected"]) == (5_000, 1_000, 0)
    assert peak < 2 * _PLENTY


def test_bombs_are_refused_in_flat_memory(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "bomb.csv.gz", "wb") as packed:
        for _ in range(300):
            packed.write(bytes(1_000_000))
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.csv", bytes(300_000_000))

    for name in ("bomb.csv.gz", "bomb.zip"):
        seen, peak = seen_by_a_child(tmp_path / name)
        assert refusal(seen) == "bomb"
        assert peak < _PLENTY


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"a\n" * 600_000, id="one-character lines"),
        pytest.param(b"a,b\n" * 300_000, id="short lines"),
        pytest.param(b"sku,name\n" + b"\n" * 1_000_000 + b"A,Pot\n", id="blank lines"),
        pytest.param(b"sku,name\nA," + b"x, y " * 250_000 + b"\nB,c\n", id="one long line"),
        pytest.param(b'"\n' * 500_000, id="quotes"),
        pytest.param(b"a,b\n1,2\n\n" * 100_000, id="many small tables"),
        pytest.param(b"".join(wide(60)), id="5,000 columns"),
    ],
)
def test_no_sample_takes_long(data: bytes) -> None:
    began = time.process_time()
    examine(io.BytesIO(data))

    assert time.process_time() - began < 3  # it takes a third of a second; slow machines may, too


@pytest.mark.parametrize(
    "data", [b'"\n', b'"\n\n"\n', b'""\n""\n', b"\xa0\n", b"\x1a", b"\n" * 1_048_575 + b"a,b\n"]
)
def test_file_with_next_to_nothing_in_it_has_no_rows(data: bytes) -> None:
    reader = TableReader(io.BytesIO(data))

    assert list(reader.blocks()) == []
    assert reader.lines == reader.blank_lines + reader.rejected


@pytest.mark.parametrize("data", [b"\n" * 2_000_000, b" ,;\r\n" * 5, b"\xef\xbb\xbf\n"])
def test_file_with_nothing_in_it_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedFile) as refused:
        examine(io.BytesIO(data))

    assert refused.value.code == "empty"


def test_columns_of_the_same_name_or_none_keep_their_places() -> None:
    reader = TableReader(io.BytesIO(b"sku,,price,price,\nA,x,1,2,y\nB,z,3,4,\n"))

    assert reader.seen.header == ["sku", "", "price", "price", ""]
    assert list(reader.blocks()) == [[["A", "x", "1", "2", "y"], ["B", "z", "3", "4", ""]]]


@pytest.mark.parametrize("end", [b"", b"\x41", b"\x41\x00\x3d", b"\x3d\xd8"])
def test_utf16_cut_anywhere_spoils_its_last_line_at_most(end: bytes) -> None:
    from imports.unpacking import plain_file

    data = "sku,name\nA,Pot\nB,Pan\nC,".encode("utf-16") + end
    with plain_file(io.BytesIO(data), limit=SAMPLE_BYTES) as plain:
        reader = TableReader(plain)
        rows = [row for block in reader.blocks() for row in block]

    assert rows[:2] == [["A", "Pot"], ["B", "Pan"]]
    assert (reader.records + reader.rejected, reader.lines) == (3, 3)


def test_archive_of_ten_files_is_refused_with_the_fix(tmp_path: Path) -> None:
    path = tmp_path / "ten.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(10):
            archive.writestr(f"{number}.csv", b"sku,name\nA,Pot\n")

    assert seen_by_a_child(path)[0]["refused"] == {
        "code": "zip",
        "message": "The ZIP archive holds 10 files, not one. Unpack it and upload the CSV file alone.",
    }
