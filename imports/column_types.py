"""What each column of a file holds, as far as its cells tell: `learning` has how that is found out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Self


@dataclass(frozen=True)
class ColumnType:
    """What the cells of one column look like."""

    kind: str  # text, empty, word, whole, decimal, date, time, url, email or code
    pattern: str = ""  # regular expression that every cell which is not blank matches; "" for any text
    blank: bool = True  # may a cell be blank?
    seldom_blank: bool = False  # are the blank cells so few that each may be a broken one?
    joins: bool = False  # do cells hold the delimiter with no space behind it?

    @cached_property
    def _match(self) -> Callable[[str], Any]:
        return re.compile(self.pattern or ".*", re.DOTALL).fullmatch

    @property
    def is_typed(self) -> bool:
        """Can a cell be wrong here, other than by being blank?"""
        return self.kind != "text"

    def fits(self, cell: str) -> bool:
        """Could this be a cell of the column? White space around it does not matter."""
        cell = cell.strip()
        return self._match(cell) is not None if cell else self.blank


@dataclass(frozen=True)
class Habits:
    """What the sample says about the rows of a file; nothing where it was too small."""

    columns: list[ColumnType] = field(default_factory=list)
    header: str = ""  # the header's line as it stands in the file, if it is one line
    has_hashes: bool = False  # do rows begin with "#"? Then it does not begin a comment
    has_surplus: bool = False  # do rows have more delimiters than the header?
    is_small: bool = False  # the sample is the whole file: every row can be looked at closely
    has_spaces: bool = False  # do cells begin with a space? Else "a, b" is one text
    blurred: list[int] = field(default_factory=list)  # columns that may end as the next one begins

    def misfits(self, cells: Sequence[str]) -> list[str]:
        """Those of these cells, one for each column, that are not what their columns hold."""
        return [cells[at] for at, fits in self._checks if not fits(cells[at])]

    def is_typed(self, cell: str) -> bool:
        """Could this be a cell of any column that not everything fits?"""
        return bool(cell.strip()) and any(column.is_typed and column.fits(cell) for column in self.columns)

    def is_shifted(self, cells: Sequence[str], at: int) -> bool:
        """Does a text beside the place before cell `at` look as if it belonged into another column?"""
        return any(
            0 <= near < len(cells) and not self.columns[near].is_typed and self.is_typed(cells[near])
            for near in (at - 1, at)
        )

    @cached_property
    def _checks(self) -> list[tuple[int, Callable[[str], bool]]]:
        """Index and check of the columns that not everything fits."""
        return [
            (at, column.fits) for at, column in enumerate(self.columns) if column.pattern or not column.blank
        ]

    @property
    def guard(self) -> int | None:
        """Index of the column that tells best whether a row's cells stand in their places.

        The last one that is always typed: most that goes wrong in a line moves the cells behind it.
        """
        able = [at for at, column in enumerate(self.columns) if column.pattern and not column.blank]
        return able[-1] if able else None

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Back from `as_dict`; an empty mapping gives habits that say nothing."""
        columns = [ColumnType(**column) for column in values.get("columns", ())]
        return cls(**{**values, "columns": columns})
