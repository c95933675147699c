"""manage.py inspect_csv: what the importer sees in files, without importing them."""

from __future__ import annotations

import io
import os
import sys
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from django.core.management.base import BaseCommand, CommandError

from imports import inspecting
from imports.dialect import RefusedFile
from imports.management import correcting
from imports.management.arguments import count

_ROWS = 20


class Command(BaseCommand):
    """Exit code 0 when every file could be opened, whatever it holds; 1 if one could not, 2 on bad usage."""

    help = "Show how CSV files are written, their columns and rows, and what is wrong in them by line."
    requires_system_checks: list[str] = []  # they would want a database, which this does without

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        amount = parser.add_mutually_exclusive_group()
        amount.add_argument("--rows", type=count, default=_ROWS, help=f"how many rows to show ({_ROWS})")
        amount.add_argument("--all", action="store_true", help="show all rows")
        parser.add_argument(
            "--format", choices=("json", "csv"), default="json",
            help="json: one object a file; csv: the table itself, RFC 4180 in UTF-8",
        )  # fmt: skip
        parser.add_argument("--no-repair", action="store_true", help="reject broken lines, repair none")
        correcting.add_options(parser)
        parser.add_argument("--output-dir", type=Path, help="write one file of the same name each into it")

    def handle(self, *args: Any, **options: Any) -> None:
        files: list[Path] = options["files"]
        folder: Path | None = options["output_dir"]
        if folder is not None:
            _prepare(folder, files)
        self._limit = None if options["all"] else options["rows"]
        self._given = correcting.given(options)
        self._repair = not options["no_repair"]
        try:
            unopened = [path for path in files if not self._opened(path, folder, options["format"])]
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read it has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        if unopened:
            sys.exit(1)

    def _opened(self, path: Path, folder: Path | None, form: str) -> bool:
        """Show one file; False, and the reason on stderr, if it can't be opened."""
        try:
            stream = path.open("rb")
        except OSError as error:
            self.stderr.write(f"Can't read {path}: {error.strerror or error}.")
            return False
        with stream, self._output(folder / path.name if folder else None) as out:
            self._show(stream, out, path.name, form)
        return True

    def _show(self, stream: BinaryIO, out: TextIO, name: str, form: str) -> None:
        if form == "json":
            inspecting.write_json(
                stream, out, name=name, limit=self._limit, repair=self._repair, **self._given
            )
            return
        try:
            inspecting.write_csv(stream, out, limit=self._limit, repair=self._repair, **self._given)
        except RefusedFile as refused:
            self.stderr.write(f"{name}: {refused}")

    def _output(self, path: Path | None) -> Any:
        """Where a file's result goes, in UTF-8 and with line ends as written."""
        if path is not None:
            return path.open("w", encoding="utf-8", newline="")
        raw = getattr(self.stdout, "_out", sys.stdout)
        if isinstance(raw, io.TextIOWrapper):
            raw.reconfigure(encoding="utf-8", newline="")
        return nullcontext(raw)


def _prepare(folder: Path, files: list[Path]) -> None:
    """Make the folder; raises CommandError where the results would overwrite each other or their sources."""
    names = [path.name for path in files]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise CommandError(f"Two of the files are called {twice}. Inspect them one by one.", returncode=2)
    folder.mkdir(parents=True, exist_ok=True)
    if own := next((path for path in files if path.parent.resolve() == folder.resolve()), None):
        raise CommandError(f"The result would overwrite {own}. Choose another --output-dir.", returncode=2)
