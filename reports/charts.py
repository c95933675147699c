"""Charts as numbers for an SVG, which a template draws: lines over time, bars over things, both from zero.

On pages a drawing is as wide as where it stands: positions across are percents, letters keep their size. In
mails and PDFs it has a width of its own.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from reports import bar_charts, line_charts
from reports.drawing import Drawing
from reports.results import Chart, Shape
from reports.writing import Writer


def drawn(chart: Chart, writer: Writer, *, number: int, width: int | None = None) -> Drawing:
    """The chart as a drawing; `number` tells it from the others of the report. Without `width` it is as wide
    as where it stands."""
    name = f"chart-{number}"
    if not any(value for series in chart.series for value in series.values):
        return Drawing(name, str(chart.title), _("Nothing was found in these days."), True, chart.shape, 0)
    draw = line_charts.draw if chart.shape == Shape.LINE else bar_charts.draw
    drawing = draw(chart, writer, name, width)
    is_from_right = writer.locale.text_direction == "rtl"
    # Time goes from left to right for all readers; names of things begin where their lines do.
    return bar_charts.mirrored(drawing) if is_from_right and width and chart.shape == Shape.BARS else drawing
