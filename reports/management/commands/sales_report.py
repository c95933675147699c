"""manage.py sales_report: what was sold between two days, into a file or on the terminal."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import uuid
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from reports import answering, asking, rendering
from reports.questions import Comparison, Grouping, Question
from reports.rendering import Format
from reports.results import Answer
from shop.printing.printer import NotPrinted

_GROUPINGS = [one.value for one in Grouping if one]
_FORMATS = {f".{format}": format for format in Format} | {".htm": Format.HTML}
_FOR_TERMINALS = (Format.CSV, Format.JSON, Format.HTML)


class Command(BaseCommand):
    """Exit code 0 when the report is written, 1 when it could not be made or written, 2 on bad usage: days
    that are none, a zone nobody knows, a place that can't be written to. A file is whole, or as it was."""

    help = "Report what was sold from one day to another, both included, by the clock of the shop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--start-date", required=True, metavar="DAY", help="the first: 2026-01-01")
        parser.add_argument("--end-date", required=True, metavar="DAY", help="the last, included: 2026-01-31")
        parser.add_argument("--output", metavar="FILE", default="-", help="by default stdout")
        parser.add_argument(
            "--format", choices=list(Format), help="as FILE ends where this is not given, else csv"
        )
        parser.add_argument(
            "--group-by",
            type=lambda text: text.replace("-", "_"),
            choices=_GROUPINGS,
            default="",
            help="rows by that; without it every order line is one, with the total at the end",
        )
        parser.add_argument(
            "--compare",
            choices=[one.value for one in Comparison if one],
            default="",
            help="with as many days before, or the same days of the year before",
        )
        parser.add_argument("--zone", default=settings.TIME_ZONE, help="whose clock says when a day begins")
        parser.add_argument("--country", default="", metavar="CODE", help="only orders that go there: DE")
        parser.add_argument("--category", default="", metavar="PATH", help="with all below: Home > Kitchen")
        parser.add_argument("--sku", default="", help="only this product, or variant")
        parser.add_argument("--payment", default="", metavar="CODE", help="only orders paid in that way")
        parser.add_argument("--discount", default="", metavar="CODE", help="only orders with that code")

    def handle(self, *args: Any, **options: Any) -> None:
        out: str = options["output"]
        format = Format(options["format"] or _FORMATS.get(Path(out).suffix.lower(), Format.CSV))
        _check_place(out, format)
        try:
            answer = answering.answer(_question(options))
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from None
        except DatabaseError as error:
            raise _failed(f"The database gave no answer: {error}") from None
        self._write(answer, format, out)
        for hint in asking.hints(answer.question, is_empty=answer.is_empty):
            self.stderr.write(hint)
        if answer.is_empty:
            self.stderr.write("Nothing was sold or given back in these days; the report has no rows.")

    def _write(self, answer: Answer, format: Format, out: str) -> None:
        try:
            if out == "-":
                _to_stdout(answer, format)
            else:
                _to_file(answer, format, Path(out).resolve())
                self.stderr.write(f"{asking.title_of(answer.title, answer.question)}: {out}")
        except (NotPrinted, ValueError) as error:
            raise _failed(str(error)) from None
        except DatabaseError as error:
            raise _failed(f"The database broke off: {error}") from None
        except OSError as error:
            raise _failed(f"Can't write {out}: {error.strerror or error}.") from None


def _failed(message: str) -> CommandError:
    return CommandError(message.strip(), returncode=1)


def _question(options: dict[str, Any]) -> Question:
    typed = {name: options[name] for name in ("country", "category", "sku", "payment", "discount")}
    return Question(
        report="sales",
        period=asking.period(options["start_date"], options["end_date"], options["zone"]),
        group_by=Grouping(options["group_by"]),
        compare=Comparison(options["compare"]),
        filters=asking.filters(typed),
        language=settings.LANGUAGE_CODE,
    )


def _check_place(out: str, format: Format) -> None:
    """Refuse what could not be written to before the database has had the work of it."""
    if out == "-":
        if format not in _FOR_TERMINALS and sys.stdout.isatty():
            message = f"A terminal shows no {format.value}. Say where to write it: --output FILE"
            raise CommandError(message, returncode=2)
        return
    folder = Path(out).resolve().parent
    if Path(out).is_dir() or not os.access(folder, os.W_OK):
        raise CommandError(f"Can't write {out}: no file can be made there.", returncode=2)


def _to_stdout(answer: Answer, format: Format) -> None:
    """All of it, or nothing."""
    stdout: BinaryIO = sys.stdout.buffer
    with tempfile.TemporaryFile() as file:
        rendering.render(answer, format, file)
        file.seek(0)
        with suppress(BrokenPipeError):  # whoever reads has seen enough
            shutil.copyfileobj(file, stdout)
            stdout.flush()


def _to_file(answer: Answer, format: Format, target: Path) -> None:
    """The file has all of it, or what was there before."""
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            rendering.render(answer, format, file)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
