"""Repairing a broken line, where only one reading of it is right.

A line has *one* fault: a region between sound cells on its left and sound cells on its right, or one thing
that is wrong with all of it (another delimiter, another quote). Every such fault that could explain the line
gives a candidate, and a candidate stands if every cell fits its column's type and no quote is left without a
meaning. The repair is certain if all candidates that stand have the same cells; where they differ, as with a
comma too many between two texts, or where none stands, the line is to be rejected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from imports.coding import Coding
from imports.column_types import Habits
from imports.regions import Region, Rereader
from imports.sides import Sides, Sound

_LONGEST = 65_536  # characters of a line; a repair of a longer one would take too long to be told from others
_OTHER_DELIMITERS = (";", ",", "\t", "|", ":", " ")
_SHOWN = 60
DELIMITER_NAMES = {
    ",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", ":": "colon", " ": "space",
    ", ": "comma and space",
}  # fmt: skip
_MESSAGES = {
    "unquoted_delimiter": "Cell {cell} holds a {delimiter} but is not in quotes: read as “{value}”.",
    "extra_cell": "There was a {delimiter} too many before cell {cell}: the blank cell was left out.",
    "missing_delimiter": "The {delimiter} between cells {cell} and {next} was missing: read as {cells}.",
    "missing_cells": "There were too few cells: from cell {cell} on, {count} read as blank.",
    "stray_quote": "A quote in cell {cell} has no partner: read as “{value}”.",
    "inner_quotes": "The quotes inside cell {cell} are not doubled: read as “{value}”.",
    "spaces": "There were spaces around the cells: read as {cells}.",
    "other_quote": "The line has other quotes than the file: read as {cells}.",
    "other_escape": "A backslash stood for the second quote: read as {cells}.",
    "other_delimiter": "The line has another delimiter than the {delimiter}: read as {cells}.",
    "wrapped_line": "The whole line stood in quotes: read as {cells}.",
    "line_break": "A line break in cell {cell} was not in quotes: read as “{value}”.",
    "repeated_header": "The line repeats the header: left out.",
    "comment": "The line is a comment: left out.",
}


@dataclass(frozen=True, slots=True)
class Repair:
    """A broken line that was read all the same, or one that is no row and was left out."""

    line: int  # physical line number in the file, from 1
    lines: int  # physical lines it covers
    code: str  # one of the keys of `_MESSAGES`
    message: str


class Reading(NamedTuple):
    """One way to read a broken line: its cells, what is supposed to be wrong, and in which cell (from 0)."""

    cells: list[str]
    code: str
    at: int = 0
    concerned: int = 1  # cells


class Mender:
    """Repairs the broken lines of one file."""

    def __init__(self, habits: Habits, *, coding: Coding, delimiter: str, quotechar: str) -> None:
        """`delimiter` and `quotechar` are the file's own; lines come coded by `coding`."""
        self.habits = habits
        self._columns, self._width = habits.columns, len(habits.columns)
        self._coding, self._delimiter = coding, delimiter
        self._sound = Sound(coding.delimiter, quotechar)
        self._any_typed = any(column.is_typed for column in habits.columns)

    def mend(self, text: str, *, among_rows: bool, is_cut: bool) -> Reading | None:
        """The one right reading of a record that is broken, or None where there is none or more than one.

        `text` is its coded line or lines. `among_rows` says that the lines around it are sound rows, `is_cut`
        that the file ends with it, without a line end: then what is missing was there.
        """
        text = text.rstrip("\r\n")
        if len(text) > _LONGEST:
            return None
        sides = Sides(text, self._sound, self._columns, self._coding.decode)
        faults = chain(self._whole_line(text), self._one_region(sides, is_cut))
        if among_rows and not is_cut:
            faults = chain(faults, self._too_short(sides))
        reading = self._only(faults) or self._only(self._other_delimiter_in_text(text))
        return reading and reading._replace(cells=_unspaced(reading))

    def is_sound(self, text: str) -> bool:
        """Has every quote of this coded line a meaning?"""
        return self._sound.cells(text.rstrip("\r\n")) is not None

    def message(self, reading: Reading) -> str:
        """What was wrong with the line and how it was read, for people."""
        at, end = reading.at, reading.at + 2
        shown = reading.cells[at:end] if reading.code == "missing_delimiter" else reading.cells
        return _MESSAGES[reading.code].format(
            delimiter=DELIMITER_NAMES.get(self._delimiter, "delimiter"),
            cell=at + 1,
            next=at + 2,
            count="1 cell" if reading.concerned == 1 else f"{reading.concerned} cells",
            value=_short(reading.cells[at]) if reading.cells else "",
            cells=_short(" | ".join(cell or "–" for cell in shown), 3 * _SHOWN),
        )

    @staticmethod
    def _only(readings: Iterator[Reading]) -> Reading | None:
        """The reading that is the only one, if it is."""
        first = next(readings, None)
        if first is None:
            return None
        cells = list(map(str.strip, first.cells))
        return first if all(list(map(str.strip, other.cells)) == cells for other in readings) else None

    def _one_region(self, sides: Sides, is_cut: bool) -> Iterator[Reading]:
        """Readings where sound cells on the left and on the right leave one region to be read otherwise."""
        reread = Rereader(self._sound, self._coding.decode, self.habits)
        kinds: tuple[tuple[int, Callable[[Region], Iterator[tuple[list[str], str]]]], ...] = (
            (0, reread.no_cell), (1, reread.one_cell), (2, reread.two_cells),
        )  # fmt: skip
        for taken, cells_of in kinds:
            for region in sides.regions(taken):
                if is_cut and taken and region.ends_line and self._sound.is_opened(region.text):
                    continue
                for cells, code in cells_of(region):
                    whole = sides.around(region, cells)
                    if taken or not self.habits.is_shifted(whole, region.at):
                        yield Reading(whole, code, region.at)

    def _too_short(self, sides: Sides) -> Iterator[Reading]:
        """Readings with blank cells where the sound cells are too few; what is there must be typed."""
        cells = sides.all_cells()
        missing = self._width - len(cells) if cells else 0
        if not cells or not 0 < missing <= self._width / 2:
            return
        for at in range(len(cells) + 1):
            whole = [*cells[:at], *[""] * missing, *cells[at:]]
            if self._is_told_by_types(whole):
                yield Reading(whole, "missing_cells", at, missing)

    def _whole_line(self, text: str) -> Iterator[Reading]:
        """Readings of the whole line by other rules, by which nothing is wrong with it."""
        for rewritten, sound, code in self._rewritten(text):
            cells = sound.cells(rewritten)
            if cells and len(cells) == self._width:
                cells = list(map(self._coding.decode, cells))
                if self._is_told_by_types(cells):
                    yield Reading(cells, code)

    def _rewritten(self, text: str) -> Iterator[tuple[str, Sound, str]]:
        """The line with other rules to read it by, and what that means."""
        delimiter, quote = self._sound.delimiter, self._sound.quote
        yield self._sound.without_spaces(text), self._sound, "spaces"
        if quote and quote in text:
            yield text.replace("\\" + quote, quote * 2), self._sound, "other_escape"
            if len(text) > 2 and text[0] == text[-1] == quote:
                yield text[1:-1], self._sound, "wrapped_line"
                yield text[1:-1].replace(quote * 2, quote), self._sound, "wrapped_line"
        other_quote = "'" if quote != "'" else '"'
        if other_quote in text:
            yield text, Sound(delimiter, other_quote), "other_quote"
        for written, sound in self._by_other_delimiters(text):
            yield written, sound, "other_delimiter"

    def _by_other_delimiters(self, text: str) -> Iterator[tuple[str, Sound]]:
        written = text.replace(self._sound.delimiter, self._delimiter)
        for delimiter in _OTHER_DELIMITERS:
            if delimiter in written and delimiter != self._sound.delimiter:
                yield written, Sound(delimiter, self._sound.quote)

    def _other_delimiter_in_text(self, text: str) -> Iterator[Reading]:
        """Readings by another delimiter which also stands inside one text, such as a space."""
        for written, sound in self._by_other_delimiters(text):
            sides = Sides(written, sound, self._columns, self._coding.decode)
            reread = Rereader(sound, self._coding.decode, self.habits, is_own=False)
            for region in sides.regions(1):
                for cells, code in reread.one_cell(region):
                    whole = sides.around(region, cells)
                    if code == "unquoted_delimiter" and self._is_told_by_types(whole):
                        yield Reading(whole, "other_delimiter")

    def _is_told_by_types(self, cells: list[str]) -> bool:
        """Do all cells fit, and does at least one of them do so that could have been wrong?"""
        if self.habits.misfits(cells):
            return False
        told = sum(
            column.is_typed and bool(cell.strip()) for column, cell in zip(self._columns, cells, strict=True)
        )
        return told > 0 or not self._any_typed


def unspaced(cells: list[str]) -> list[str]:
    """The cells without the space that follows, or also precedes, every delimiter of their line."""
    if not any(cells[1:]) or any(cell and cell[0] != " " for cell in cells[1:]):
        return cells
    cells = [cells[0], *(cell[1:] for cell in cells[1:])]
    if any(cell and cell[-1] != " " for cell in cells[:-1]):
        return cells
    return [*(cell[:-1] for cell in cells[:-1]), cells[-1]]


def _unspaced(reading: Reading) -> list[str]:
    if reading.code == "spaces":
        return [cell.removeprefix(" ").removesuffix(" ") for cell in reading.cells]
    return unspaced(reading.cells)


def left_out(code: str) -> str:
    """What is said about a line that is no row: repeated_header or comment."""
    return _MESSAGES[code]


def _short(text: str, most: int = _SHOWN) -> str:
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
