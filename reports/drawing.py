"""What a chart is made of once it is drawn: numbers and texts for an SVG, which a template writes."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from reports.results import Chart, Series, Shape
from reports.writing import Writer

UNITS = 1_000  # across, within a path that is stretched
_COLOURS = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A gridline with its text, at `y`."""

    y: float
    text: str
    is_zero: bool


@dataclass(frozen=True, slots=True)
class Text:
    """A text at a place; `anchor` as SVG has it. `is_odd`: left out where there is little room."""

    x: str
    y: float
    text: str
    anchor: str
    look: str = ""
    is_odd: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """A series as a line; it is broken where values are missing."""

    points: str
    look: str


@dataclass(frozen=True, slots=True)
class Dot:
    x: str
    y: float
    look: str


@dataclass(frozen=True, slots=True)
class Band:
    """What is pointed at: a place, with the exact values in words; for a bar, its row."""

    x: str
    y: float
    width: str
    height: float
    words: str
    middle: str = ""

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Bar:
    x: str
    y: float
    width: str
    height: float
    look: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that the template draws. `words` are the chart in words, for those who can't see it."""

    number: str
    title: str
    words: str
    is_empty: bool
    shape: Shape
    height: int
    width: int | None = None
    axis: int = 0
    lines: list[Line] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)
    zero: str = ""
    units: int = UNITS


def look(series: Sequence[Series], at: int) -> str:
    """The class of a series: the same for the same place in any chart."""
    if series[at].is_before:
        return "before"
    return f"s{sum(not one.is_before for one in series[:at]) % _COLOURS + 1}"


def said(chart: Chart, writer: Writer, value: Decimal | int | None) -> str:
    """A value of it in full."""
    return writer.value(chart.kind, value)


def hovered(chart: Chart, writer: Writer, place: int) -> str:
    """What is said of a place: its label, then each value on a line of its own."""
    values = [
        f"{series.name}: {said(chart, writer, series.values[place])}"
        if len(chart.series) > 1
        else said(chart, writer, series.values[place])
        for series in chart.series
    ]
    return f"{chart.labels[place]}\n" + "\n".join(values)


def columns_of(text: str) -> int:
    """How wide it is, in letters: those of East Asia, and pictures, take two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
