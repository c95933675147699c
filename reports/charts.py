"""Charts as numbers for an SVG, which a template draws: lines over time, bars over things, both from zero.

On pages a drawing is as wide as where it stands: positions across are percents, letters keep their size. In
mails and PDFs it has a width of its own.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby

from reports.results import Chart, Kind, Series, Shape
from reports.scales import Across, Scale, scale_of, some_of
from reports.writing import NOTHING, Writer

_HEIGHT, _TOP, _FOOT = 240, 28, 28  # units of the drawing; a unit is a pixel on pages
_AXIS, _MARGIN = 60, 8  # left of a line chart, for what its ticks say, and right of it
_UNITS = 1_000  # across, within a path that is stretched
_LABELS = 7  # below; on a phone every other one
_APART = 16  # between the baselines of two names
_DOTS = 31  # so many places have dots
_HOVERED = 400  # more than these are too narrow to be pointed at
_BARS = 12
_ROW, _BAR, _KEY = 24, 9, 26  # the text of a bar, a bar, and the key above all
_LETTERS = 34  # of a name beside a bar
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
    units: int = _UNITS


def drawn(chart: Chart, writer: Writer, *, number: int, width: int | None = None) -> Drawing:
    """The chart as a drawing; `number` tells it from the others of the report. Without `width` it is as wide as
    where it stands."""
    name = f"chart-{number}"
    if not any(value for series in chart.series for value in series.values):
        return Drawing(name, chart.title, "Nothing was found in these days.", True, chart.shape, 0)
    draw = _lines if chart.shape == Shape.LINE else _bars
    return draw(chart, writer, name, width)


def _look(series: Sequence[Series], at: int) -> str:
    """The class of a series: the same for the same place in any chart."""
    if series[at].is_before:
        return "before"
    return f"s{sum(not one.is_before for one in series[:at]) % _COLOURS + 1}"


def _said(chart: Chart, writer: Writer, value: Decimal | int | None) -> str:
    return writer.value(chart.kind, value)


def _hovered(chart: Chart, writer: Writer, place: int) -> str:
    """`Nov 3, 2026: €12.00; Previous: €11.00`."""
    values = [
        f"{series.name}: {_said(chart, writer, series.values[place])}"
        if len(chart.series) > 1
        else _said(chart, writer, series.values[place])
        for series in chart.series
    ]
    return f"{chart.labels[place]}\n" + "\n".join(values)


# Lines.


def _lines(chart: Chart, writer: Writer, name: str, width: int | None) -> Drawing:
    inner = None if width is None else width - _AXIS - _MARGIN
    across, scale = Across(inner), _scale(chart)
    places = len(chart.labels)
    units = inner or _UNITS
    return Drawing(
        name,
        chart.title,
        " ".join(_line_in_words(chart, writer, series) for series in chart.series),
        False,
        chart.shape,
        _HEIGHT,
        width,
        _AXIS,
        [Line(_y(scale, tick), writer.short(chart.kind, tick), tick == 0) for tick in scale.ticks],
        [*_below(chart, across), *_names(chart, scale, across)],
        [
            Path(_path(series.values, scale, units), _look(chart.series, at))
            for at, series in sorted(enumerate(chart.series), key=lambda one: not one[1].is_before)
        ],
        _dots(chart, scale, across),
        [],
        [_band(chart, writer, across, place) for place in range(places)] if places <= _HOVERED else [],
        units=units,
    )


def _scale(chart: Chart, places: int | None = None) -> Scale:
    values = (value for series in chart.series for value in series.values[:places])
    return scale_of(values, whole=chart.kind == Kind.COUNT)


def _y(scale: Scale, value: Decimal | int) -> float:
    return round(_TOP + (1 - scale.share(value)) * (_HEIGHT - _TOP - _FOOT), 1)


def _share(place: int, places: int) -> float:
    """Where a place stands across; a single one in the middle."""
    return place / (places - 1) if places > 1 else 0.5


def _path(values: Sequence[Decimal | int | None], scale: Scale, units: int) -> str:
    points = [
        None if value is None else f"{_share(place, len(values)) * units:.1f} {_y(scale, value)}"
        for place, value in enumerate(values)
    ]
    runs = (list(run) for is_there, run in groupby(points, key=lambda point: point is not None) if is_there)
    return "".join(f"M{'L'.join(point for point in run if point)}" for run in runs)


def _dots(chart: Chart, scale: Scale, across: Across) -> list[Dot]:
    """Where there are few places; and else where a line would have no length."""
    return [
        Dot(across.at(_share(place, len(series.values))), _y(scale, value), _look(chart.series, at))
        for at, series in enumerate(chart.series)
        for place, value in enumerate(series.values)
        if value is not None
        and (_is_alone(series.values, place) or (not series.is_before and len(series.values) <= _DOTS))
    ]


def _is_alone(values: Sequence[object], place: int) -> bool:
    around = [values[at] for at in (place - 1, place + 1) if 0 <= at < len(values)]
    return all(value is None for value in around)


def _below(chart: Chart, across: Across) -> list[Text]:
    places = len(chart.labels)
    chosen = some_of(places, _LABELS)
    return [
        Text(
            across.at(_share(place, places)),
            _HEIGHT - 6,
            chart.labels[place],
            _anchor(place, places),
            "soft",
            is_odd=number % 2 == 1,
        )
        for number, place in enumerate(chosen)
    ]


def _anchor(place: int, places: int) -> str:
    """So that texts at the sides do not stand beyond them."""
    if places == 1:
        return "middle"
    return "end" if place == places - 1 else "start" if place == 0 else "middle"


def _names(chart: Chart, scale: Scale, across: Across) -> list[Text]:
    """The name of each series at the end of its line: the highest above it, the others below theirs."""
    if len(chart.series) < 2:
        return []
    ends = sorted(
        (_y(scale, last), at)
        for at, series in enumerate(chart.series)
        if (last := next((value for value in reversed(series.values) if value is not None), None)) is not None
    )
    texts: list[Text] = []
    lowest = float(_HEIGHT - _FOOT - 6)
    room = len(ends)
    at_least = float(_TOP - 8)
    for number, (y, at) in enumerate(ends):
        wanted = y - 10 if number == 0 else y + 18
        placed = max(at_least, min(wanted, lowest - _APART * (room - number - 1)))
        at_least = placed + _APART
        texts.append(
            Text(across.at(1), round(placed, 1), chart.series[at].name, "end", _look(chart.series, at))
        )
    return texts


def _band(chart: Chart, writer: Writer, across: Across, place: int) -> Band:
    places = len(chart.labels)
    half = 0.5 / max(1, places - 1) if places > 1 else 0.5
    middle = _share(place, places)
    left, right = max(0.0, middle - half), min(1.0, middle + half)
    return Band(
        across.at(left),
        _TOP,
        across.at(right - left),
        _HEIGHT - _TOP - _FOOT,
        _hovered(chart, writer, place),
        across.at(middle),
    )


def _line_in_words(chart: Chart, writer: Writer, series: Series) -> str:
    """From where to where it goes, with its highest and lowest."""
    there = [(value, place) for place, value in enumerate(series.values) if value is not None]
    if not there:
        return f"{series.name}: {NOTHING}."
    (high, top), (low, bottom) = max(there, key=lambda one: one[0]), min(there, key=lambda one: one[0])
    return (
        f"{series.name}: highest {_said(chart, writer, high)} ({chart.labels[top]}), "
        f"lowest {_said(chart, writer, low)} ({chart.labels[bottom]}), "
        f"last {_said(chart, writer, there[-1][0])} ({chart.labels[there[-1][1]]})."
    )


# Bars.


def _bars(chart: Chart, writer: Writer, name: str, width: int | None) -> Drawing:
    shown = min(len(chart.labels), _BARS)
    across, scale = Across(width), _scale(chart, shown)
    left = len(chart.labels) - shown
    head = _KEY if len(chart.series) > 1 else 0
    row = _ROW + _BAR * len(chart.series) + 6
    height = head + row * shown + (20 if left else 0)
    (bars, texts), bands = _key(chart), list[Band]()
    for place in range(shown):
        y = head + place * row
        texts.append(Text("0", y + 16, _short_name(chart.labels[place]), "start"))
        texts.append(Text(across.at(1), y + 16, _said(chart, writer, chart.series[0].values[place]), "end"))
        bands.append(Band("0", y, across.at(1), row, _hovered(chart, writer, place)))
        bars += _bars_of(chart, scale, across, place, y + _ROW)
    if left:
        texts.append(Text("0", height - 4, f"and {left:,} more", "start", "soft"))
    words = _bars_in_words(chart, writer, shown)
    zero = across.at(scale.zero) if scale.zero > 0 else ""
    return Drawing(
        name, chart.title, words, False, chart.shape, height, width,
        texts=texts, bars=bars, bands=bands, zero=zero,
    )  # fmt: skip


def _key(chart: Chart) -> tuple[list[Bar], list[Text]]:
    """The names of the series, each after a square of its colour."""
    if len(chart.series) < 2:
        return [], []
    squares, texts, x = list[Bar](), list[Text](), 0
    for at, series in enumerate(chart.series):
        look = _look(chart.series, at)
        squares.append(Bar(str(x), 5, str(_BAR), _BAR, look))
        texts.append(Text(str(x + _BAR + 6), 14, series.name, "start", look))
        x += _BAR + 6 + 8 * columns_of(series.name) + 16
    return squares, texts


def _bars_of(chart: Chart, scale: Scale, across: Across, place: int, y: float) -> list[Bar]:
    bars = []
    for at, series in enumerate(chart.series):
        value = series.values[place]
        if value:
            ends = sorted((scale.zero, scale.share(value)))
            length = max(ends[1] - ends[0], 0.003)
            bars.append(
                Bar(
                    across.at(ends[0]), y + at * _BAR, across.at(length), _BAR - 2, _look(chart.series, at)
                )  # fmt: skip
            )
    return bars


def _bars_in_words(chart: Chart, writer: Writer, shown: int) -> str:
    said = [
        f"{label}: {_said(chart, writer, chart.series[0].values[place])}"
        for place, label in enumerate(chart.labels[:shown])
    ]
    left = len(chart.labels) - shown
    return "; ".join(said) + (f"; and {left:,} more." if left else ".")


def columns_of(text: str) -> int:
    """How wide it is, in letters: those of East Asia, and pictures, take two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _short_name(text: str) -> str:
    if columns_of(text) <= _LETTERS:
        return text
    kept, room = "", _LETTERS - 1
    for one in text:
        room -= columns_of(one)
        if room < 0:
            break
        kept += one
    return f"{kept.rstrip()}…"
