"""`python -m bench.reading`: how fast a clean file is read, with recovery on, against readers without it.

Each reader takes the whole file into Python lists or columns of text in a process of its own; the rounds take
turns. Replaces the section of its name in bench/results.md. polars and duckdb are for this benchmark only.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench import sections
from bench.memory import peak_bytes

BASE_DIR = Path(__file__).resolve().parent.parent
_SMALL = "small.csv"
_MB = 1_000_000


def ours(path: Path) -> int:
    """Everything an import does before it cleans cells: detect, plan, read chunk by chunk."""
    import django

    django.setup()
    from imports.inspecting import TableReader

    with path.open("rb") as stream:
        return sum(map(len, TableReader(stream).blocks()))


def csv_module(path: Path) -> int:
    """The bare csv module: no detection, no check of any row's width, encoding or quotes."""
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def polars(path: Path) -> int:
    import polars

    return polars.read_csv(path, infer_schema=False).height


def duckdb(path: Path) -> int:
    import duckdb

    made = duckdb.execute(
        "CREATE OR REPLACE TABLE seen AS FROM read_csv(?, all_varchar = true)", [str(path)]
    ).fetchone()
    return int(made[0]) if made else 0


READERS: dict[str, tuple[str, Callable[[Path], int]]] = {
    "tallyman": ("**Tallyman**, recovery on, 1 process", ours),
    "csv": ("`csv` module, 1 process", csv_module),
    "polars": ("polars, all cores", polars),
    "duckdb": ("duckdb, dialect detected, all cores", duckdb),
}


def main() -> None:
    """Measure and write the section; exit code 1 when a reader fails or loses rows."""
    parser = argparse.ArgumentParser(prog="python -m bench.reading", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=BASE_DIR / "bench" / "results.md")
    parser.add_argument("--child", nargs=2, metavar=("READER", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if options.child:
        _child(options.child[0], Path(options.child[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.csv"
        _make(path, options.rows)
        _make(path.with_name(_SMALL), 100)
        taken = _rounds(path, options.rows, options.rounds)
        section = _section(taken, options.rows, path.stat().st_size, options.rounds)
    print(section)
    sections.replace(options.out, sections.READING, section)


def _make(path: Path, rows: int) -> None:
    from imports import sample_catalog

    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(sample_catalog.COLUMNS) + "\n")
        file.writelines(sample_catalog.rows(rows))


def _child(reader: str, path: Path) -> None:
    READERS[reader][1](path.with_name(_SMALL))  # loads what is needed
    began = time.perf_counter()
    rows = READERS[reader][1](path)
    seconds = time.perf_counter() - began
    print(json.dumps({"rows": rows, "seconds": seconds, "peak": peak_bytes(os.getpid())}))


def _rounds(path: Path, rows: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Seconds and peak of each reader in each round."""
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in READERS}
    for _ in range(rounds):
        for name in READERS:
            command = [sys.executable, "-m", "bench.reading", "--child", name, str(path)]
            done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"{name} failed:\n{done.stderr}")
            result = json.loads(done.stdout)
            if result["rows"] != rows:
                sys.exit(f"{name} read {result['rows']:,} rows instead of {rows:,}.")
            taken[name].append(result)
    return taken


def _section(taken: dict[str, list[dict[str, float]]], rows: int, size: int, rounds: int) -> str:
    base = median(one["seconds"] for one in taken["csv"])
    lines = [
        f"## {sections.READING}\n",
        f"`python -m bench.reading`: {rows:,} rows, {size / _MB:.0f} MB, UTF-8; medians of {rounds} rounds."
        " Each reader takes all\nrows as text, in a process of its own. Ours finds the dialect, plans chunks,"
        " checks and counts every line, and\nhands out lists.\n",
        "| reader | rows/s | × csv module | peak MB |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, all_taken in taken.items():
        seconds = median(one["seconds"] for one in all_taken)
        peak = max(one["peak"] for one in all_taken) / _MB
        lines.append(f"| {READERS[name][0]} | {rows / seconds:,.0f} | {base / seconds:.2f} | {peak:.0f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
