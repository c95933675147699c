"""A report as PDF/UA, on A4: upright, or on its side where a table is wide."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.utils.translation import gettext as _

from reports import chart_pictures
from reports.as_page import context
from reports.results import Answer
from reports.shown import ShownRow, ShownTable, shown
from reports.writing import Change, Writer
from shop.languages import apart, is_from_right
from shop.printing import printer

_TEMPLATE = Path(__file__).with_name("report.typ")
_ROWS = 500  # of a table: some 20 pages
_UPRIGHT = 7  # columns that fit
_APART = 9  # with more, changes stand below their values, and what was before is left out
_WIDE, _NARROW = 1_000, 680  # units of charts


def write(answer: Answer, out: BinaryIO) -> None:
    """Write the PDF; raises `printer.NotPrinted`."""
    out.write(printer.pdf(_TEMPLATE, _data(answer), made_at=answer.made_at))


def _data(answer: Answer) -> dict[str, Any]:
    writer = Writer.of(answer)
    words = context(answer, most=0, has_tables=False)
    tables = [shown(table, writer, most=_ROWS, stacked_from=_APART) for table in answer.tables]
    columns = max((len(table.heads) for table in tables), default=0)
    drawings = chart_pictures.drawings(answer, writer, width=_WIDE if columns > _UPRIGHT else _NARROW)
    return {
        "title": answer.title,
        "shop": settings.SHOP_NAME,
        "mark": (settings.BASE_DIR / "static" / "tallyman" / "logo.svg").read_text(),
        "period": words["period"],
        "language": words["language"],
        "rtl": is_from_right(),
        "words": _words(words),
        "empty": words["is_empty"],
        "columns": columns,
        "landscape": columns > _UPRIGHT,
        "figures": [{**asdict(figure), "change": _change(figure.change)} for figure in words["figures"]],
        "charts": [
            {"title": one.title, "words": one.words, "svg": chart_pictures.svg(one)} for one in drawings
        ],
        "tables": [_table(table) for table in tables],
        "notes": list(answer.notes),
    }


def _words(given: dict[str, Any]) -> dict[str, str]:
    """What stands around values."""
    made = _("made on %(made_at)s (%(zone)s)") % {"made_at": given["made_at"], "zone": given["zone"]}
    compared = _("compared with %(days)s") % {"days": given["compared"]} if given["compared"] else ""
    return {
        "compared": compared,
        "empty": _("Nothing was found in these days."),
        "before": _("before: %(value)s") % {"value": "{value}"},
        "no_rows": _("There are no rows."),
        "counted": _("What was counted"),
        "page": _("Page {page} of {pages}"),
        "foot": f"{apart(settings.SHOP_NAME)} · {given['title']}, {given['period']} · {made}",
    }


def _table(table: ShownTable) -> dict[str, Any]:
    return {
        "title": table.title,
        "heads": [{"title": head.title, "number": head.is_number} for head in table.heads],
        "rows": [_row(row) for row in table.rows],
        "total": _row(table.total) if table.total else None,
        "more": f"{table.more} {_('All of them are in the CSV.')}" if table.more else "",
        "note": table.note,
    }


def _row(row: ShownRow) -> dict[str, Any]:
    cells = [{"text": one.text, "before": one.before, "change": _change(one.change)} for one in row.cells]
    return {"depth": row.depth, "cells": cells}


def _change(change: Change | None) -> dict[str, str] | None:
    return {"long": f"{change.arrow} {change.short}", "brief": change.brief} if change else None
