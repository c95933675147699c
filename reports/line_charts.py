"""Lines over time, from zero, each with its name at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from django.utils.translation import gettext as _

from reports.drawing import UNITS, Band, Dot, Drawing, Line, Path, Text, columns_of, hovered, look, said
from reports.results import Chart, Kind, Series
from reports.scales import Across, Scale, scale_of, some_of
from reports.writing import NOTHING, Writer

_HEIGHT, _TOP, _FOOT = 240, 28, 28  # units of the drawing; a unit is a pixel on pages
_AXIS, _MARGIN = 60, 8  # left of the lines, for what the ticks say, and right of them
_LABELS = 7  # below, at most; on a phone every other one
_LEAST, _LETTER, _GAP = (
    440,
    7,
    12,
)  # the width that they have room in where it is not known; of a letter; between
_APART = 16  # between the baselines of two names
_DOTS = 31  # so many places have dots
_HOVERED = 400  # more than these are too narrow to be pointed at


def draw(chart: Chart, writer: Writer, name: str, width: int | None) -> Drawing:
    """The chart as lines; `name` tells it from others of the report."""
    inner = None if width is None else width - _AXIS - _MARGIN
    across, scale = Across(inner), scale_of(_values(chart), whole=chart.kind == Kind.COUNT)
    places = len(chart.labels)
    units = inner or UNITS
    return Drawing(
        name,
        str(chart.title),
        " ".join(_line_in_words(chart, writer, series) for series in chart.series),
        False,
        chart.shape,
        _HEIGHT,
        width,
        _AXIS,
        [Line(_y(scale, tick), writer.short(chart.kind, tick), tick == 0) for tick in scale.ticks],
        [*_below(chart, across), *_names(chart, scale, across)],
        [
            Path(_path(series.values, scale, units), look(chart.series, at))
            for at, series in sorted(enumerate(chart.series), key=lambda one: not one[1].is_before)
        ],
        _dots(chart, scale, across),
        [],
        [_band(chart, writer, across, place) for place in range(places)] if places <= _HOVERED else [],
        units=units,
    )


def _values(chart: Chart) -> Iterator[Decimal | int | None]:
    return (value for series in chart.series for value in series.values)


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
        Dot(across.at(_share(place, len(series.values))), _y(scale, value), look(chart.series, at))
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
    widest = _LETTER * max(columns_of(str(label)) for label in chart.labels) + _GAP
    chosen = some_of(places, min(_LABELS, max(2, (across.width or _LEAST) // widest)))
    return [
        Text(
            across.at(_share(place, places)),
            _HEIGHT - 6,
            str(chart.labels[place]),
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
            Text(across.at(1), round(placed, 1), str(chart.series[at].name), "end", look(chart.series, at))
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
        hovered(chart, writer, place),
        across.at(middle),
    )


def _line_in_words(chart: Chart, writer: Writer, series: Series) -> str:
    """From where to where it goes, with its highest and lowest."""
    there = [(value, place) for place, value in enumerate(series.values) if value is not None]
    if not there:
        return f"{series.name}: {NOTHING}."
    (high, top), (low, bottom) = max(there, key=lambda one: one[0]), min(there, key=lambda one: one[0])
    last, end = there[-1]
    return _(
        "%(name)s: highest %(high)s (%(high_at)s), lowest %(low)s (%(low_at)s), last %(last)s (%(last_at)s)."
    ) % {
        "name": series.name,
        "high": said(chart, writer, high),
        "high_at": chart.labels[top],
        "low": said(chart, writer, low),
        "low_at": chart.labels[bottom],
        "last": said(chart, writer, last),
        "last_at": chart.labels[end],
    }
