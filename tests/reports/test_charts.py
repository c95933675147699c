"""Charts: from zero, at round numbers, nothing beyond their frame."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.charts import drawn
from reports.drawing import Drawing
from reports.results import Chart, Kind, Series, Shape
from reports.scales import scale_of
from reports.writing import Writer
from tests.reports.answers import a_question, an_answer

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=2)
WRITER = Writer.of(an_answer())


def a_drawing(
    *values: list[Decimal | int | None], shape: Shape = Shape.LINE, width: int | None = 600
) -> Drawing:
    labels = [f"Day {at}" for at in range(len(values[0]))]
    series = [Series(f"Series {at}", one, is_before=at == 1) for at, one in enumerate(values)]
    return drawn(Chart("A chart", shape, Kind.MONEY, labels, series), WRITER, number=1, width=width)


@settings(max_examples=40, deadline=None)
@given(st.lists(AMOUNTS, min_size=1, max_size=20))
def test_scale_has_zero_and_all_values_and_few_round_ticks(values: list[Decimal]) -> None:
    scale = scale_of(values)

    assert 0 in scale.ticks
    assert scale.ticks[0] <= min(values)
    assert scale.ticks[-1] >= max(values)
    assert 2 <= len(scale.ticks) <= 6
    step = scale.ticks[1] - scale.ticks[0]
    assert step.normalize().as_tuple().digits in {(1,), (2,), (2, 5), (5,)}


def test_scale_of_counts_has_whole_ticks() -> None:
    assert [*scale_of([1], whole=True).ticks] == [0, 1]
    assert [*scale_of([0, None], whole=True).ticks] == [0, 1]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.none() | AMOUNTS, min_size=1, max_size=40))
def test_line_stays_in_its_frame_and_breaks_where_values_miss(values: list[Decimal | None]) -> None:
    drawing = a_drawing([*values])

    points = re.findall(r"(-?[\d.]+) (-?[\d.]+)", "".join(path.points for path in drawing.paths))
    there = [value for value in values if value is not None]
    if not any(there):
        assert drawing.is_empty
        return
    assert len(points) == len(there)
    assert all(0 <= float(x) <= drawing.units and 28 <= float(y) <= drawing.height - 28 for x, y in points)
    runs = sum(value is not None and (at == 0 or values[at - 1] is None) for at, value in enumerate(values))
    assert [path.points.count("M") for path in drawing.paths] == [runs]


@settings(max_examples=40, deadline=None)
@given(st.lists(AMOUNTS, min_size=1, max_size=12), st.lists(AMOUNTS, min_size=12, max_size=12))
def test_bars_begin_at_zero_and_stay_in_their_frame(now: list[Decimal], then: list[Decimal]) -> None:
    drawing = a_drawing([*now], [*then[: len(now)]], shape=Shape.BARS)
    if drawing.is_empty:
        return

    zero = float(drawing.zero or 0)
    bars = [(float(bar.x), float(bar.x) + float(bar.width)) for bar in drawing.bars if bar.y > 10]
    assert all(min(abs(left - zero), abs(right - zero)) <= 2 for left, right in bars)
    assert all(left >= -0.1 and right <= 602 for left, right in bars)
    assert len(bars) == sum(value != 0 for value in [*now, *then[: len(now)]])


def test_bars_begin_on_the_right_for_readers_from_there() -> None:
    chart = Chart("A chart", Shape.BARS, Kind.MONEY, ["Mug", "Pot"], [Series("Gross", [Decimal(20), -5])])
    english, arabic = Writer.of(an_answer()), Writer.of(an_answer(question=a_question(language="ar")))
    left, right = (drawn(chart, writer, number=1, width=600) for writer in (english, arabic))

    assert [(text.x, text.anchor) for text in right.texts[:2]] == [("600.0", "end"), ("0.0", "start")]
    for one, other in zip(left.bars, right.bars, strict=True):
        assert float(other.x) == pytest.approx(600 - float(one.x) - float(one.width), abs=0.1)
    assert float(right.zero) == pytest.approx(600 - float(left.zero), abs=0.1)


def test_chart_tells_exact_values_and_names_its_lines() -> None:
    drawing = a_drawing([Decimal("10.50"), 20], [None, Decimal("7.25")], width=None)

    assert [band.words for band in drawing.bands] == [
        "Day 0\nSeries 0: €10.50\nSeries 1: –",
        "Day 1\nSeries 0: €20.00\nSeries 1: €7.25",
    ]
    assert [(text.text, text.look) for text in drawing.texts[-2:]] == [
        ("Series 0", "s1"),
        ("Series 1", "before"),
    ]
    assert drawing.texts[-1].y - drawing.texts[-2].y >= 16
    assert drawing.words == (
        "Series 0: highest €20.00 (Day 1), lowest €10.50 (Day 0), last €20.00 (Day 1)."
        " Series 1: highest €7.25 (Day 1), lowest €7.25 (Day 1), last €7.25 (Day 1)."
    )


@pytest.mark.parametrize("days", [1, 2, 31, 400])
def test_few_places_are_labelled(days: int) -> None:
    drawing = a_drawing([*range(1, days + 1)], width=None)

    labels = [text for text in drawing.texts if text.look == "soft"]
    assert 1 <= len(labels) <= 7
    assert len([text for text in labels if not text.is_odd]) <= 4
    assert len(drawing.bands) == days
