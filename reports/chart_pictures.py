"""Charts with a width of their own, for what is printed and mailed: as SVG, and as PNG."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from reports.charts import drawn
from reports.drawing import Drawing
from reports.results import Answer
from reports.writing import Writer
from shop.printing import printer

_HERE = Path(__file__).parent
_PICTURES = _HERE / "pictures.typ"


def drawings(answer: Answer, writer: Writer, *, width: int) -> list[Drawing]:
    """The charts, so many units wide."""
    return [drawn(chart, writer, number=at, width=width) for at, chart in enumerate(answer.charts, 1)]


def svg(drawing: Drawing) -> str:
    """With its styles, light; "" for a chart without anything to be seen."""
    if drawing.is_empty:
        return ""
    return render_to_string("reports/chart.svg", {"chart": drawing, "styles": _styles()})


def pngs(drawings: list[Drawing]) -> list[bytes]:
    """Each as a picture, two pixels for a unit. Takes some tenths of a second in a process of its own; raises
    `printer.NotPrinted`."""
    charts = [{"svg": svg(drawing), "words": drawing.words} for drawing in drawings]
    return printer.pngs(_PICTURES, {"charts": charts}) if charts else []


@cache
def _styles() -> SafeString:
    return mark_safe((_HERE / "printed.css").read_text())  # noqa: S308 - our own file
