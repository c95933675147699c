"""A report in the format that somebody wants it in: one door to all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from typing import BinaryIO

from django.utils import translation

from reports import as_mail
from reports.as_mail import Mail
from reports.results import Answer
from reports.wording import said

__all__ = ["Format", "Mail", "file_name", "mail", "render"]

_MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
}
# Each has `write(answer, out)`, and is imported when it is asked for: some bring heavy libraries along.
_MODULES = {"csv": "as_csv", "json": "as_json", "xlsx": "as_xlsx", "pdf": "as_pdf", "html": "as_page"}


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"
    XLSX = "xlsx"
    PDF = "pdf"
    HTML = "html"

    @property
    def media_type(self) -> str:
        return _MEDIA_TYPES[self.value]

    @property
    def is_for_programs(self) -> bool:
        """Whether programs read it: then words of ours in it are English, whatever language is asked for."""
        return self in (Format.CSV, Format.JSON)

    @property
    def has_all_rows(self) -> bool:
        """Whether it holds every row; the others are for reading, and say how many they leave out."""
        return self in (Format.CSV, Format.JSON, Format.XLSX)


def render(answer: Answer, format: Format, out: BinaryIO) -> None:
    """Write the report to `out`, which stays open and need not be seekable. Rows are read once, as a stream.

    CSV and JSON are in English, what people read is in the question's language. CSV has the first table only.
    Raises `shop.printing.printer.NotPrinted` where no PDF could be made.
    """
    write: Callable[[Answer, BinaryIO], None] = import_module(f"reports.{_MODULES[format]}").write
    language = "en" if format.is_for_programs else answer.question.language
    with translation.override(language):
        write(said(answer), out)


def mail(answer: Answer, *, whole: str = "") -> Mail:
    """The report as parts of a mail (`reports.as_mail`)."""
    return as_mail.mail(answer, whole=whole)


def file_name(answer: Answer, format: Format) -> str:
    """What to call the file: `sales-by-day-2026-01-01-2026-01-31.csv`."""
    question = answer.question
    what = f"{question.report}-by-{question.group_by}" if question.group_by else question.report
    name = re.sub(r"[^a-z0-9]+", "-", what.lower()).strip("-")
    return f"{name}-{question.period.first}-{question.period.last}.{format}"
