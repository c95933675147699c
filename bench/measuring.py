"""The rounds: every contender in turn, on emptied tables, and again, so that noise hits all alike."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from bench import catalogue, report
from bench.catalogue import Case, Catalogue, WrongResult
from bench.contenders import Contender, Copy, Failed, Orm
from bench.results import Measurement, Results
from bench.tallyman import Tallyman

__all__ = ["Failed", "measure"]  # bench.__main__ must not import Django's models before they can be used

_CONTENDERS: tuple[Contender, ...] = (
    Copy(),
    Orm("per-row", "per row, `create` / `update_or_create`"),
    Orm("bulk-create", "`bulk_create`, batches of 1,000"),
    Orm("import-export", "django-import-export, bulk"),
    Tallyman(1, cases=(Case.FIRST, Case.CHANGED)),
    Tallyman(2),
    Tallyman(2, foreign=True, cases=(Case.CHANGED,)),
)
_SLOW = ("per-row", "import-export")
_WIDTH = 150  # where there is no terminal to ask
_BIG = ("copy", "tallyman-2")


def measure(options: argparse.Namespace, folder: Path) -> None:
    """Measure what the options say, print it and write the report; files go below `folder`.

    Raises Failed when a contender can't do its work or leaves the tables other than the file says.
    """
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    chosen = [contender for contender in _CONTENDERS if contender.name in options.only]
    console.print(f"Making files of {options.rows:,} rows …")
    whole = catalogue.make(options.rows, folder / "files")
    slow = any(one.name in _SLOW for one in chosen) and options.loop_rows < options.rows
    small = catalogue.make(options.loop_rows, folder / "files") if slow else whole
    turns = [(one, small if one.name in _SLOW else whole) for one in chosen]
    tables = report.main_tables(Results(_rounds(turns, options.rounds, console)))
    if options.big:
        console.print(f"Making files of {options.big:,} rows …")
        large = catalogue.make(options.big, folder / "files")
        turns = [(one, large) for one in _CONTENDERS if one.name in _BIG]
        tables += report.big_tables(Results(_rounds(turns, 1, console)))
    report.show(tables, console)
    report.write(tables, options.out, rounds=options.rounds)
    console.print(f"Written to {options.out}")


def _rounds(
    turns: Sequence[tuple[Contender, Catalogue]], rounds: int, console: Console
) -> Iterator[Measurement]:
    for number in range(1, rounds + 1):
        for contender, files in turns:
            with contender.at_work():
                for case in contender.cases:
                    one = _measured(contender, files, case, number)
                    console.print(
                        f"round {number}: {one.contender}, {case}: {one.rows:,} rows in"
                        f" {one.taken.seconds:.2f} s, {one.rate:,.0f} rows/s",
                        highlight=False,
                    )
                    yield one


def _measured(contender: Contender, files: Catalogue, case: Case, number: int) -> Measurement:
    files.prepare(case, contender.load_base, with_categories=contender.with_categories)
    taken = contender.attempt(files, case)
    try:
        files.verify(case)
    except WrongResult as wrong:
        raise Failed(f"{contender.name} ({case}) left {wrong}; nothing was written.") from None
    return Measurement(contender.name, contender.label, files.rows, number, case, taken)
