"""manage.py export_catalog: write the catalogue, or a part of it, into a file."""

from __future__ import annotations

import os
import shutil
import sys
from argparse import ArgumentParser, BooleanOptionalAction
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imports import exporting, links, selecting
from imports.export_watching import watch
from imports.files import FileError
from imports.management.arguments import text
from imports.models import ExportRun

_FORMATS = {f".{format}": format for format in ExportRun.Format.values}


class Command(BaseCommand):
    """Exit code 0 when the file is written, 1 when the export failed or was cancelled, 2 on bad usage: a
    category that is not there, a place that can't be written to."""

    help = "Write the catalogue into a file, for a spreadsheet, another shop, or to be imported again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("out", metavar="OUT", help="the file to be written; - for stdout")
        parser.add_argument(
            "--format", choices=ExportRun.Format.values, help="as OUT ends where this is not given, else csv"
        )
        parser.add_argument(
            "--profile",
            choices=ExportRun.Profile.values,
            default=ExportRun.Profile.TALLYMAN,
            help="whose columns the file has (default: tallyman)",
        )
        parser.add_argument(
            "--category",
            type=text,
            default="",
            metavar="PATH",
            help="only this one and what is below it: Home > Kitchen",
        )
        states = parser.add_mutually_exclusive_group()
        states.add_argument("--published", action="store_const", const=True, help="only published products")
        states.add_argument(
            "--unpublished", dest="published", action="store_const", const=False, help="only the others"
        )
        parser.add_argument(
            "--wait",
            action=BooleanOptionalAction,
            default=True,
            help="wait and write OUT (default), or only begin: the file is on the export's page then",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        out = options["out"]
        if options["wait"]:
            _check_place(out)
        try:
            run = exporting.start(
                chosen=selecting.in_category(options["category"], published=options["published"]),
                format=options["format"] or _FORMATS.get(Path(out).suffix.lower(), ExportRun.Format.CSV),
                profile=options["profile"],
            )
        except (selecting.SelectionError, FileError) as error:
            raise CommandError(str(error), returncode=2) from None
        if not options["wait"]:
            self.stderr.write(f"{run} has begun. Watch it: {links.export_page(run)}")
            return
        run = watch(run)
        if run.state != ExportRun.State.COMPLETED:
            raise CommandError(f"{run} {run.get_state_display()}. {run.error}".strip(), returncode=1)
        _copy(run, out)
        self.stderr.write(f"{run.rows:,} rows in {run.seconds:.1f} s" + ("." if out == "-" else f": {out}"))


def _check_place(out: str) -> None:
    """Refuse what could not be written to before a worker has had the work of it."""
    folder = Path(out).resolve().parent
    if out != "-" and (Path(out).is_dir() or not os.access(folder, os.W_OK)):
        raise CommandError(f"Can't write {out}: no file can be made there.", returncode=2)


def _copy(run: ExportRun, out: str) -> None:
    """Copy the stored file to its place, which has all of it or what was there before."""
    with run.file.open("rb") as stored:
        if out == "-":
            shutil.copyfileobj(stored, sys.stdout.buffer)
            return
        target = Path(out).resolve()
        part = target.with_name(f".{target.name}.{run.key.hex}.part")
        try:
            with part.open("xb") as file:
                shutil.copyfileobj(stored, file)
            part.replace(target)
        except OSError as error:
            raise CommandError(f"Can't write {out}: {error.strerror or error}.", returncode=1) from None
        finally:
            part.unlink(missing_ok=True)
