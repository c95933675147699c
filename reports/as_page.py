"""A report as HTML: a part of a page, or a file that needs no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

from reports.charts import drawn
from reports.results import Answer, Figure, Text
from reports.shown import shown
from reports.wording import said
from reports.writing import Change, Writer
from shop.languages import is_from_right, locale

_IN_PAGE, _IN_FILE = 100, 1_000  # rows of a table
_STYLES = ("tokens.css", "reports.css")


@dataclass(frozen=True, slots=True)
class ShownFigure:
    """A large number in words; `tone` is good, bad, or empty."""

    label: Text
    text: str
    before: str
    change: Change | None
    tone: str


def fragment(answer: Answer, *, whole: str = "", most: int = _IN_PAGE) -> SafeString:
    """The report below its title, for a page that has `static/tallyman/reports.css`; tables have up to `most`
    rows, and `whole` is the address of the CSV, which has all."""
    with translation.override(answer.question.language):
        answer = said(answer)
        return render_to_string("reports/report.html", {**context(answer, most=most), "whole": whole})


def write(answer: Answer, out: BinaryIO) -> None:
    """Write the file."""
    direction = "rtl" if is_from_right() else "ltr"
    with_styles = {**context(answer, most=_IN_FILE), "styles": _styles(), "direction": direction}
    out.write(render_to_string("reports/page.html", with_styles).encode())


def context(answer: Answer, *, most: int, has_tables: bool = True) -> dict[str, Any]:
    """What the templates are filled with; without tables no row is read."""
    writer = Writer.of(answer)
    return {
        "shop_name": settings.SHOP_NAME,
        "language": locale().language,
        "title": answer.title,
        "currency": answer.currency,
        "period": writer.period(answer.question.period),
        "compared": writer.period(answer.compared) if answer.compared else "",
        "zone": answer.question.period.zone.key,
        "made_at": writer.moment(answer.made_at),
        "is_empty": bool(answer.figures) and answer.is_empty,
        "figures": list(figures(answer, writer)),
        "charts": [drawn(chart, writer, number=at) for at, chart in enumerate(answer.charts, 1)],
        "tables": [shown(table, writer, most=most) for table in answer.tables] if has_tables else [],
        "notes": answer.notes,
    }


def figures(answer: Answer, writer: Writer) -> Iterator[ShownFigure]:
    """The large numbers in words."""
    for figure in answer.figures:
        change = writer.change(figure.kind, figure.value, figure.before)
        before = writer.value(figure.kind, figure.before) if figure.before is not None else ""
        text = writer.value(figure.kind, figure.value)
        yield ShownFigure(figure.label, text, before, change, _tone(figure, change))


def _tone(figure: Figure, change: Change | None) -> str:
    if change is None or figure.is_good_when_higher is None or change.way == "same":
        return ""
    return "good" if (change.way != "down") == figure.is_good_when_higher else "bad"


@cache
def _styles() -> SafeString:
    """Our own files, so nothing in them ends the element that they stand in."""
    folder = settings.BASE_DIR / "static" / "tallyman"
    return mark_safe("\n".join((folder / name).read_text() for name in _STYLES))  # noqa: S308
