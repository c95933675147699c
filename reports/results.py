"""What a report found, as values that know nothing of how they will look, nor in which language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from django.utils.functional import Promise

from reports.periods import Period
from reports.questions import Question

# What people have named is a str. Words of ours are lazy translations, which become text in the language that
# is active when they are written (`reports.wording.said`): one answer may be mailed in German and be a CSV in
# English.
type Text = str | Promise

# Text, money (in the report's currency, to the cent), a count, a share (0.5 is 50 %), a day or a moment.
Value = str | Promise | Decimal | int | date | datetime | None


class Kind(StrEnum):
    """What the values of a column are: decides how they are aligned, written, typed in a workbook."""

    TEXT = "text"
    MONEY = "money"
    COUNT = "count"
    SHARE = "share"
    DAY = "day"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True)
class Column:
    """`key` is its name in files and stays the same in any language; `title` is for people."""

    key: str
    title: Text
    kind: Kind


@dataclass(frozen=True, slots=True)
class Row:
    """A cell for each column; `before` are the same cells in the days it is compared with, or None.

    `depth` is its level in a tree of categories.
    """

    cells: tuple[Value, ...]
    before: tuple[Value, ...] | None = None
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` may be an iterator that can be read once, of millions; then `is_stream` is true."""

    title: Text
    columns: Sequence[Column]
    rows: Iterable[Row]
    total: Row | None = None
    note: Text = ""
    is_stream: bool = False


class Shape(StrEnum):
    LINE = "line"  # over time
    BARS = "bars"  # over things, the largest first


@dataclass(frozen=True, slots=True)
class Series:
    name: Text
    values: Sequence[Decimal | int | None]
    is_before: bool = False  # the days it is compared with: drawn muted


@dataclass(frozen=True, slots=True)
class Chart:
    """`labels` are the places on the axis, as people read them; each series has a value for each."""

    title: Text
    shape: Shape
    kind: Kind
    labels: Sequence[Text]
    series: Sequence[Series]


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the large numbers at the top. `is_good_when_higher` colours its change; None: neither."""

    key: str
    label: Text
    kind: Kind
    value: Value
    before: Value = None
    is_good_when_higher: bool | None = True


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole report. `notes` say what a reader must know: what was counted, what was left out."""

    question: Question
    title: Text
    currency: str
    made_at: datetime
    compared: Period | None = None
    figures: Sequence[Figure] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[Text] = field(default_factory=tuple)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found in its days: all figures are zero or missing."""
        return not any(figure.value for figure in self.figures)
