"""Which delimiter, quotes and escapes a file has: each possible way is tried on its first lines.

The way that wins splits the most lines into the most cells of the same number, and into cells that look like
cells: numbers, dates, prices and addresses, rather than text with another delimiter in it.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from imports.coding import Coding
from imports.evidence import is_typed, quality, typed_columns
from imports.recovery import LineGrammar, RecordFinder

DELIMITERS = (",", ";", "\t", "|", ":", " ", ", ")
_WEAK = (":", " ")  # they stand in times, addresses and prose: they need evidence beside their number
_WEAK_EXPLAINS = 0.8
_CONVINCING = 0.5
_BROKEN = 0.2  # of the lines, before a quote is believed to be a plain character
_SCORED_LINES = 500  # more of them don't change which way wins
_SCORED_RECORDS = 100


class Record(NamedTuple):
    """One record of the sample: its first line (from 0), its lines, and its cells where it can be read."""

    start: int
    lines: int
    cells: list[str] | None

    @property
    def is_blank(self) -> bool:
        return self.cells is not None and not any(map(str.strip, self.cells))


@dataclass(frozen=True, slots=True)
class Syntax:
    """One way to split lines into cells."""

    delimiter: str
    quotechar: str = '"'
    escape: str = ""

    @property
    def coding(self) -> Coding:
        return Coding(delimiter=self.delimiter, quotechar=self.quotechar, escape=self.escape)

    def grammar(self, line_end: str, width: int) -> LineGrammar:
        """For coded lines."""
        delimiter = self.coding.delimiter
        return LineGrammar(delimiter=delimiter, quotechar=self.quotechar, line_end=line_end, width=width)


def read_records(lines: Sequence[str], syntax: Syntax, line_end: str, width: int) -> Iterator[Record]:
    """Every record of these lines, those that can't be read and blank ones too."""
    coding, index = syntax.coding, 0
    coded = lines if coding.is_plain else [coding.encode(line) for line in lines]
    finder = RecordFinder(coded, syntax.grammar(line_end, width))
    while index < len(lines):
        found = finder.at(index)
        cells = found.cells and [coding.decode(cell) for cell in found.cells]
        yield Record(index, found.lines, cells)
        index += found.lines


class Detected(NamedTuple):
    """The best syntax for some lines, the number of cells in most of their records, and how well it fits."""

    syntax: Syntax
    width: int
    explained: float  # share of the lines

    @property
    def is_convincing(self) -> bool:
        """Is there surely a table?"""
        return self.width > 1 and self.explained >= _CONVINCING


def detect(
    lines: Sequence[str], line_end: str, delimiter: str | None = None, quotechar: str | None = None
) -> Detected:
    """How these lines are split best; `delimiter` and `quotechar` are not looked for where they are given.

    The first lines say, unless there is no table among them but one among the last.
    """
    found = _detect(lines[:_SCORED_LINES], line_end, delimiter, quotechar)
    if found.is_convincing or len(lines) <= _SCORED_LINES:
        return found
    last = _detect(lines[-_SCORED_LINES:], line_end, delimiter, quotechar)
    return last if last.is_convincing else found


def _detect(lines: Sequence[str], line_end: str, delimiter: str | None, quotechar: str | None) -> Detected:
    best = _Trial(lines, Syntax(delimiter or ",", '"' if quotechar is None else quotechar), line_end)
    for candidate in (delimiter,) if delimiter else sorted(DELIMITERS, key=_WEAK.__contains__):
        if not delimiter and candidate in _WEAK and best.explained >= _WEAK_EXPLAINS:
            continue
        for trial in _trials(lines, candidate, line_end, quotechar):
            if trial.score > best.score:
                best = trial
    return Detected(best.syntax, best.width, best.explained)


def _trials(lines: Sequence[str], delimiter: str, line_end: str, quotechar: str | None) -> Iterator["_Trial"]:
    """The ways of quoting that may go with a delimiter which the lines have at all."""
    if not any(delimiter in line for line in lines):
        return
    text, comma = "\n".join(lines), re.escape(delimiter)
    plain = _Trial(lines, Syntax(delimiter, '"' if quotechar is None else quotechar), line_end)
    yield plain
    quotes = [plain.syntax.quotechar]
    if quotechar is None and re.search(rf"(?m)(?:^|{comma})'[^\n]*?'(?:{comma}|\r?$)", text):
        quotes.append("'")
        yield _Trial(lines, Syntax(delimiter, "'"), line_end)
    for quote in quotes:
        if (quote and f"\\{quote}" in text) or f"\\{delimiter}" in text:
            yield _Trial(lines, Syntax(delimiter, quote, "\\"), line_end)
    if quotechar is None and plain.broken > max(1, _BROKEN * plain.full):
        yield _Trial(lines, Syntax(delimiter, ""), line_end)


class _Trial:
    """The lines split in one way, with the width that fits them best."""

    def __init__(self, lines: Sequence[str], syntax: Syntax, line_end: str) -> None:
        self.syntax, self.score, self.explained = syntax, 0.0, 0.0  # the share of lines that fit
        self.full = self.broken = 0  # records that are not blank, and those of them that can't be read
        self._lines, self._line_end = lines, line_end
        self._first_widths, common = self._widths()
        self.width = self._first_widths[0]
        for width in dict.fromkeys((*self._first_widths, *common)):
            score, explained = self._score(width)
            if score > self.score:
                self.width, self.score, self.explained = width, score, explained

    def _widths(self) -> tuple[list[int], list[int]]:
        """Numbers of cells worth a try: what the first record may have, and what most lines have."""
        endless = max(map(len, self._lines), default=0) + 2  # so that no line is taken for a row
        records = read_records(self._lines, self.syntax, self._line_end, endless)
        cells = next((found.cells for found in records if found.cells and not found.is_blank), [""])
        named = max((at for at, cell in enumerate(cells, start=1) if cell.strip()), default=1)
        counts: Counter[int] = Counter()
        grammar, coding = self.syntax.grammar(self._line_end, endless), self.syntax.coding
        for line in self._lines:
            try:
                counts[len(grammar.cells(coding.encode(line)))] += 1
            except csv.Error:
                continue
        common = sorted(counts, key=lambda width: counts[width] * (width - 1), reverse=True)
        return [len(cells), named], common[:2]

    def _score(self, width: int) -> tuple[float, float]:
        if width < 2:
            return 0.0, 0.0
        records = list(read_records(self._lines, self.syntax, self._line_end, width))
        grammar = self.syntax.grammar(self._line_end, width)
        full = [found for found in records if not found.is_blank]
        fitting = [(found, row) for found in full if found.cells and (row := grammar.fit(found.cells))]
        if len(fitting) < (1 if width in self._first_widths else 2):
            return 0.0, 0.0
        self.full, self.broken = len(full), sum(found.cells is None for found in full)
        explained = sum(found.lines for found, _ in fitting) / sum(found.lines for found in full)
        rows = [row for _, row in fitting[:: 1 + len(fitting) // _SCORED_RECORDS]]
        if self.syntax.delimiter in _WEAK and not self._is_convincing(rows, explained):
            return 0.0, 0.0
        rightness = quality(cell for row in rows for cell in row)
        return explained**2 * (width - 1) * rightness**2, explained

    def _is_convincing(self, rows: list[list[str]], explained: float) -> bool:
        """Does a weak delimiter split nearly all lines, typed columns among them, and no times or dates?"""
        lines = [line for line in map(str.strip, self._lines) if line]
        whole = sum(map(is_typed, lines)) * 2 >= len(lines)
        return explained >= _WEAK_EXPLAINS and not whole and bool(typed_columns(rows[1:] or rows))
