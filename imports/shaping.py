"""Turning the records of a shop's file into rows of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from imports.models import ImportRun


@dataclass(slots=True)
class Shaped:
    """What some records of a shop's file come to, in rows of our own."""

    lines: list[int]  # physical line of each row; several rows may come from one line
    rows: list[list[str]]  # one text for each of columns.COLUMNS, in that order ("" = blank)
    counts: list[bool]  # False for a row that only accompanies another one of its line
    merged: list[int]  # lines that only added to another line's product (an image, an option)
    rejected: list[tuple[int, str, str, str, str]]  # line, file's column, value, code, message


class Shaper(Protocol):
    """Stateful, for one chunk: records in file order in, rows out. A chunk begins at the start of a group."""

    @property
    def columns(self) -> frozenset[str]:
        """Our columns that it fills, mapped or not."""
        ...

    def shape(self, lines: Sequence[int], rows: Sequence[Sequence[str]]) -> Shaped:
        """What these records and those kept back come to; the last group is kept back."""
        ...

    def finish(self) -> Shaped:
        """The last group."""
        ...


def shaper_of(run: ImportRun) -> Shaper | None:
    """A shaper for a chunk of the run's file; None if each of its rows is one product."""
    return None
