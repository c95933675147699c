"""`manage.py make_catalog`: write a sample catalogue of any size, to try imports with."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import batched
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.management.base import BaseCommand, CommandError

from imports import sample_catalog

_BATCH = 5_000
"""Rows written at a time: about 2 MB, so that neither writing nor progress costs anything."""


class Command(BaseCommand):
    """Exit 0 when written, 1 when the file can't be, 2 on bad usage; on any failure OUT stays as it was."""

    help = "Write a realistic product catalogue as CSV, the same for the same arguments."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """ROWS OUT [--seed N] [--errors PERCENT] [--changed PERCENT]."""
        parser.add_argument("rows", metavar="ROWS", type=int, help="how many products")
        parser.add_argument("out", metavar="OUT", help="the file to write, or - for standard output")
        parser.add_argument("--seed", metavar="N", type=int, default=1, help="another number, other products")
        parser.add_argument(
            "--errors", metavar="PERCENT", type=float, default=0.0, help="share of rows that are broken"
        )
        parser.add_argument(
            "--changed",
            metavar="PERCENT",
            type=float,
            default=0.0,
            help="share of rows that differ from the file of the same seed without this option",
        )

    def handle(self, *, rows: int, out: str, **options: Any) -> None:
        """Write `rows` products to `out`; raises CommandError when an argument is wrong or writing fails."""
        chosen = {name: options[name] for name in ("seed", "errors", "changed")}
        try:
            lines = sample_catalog.rows(rows, **chosen)
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        if out == "-":
            self._write_to_stdout(lines, rows)
            return
        size = self._write_to_file(lines, rows, Path(out))
        self.stdout.write(f"Wrote {rows:,} rows ({size / 1e6:,.1f} MB) to {out}")

    def _write_to_stdout(self, lines: Iterator[str], rows: int) -> None:
        # The bytes below the text stream: what a file holds must not depend on the terminal's encoding.
        stream = cast(BinaryIO, self.stdout.buffer)
        try:
            self._write(lines, rows, stream)
            stream.flush()
        except OSError as error:
            # Python flushes again at exit and would complain once more: let that go nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            if not isinstance(error, BrokenPipeError):  # `| head` has just seen enough
                raise CommandError(f"Can't write standard output: {error.strerror}.") from error

    def _write_to_file(self, lines: Iterator[str], rows: int, out: Path) -> int:
        try:
            if out.exists() and not out.is_file():
                raise CommandError(
                    f"{out} is not a file. Name a file, or - for standard output.", returncode=2
                )
            with _replacing(out) as stream:
                self._write(lines, rows, stream)
                return stream.tell()
        except OSError as error:
            raise CommandError(f"Can't write {out}: {error.strerror}. Choose another OUT.") from error

    def _write(self, lines: Iterator[str], rows: int, stream: BinaryIO) -> None:
        stream.write(sample_catalog.HEADER.encode())
        done = 0
        for batch in batched(lines, _BATCH):
            stream.write("".join(batch).encode())
            done += len(batch)
            self._show_progress(done, rows)

    def _show_progress(self, done: int, rows: int) -> None:
        if self.stderr.isatty():
            end = "\n" if done == rows else ""
            self.stderr.write(f"\r{done:,} of {rows:,} rows ({done * 100 // rows} %)", str, ending=end)
            self.stderr.flush()


@contextmanager
def _replacing(out: Path) -> Iterator[BinaryIO]:
    """A stream whose bytes become `out` when the block ends well, and vanish when it does not."""
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("wb") as stream:
            yield stream
        part.replace(out)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
