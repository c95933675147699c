"""Charts of a workbook, which its program draws itself from cells beside them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from django.utils.translation import pgettext

from reports.results import Chart, Kind, Shape
from reports.workbook import Widths, Workbook

_ROWS, _ROW_HEIGHT = 20, 20  # of the sheet, that a chart covers; pixels of one
_WIDTH, _COLUMNS = 860, 15  # in pixels; what it is made of begins at that column
# static/tallyman/tokens.css, written out.
_MUTED, _LINE = "#a9a49c", "#e6e3dd"
_SERIES = ("#026d71", "#813c78", "#716114", "#3c568e")


def draw(book: Workbook, charts: Sequence[Chart]) -> None:
    """Native charts, and beside them the cells that they are made of."""
    sheet, widths = book.sheet(pgettext("report", "Charts")), Widths()
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    places = list(accumulate((len(chart.series) + 2 for chart in charts), initial=_COLUMNS))
    for row in range(max(len(chart.labels) for chart in charts) + 1):
        for chart, first in zip(charts, places, strict=False):
            _chart_row(book, sheet, chart, first, row, widths)
    widths.set(sheet)
    for number, (chart, first) in enumerate(zip(charts, places, strict=False)):
        sheet.insert_chart(number * (_ROWS + 1), 0, _chart(book, sheet, chart, first))


def _chart_row(book: Workbook, sheet: Any, chart: Chart, first: int, row: int, widths: Widths) -> None:
    if row > len(chart.labels):
        return
    heads = [chart.title, *(series.name for series in chart.series)]
    values = [series.values[row - 1] for series in chart.series]
    if row == 0:
        for at, head in enumerate(heads):
            sheet.write_string(0, first + at, head, book.format(chart.kind if at else None, head=True))
            widths.see(first + at, str(head))
        return
    book.cell(sheet, row, first, Kind.TEXT, chart.labels[row - 1])
    widths.see(first, str(chart.labels[row - 1]))
    for at, value in enumerate(values, first + 1):
        book.cell(sheet, row, at, chart.kind, value)
        widths.see(at, book.writer.value(chart.kind, value))


def _chart(book: Workbook, sheet: Any, chart: Chart, first: int) -> Any:
    is_line = chart.shape == Shape.LINE
    drawn = book.book.add_chart({"type": "line" if is_line else "bar"})
    colours = iter(_SERIES * len(chart.series))
    for at, series in enumerate(chart.series, first + 1):
        colour = _MUTED if series.is_before else next(colours)
        dash = {"dash_type": "dash"} if series.is_before else {}
        looks = (
            {"line": {"color": colour, "width": 2, **dash}}
            if is_line
            else {"fill": {"color": colour}, "gap": 60}
        )
        rows = len(chart.labels)
        drawn.add_series(
            {
                "name": [sheet.name, 0, at],
                "categories": [sheet.name, 1, first, rows, first],
                "values": [sheet.name, 1, at, rows, at],
                **looks,
            }
        )
    _axes(book, drawn, chart)
    drawn.set_title({"name": chart.title, "overlay": False, "name_font": {"size": 13, "bold": True}})
    drawn.set_legend({"none": True} if len(chart.series) == 1 else {"position": "bottom"})
    height = _ROWS * _ROW_HEIGHT
    drawn.set_size({"width": _WIDTH, "height": height, "object_position": 3})
    return drawn


def _axes(book: Workbook, drawn: Any, chart: Chart) -> None:
    grid = {"visible": True, "line": {"color": _LINE}}
    values = {"num_format": book.pattern(chart.kind), "major_gridlines": grid, "line": {"none": True}}
    names = {"label_position": "low", "major_gridlines": {"visible": False}}
    if chart.shape == Shape.LINE:
        drawn.set_x_axis(names)
        drawn.set_y_axis(values)
    else:  # without `reverse` the first thing would stand at the bottom
        drawn.set_y_axis(names | {"reverse": True})
        drawn.set_x_axis(values | {"label_position": "high"})
