"""Bars over things, from zero, each below its name and value."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import ngettext

from reports.drawing import Band, Bar, Drawing, Text, columns_of, hovered, look, said
from reports.results import Chart, Kind
from reports.scales import Across, Scale, scale_of
from reports.writing import Writer

_BARS = 12
_ROW, _BAR, _KEY = 24, 9, 26  # the text of a bar, a bar, and the key above all
_SHORTEST = 0.003  # of the width: what is there can be seen
_LETTERS = 34  # of a name beside a bar


def draw(chart: Chart, writer: Writer, name: str, width: int | None) -> Drawing:
    """The chart as bars; `name` tells it from others of the report."""
    shown = min(len(chart.labels), _BARS)
    across, scale = Across(width), _scale(chart, shown)
    left = len(chart.labels) - shown
    head = _KEY if len(chart.series) > 1 else 0
    row = _ROW + _BAR * len(chart.series) + 6
    height = head + row * shown + (20 if left else 0)
    (bars, texts), bands = _key(chart), list[Band]()
    for place in range(shown):
        y = head + place * row
        texts.append(Text("0", y + 16, _short_name(str(chart.labels[place])), "start"))
        texts.append(Text(across.at(1), y + 16, said(chart, writer, chart.series[0].values[place]), "end"))
        bands.append(Band("0", y, across.at(1), row, hovered(chart, writer, place)))
        bars += _bars_of(chart, scale, across, place, y + _ROW)
    if left:
        texts.append(Text("0", height - 4, _more(writer, left), "start", "soft"))
    words = _bars_in_words(chart, writer, shown)
    zero = across.at(scale.zero) if scale.zero > 0 else ""
    return Drawing(
        name, str(chart.title), words, False, chart.shape, height, width,
        texts=texts, bars=bars, bands=bands, zero=zero,
    )  # fmt: skip


def mirrored(drawing: Drawing) -> Drawing:
    """The same for readers from the right; its width is known."""
    width = drawing.width or 0
    anchors = {"start": "end", "end": "start"}

    def turned(x: str, wide: str = "0") -> str:
        return f"{width - float(x) - float(wide):.1f}"

    return replace(
        drawing,
        texts=[replace(one, x=turned(one.x), anchor=anchors[one.anchor]) for one in drawing.texts],
        bars=[replace(one, x=turned(one.x, one.width)) for one in drawing.bars],
        bands=[replace(one, x=turned(one.x, one.width)) for one in drawing.bands],
        zero=turned(drawing.zero) if drawing.zero else "",
    )


def _key(chart: Chart) -> tuple[list[Bar], list[Text]]:
    """The names of the series, each after a square of its colour."""
    if len(chart.series) < 2:
        return [], []
    squares, texts, x = list[Bar](), list[Text](), 0
    for at, series in enumerate(chart.series):
        colour = look(chart.series, at)
        squares.append(Bar(str(x), 5, str(_BAR), _BAR, colour))
        texts.append(Text(str(x + _BAR + 6), 14, str(series.name), "start", colour))
        x += _BAR + 6 + 8 * columns_of(str(series.name)) + 16
    return squares, texts


def _bars_of(chart: Chart, scale: Scale, across: Across, place: int, y: float) -> list[Bar]:
    bars = []
    for at, series in enumerate(chart.series):
        if value := series.values[place]:
            left, right = sorted((scale.zero, scale.share(value)))
            width = across.at(max(right - left, _SHORTEST))
            bars.append(Bar(across.at(left), y + at * _BAR, width, _BAR - 2, look(chart.series, at)))
    return bars


def _bars_in_words(chart: Chart, writer: Writer, shown: int) -> str:
    words = [
        f"{label}: {said(chart, writer, chart.series[0].values[place])}"
        for place, label in enumerate(chart.labels[:shown])
    ]
    left = len(chart.labels) - shown
    return f"{'; '.join([*words, *([_more(writer, left)] if left else [])])}."


def _more(writer: Writer, left: int) -> str:
    more = ngettext("and %(count)s more", "and %(count)s more", left)
    return more % {"count": writer.value(Kind.COUNT, left)}


def _scale(chart: Chart, places: int) -> Scale:
    values = (value for series in chart.series for value in series.values[:places])
    return scale_of(values, whole=chart.kind == Kind.COUNT)


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
