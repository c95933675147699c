"""What a report found, as values that know nothing of how they will look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from reports.periods import Period
from reports.questions import Question

# Text, money (in the report's currency, to the cent), a count, a share (0.5 is 50 %), a day or a moment.
Value = str | Decimal | int | date | datetime | None


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
    title: str
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

    title: str
    columns: Sequence[Column]
    rows: Iterable[Row]
    total: Row | None = None
    note: str = ""
    is_stream: bool = False


class Shape(StrEnum):
    LINE = "line"  # over time
    BARS = "bars"  # over things, the largest first


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    values: Sequence[Decimal | int | None]
    is_before: bool = False  # the days it is compared with: drawn muted


@dataclass(frozen=True, slots=True)
class Chart:
    """`labels` are the places on the axis, as people read them; each series has a value for each."""

    title: str
    shape: Shape
    kind: Kind
    labels: Sequence[str]
    series: Sequence[Series]


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the large numbers at the top. `is_good_when_higher` colours its change; None: neither."""

    key: str
    label: str
    kind: Kind
    value: Value
    before: Value = None
    is_good_when_higher: bool | None = True


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole report. `notes` say what a reader must know: what was counted, what was left out."""

    question: Question
    title: str
    currency: str
    made_at: datetime
    compared: Period | None = None
    figures: Sequence[Figure] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found in its days: all figures are zero or missing."""
        return not any(figure.value for figure in self.figures)
