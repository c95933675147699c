"""A report as parts of a mail: HTML with charts as pictures in it, and the same as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from reports import chart_pictures
from reports.as_page import ShownFigure, context
from reports.drawing import Drawing, columns_of
from reports.results import Answer
from reports.shown import Cell, ShownRow, ShownTable, shown
from reports.wording import said
from reports.writing import Writer

_TABLES, _ROWS, _COLUMNS = 2, 12, 4  # the rest is in the files
_WIDTH, _COLUMN = 420, 536  # units of a chart, so that it can be read on a phone; pixels of the mail's column
_LINE = 76  # letters of a line of text


@dataclass(frozen=True, slots=True)
class Mail:
    """`html` goes into the body of a mail made of notifications/base.html, below a heading; `text` says the
    same. `images` are PNGs by the content ids that the HTML names (`cid:chart-1`)."""

    html: SafeString
    text: str
    images: dict[str, bytes]


def mail(answer: Answer, *, whole: str = "") -> Mail:
    """The report below its title; `whole` is the address where all of its rows are. Rows of streams are not
    read, for a file may need them. Takes some tenths of a second; raises `printer.NotPrinted`."""
    with translation.override(answer.question.language):
        answer = said(answer)
        writer = Writer.of(answer)
        words = context(answer, most=0, has_tables=False)
        drawings = [one for one in chart_pictures.drawings(answer, writer, width=_WIDTH) if not one.is_empty]
        pictures = chart_pictures.pngs(drawings)
        tables = [_table(answer, at, writer) for at in range(len(answer.tables[:_TABLES]))]
        given = {**words, "charts": drawings, "tables": tables, "whole": whole, "width": _COLUMN}
        return Mail(
            html=render_to_string("reports/mail.html", given),
            text="\n\n".join(filter(None, _text(given))) + "\n",
            images={one.number: picture for one, picture in zip(drawings, pictures, strict=True)},
        )


def _table(answer: Answer, at: int, writer: Writer) -> ShownTable:
    table = answer.tables[at]
    if table.is_stream:
        return ShownTable(table.title, [], [], None, table.note, _("The rows are in the files."))
    return shown(table, writer, most=_ROWS, columns=_COLUMNS, stacked_from=0)


def _text(given: dict[str, Any]) -> Iterator[str]:
    """Its paragraphs."""
    compared = _(", compared with %(days)s") % {"days": given["compared"]} if given["compared"] else ""
    yield f"{given['period']}{compared}"
    if given["is_empty"]:
        yield _("Nothing was found in these days.")
    if given["figures"]:
        yield "\n".join(_aligned([_figure(one) for one in given["figures"]], left=(0, 2)))
    for chart in given["charts"]:
        yield _chart(chart)
    for table in given["tables"]:
        yield "\n".join(_table_lines(table))
        yield "\n".join(one for one in (table.more, table.note) if one)
    if given["whole"]:
        yield f"{_('All of it')}:\n{given['whole']}"
    yield "\n".join(given["notes"])
    made = _("Made on %(made_at)s (%(zone)s). Amounts are in %(currency)s.")
    yield made % {name: given[name] for name in ("made_at", "zone", "currency")}


def _figure(figure: ShownFigure) -> list[str]:
    before = _("(before: %(value)s)") % {"value": figure.before} if figure.before else ""
    return [
        str(figure.label),
        figure.text,
        f"{figure.change.words if figure.change else ''} {before}".strip(),
    ]


def _chart(chart: Drawing) -> str:
    return f"{chart.title}\n{chart.words}"


def _table_lines(table: ShownTable) -> list[str]:
    """In columns where they fit, or else a thing after the other."""
    title = str(table.title).upper()
    if not table.rows:
        return [title, *([] if table.more else [_("There are no rows.")])]
    rows = [*table.rows, *([table.total] if table.total else [])]
    lines = _aligned([[str(head.title) for head in table.heads], *(_texts(row) for row in rows)])
    if max(map(columns_of, lines)) > _LINE:
        lines = ["\n".join(_thing(table, row)) for row in rows]
    return [title, *lines]


def _texts(row: ShownRow) -> list[str]:
    first, *rest = row.cells
    return ["  " * row.depth + first.text, *map(_cell, rest)]


def _cell(cell: Cell) -> str:
    return f"{cell.text} ({cell.change.words})" if cell.change else cell.text


def _thing(table: ShownTable, row: ShownRow) -> Iterator[str]:
    texts = _texts(row)
    yield texts[0]
    for head, text in zip(table.heads[1:], texts[1:], strict=True):
        if text:
            yield f"    {head.title}: {text}"


def _aligned(rows: Sequence[Sequence[str]], *, left: tuple[int, ...] = (0,)) -> list[str]:
    """In columns, of which those at `left` begin on the left, others end on the right."""
    widths = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_placed(row, widths, left)).rstrip() for row in rows]


def _placed(row: Sequence[str], widths: Sequence[int], left: tuple[int, ...]) -> Iterator[str]:
    for at, (text, width) in enumerate(zip(row, widths, strict=True)):
        gap = " " * (width - columns_of(text))
        yield f"{text}{gap}" if at in left else f"{gap}{text}"
