"""What shapers of a shop's rows give back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(slots=True)
class Shaped:
    """What some records of a shop's file come to, in rows of our own."""

    lines: list[int] = field(default_factory=list)  # physical line of each row; one may give several rows
    rows: list[list[str]] = field(default_factory=list)  # one text for each of our columns; "" is blank
    # False for a row that only accompanies another one of its line: the product above a variant, made out of
    # the variant's line. Exactly one row of a line counts.
    counts: list[bool] = field(default_factory=list)
    # line that only added to another line's product, that other line
    merged: list[tuple[int, int]] = field(default_factory=list)
    # line, the file's column, value, code, message
    rejected: list[tuple[int, str, str, str, str]] = field(default_factory=list)

    def add(self, line: int, row: list[str], *, counts: bool = True) -> None:
        """Add a row of ours."""
        self.lines.append(line)
        self.rows.append(row)
        self.counts.append(counts)

    def extend(self, other: Shaped) -> None:
        """Add what later records come to."""
        self.lines += other.lines
        self.rows += other.rows
        self.counts += other.counts
        self.merged += other.merged
        self.rejected += other.rejected


class Shaper(Protocol):
    """Stateful, for one chunk: records in file order in, rows out. A chunk begins at the start of a group."""

    columns: frozenset[str]  # ours that it fills, mapped or not

    def shape(self, lines: Sequence[int], rows: Sequence[Sequence[str]]) -> Shaped:
        """What these records come to, as far as no later record can add to it."""
        ...

    def finish(self) -> Shaped:
        """What is left at the end of the chunk."""
        ...
