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
_STRONG = tuple(sign for sign in DELIMITERS if sign not in _WEAK)
_WEAK_EXPLAINS = 0.8  # of the lines, at least
_EXPLAINED = 0.95  # by another delimiter: then they are not even tried
_CONVINCING = 0.5
_BROKEN = 0.2  # of the lines, before a quote is believed to be a plain character
_PLAIN_QUOTES = 3  # lines with quotes of which none is around a cell: then they are believed to be as well
_SPLIT_LINES = 64  # handed to csv.reader at once; starting again after a bad line costs no more than this
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


class SplitLines:
    """Lines split in one way: each of them by itself but once, and from that the records for any width."""

    def __init__(self, lines: Sequence[str], syntax: Syntax, line_end: str) -> None:
        self._syntax, self._line_end = syntax, line_end
        self._coding = coding = syntax.coding
        self._coded = lines if coding.is_plain else [coding.encode(line) for line in lines]
        self._grammar = syntax.grammar(line_end, width=1)  # no matter for lines by themselves
        self.alone: list[list[str] | None] = []  # cells of each line; None where it is no complete record
        while len(self.alone) < len(lines):
            self._split_some()

    def records(self, width: int) -> Iterator[Record]:
        """Every record of these lines, those that can't be read and blank ones too."""
        finder, index = RecordFinder(self._coded, self._syntax.grammar(self._line_end, width)), 0
        while index < len(self.alone):
            cells = self.alone[index]
            if cells is not None:
                yield Record(index, 1, cells)
                index += 1
                continue
            found = finder.at(index)
            yield Record(index, found.lines, found.cells and self._decoded(found.cells))
            index += found.lines

    def _split_some(self) -> None:
        """Split lines up to and with the first that is no complete record."""
        start = len(self.alone)
        lines = self._coded[start : start + _SPLIT_LINES]
        reader = csv.reader(lines, self._grammar.format)
        try:
            for number, cells in enumerate(reader, start=1):
                if reader.line_num != number:
                    break
                self.alone.append(self._decoded(cells))
        except csv.Error:
            pass
        if len(self.alone) < start + len(lines):
            self.alone.append(self._split(self._coded[len(self.alone)]))

    def _split(self, line: str) -> list[str] | None:
        try:
            return self._decoded(self._grammar.cells(line))
        except csv.Error:
            return None

    def _decoded(self, cells: list[str]) -> list[str]:
        return cells if self._coding.is_plain else [self._coding.decode(cell) for cell in cells]


def read_records(lines: Sequence[str], syntax: Syntax, line_end: str, width: int) -> Iterator[Record]:
    """Every record of these lines, those that can't be read and blank ones too."""
    return SplitLines(lines, syntax, line_end).records(width)


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
    first = Syntax(delimiter or ",", '"' if quotechar is None else quotechar)
    contest = _Contest(lines, line_end, first, asks_quote=quotechar is None)
    for candidate in (delimiter,) if delimiter else _STRONG:
        contest.try_delimiter(candidate)
    if not delimiter and contest.best.explained < _EXPLAINED:
        for candidate in _WEAK:
            contest.try_delimiter(candidate)
    return Detected(contest.best.syntax, contest.best.width, contest.best.explained)


class _Contest:
    """Ways to split the same lines, of which the best is kept."""

    def __init__(self, lines: Sequence[str], line_end: str, first: Syntax, *, asks_quote: bool) -> None:
        """With `asks_quote`, other quotes than those of `first` are tried as well."""
        self._quote, self._asks_quote = first.quotechar, asks_quote
        self._lines, self._line_end, self._text = lines, line_end, "\n".join(lines)
        self.best = _Trial(lines, first, line_end, 0.0)
        self._first = self.best

    def try_delimiter(self, delimiter: str) -> None:
        """Try the ways of quoting that may go with a delimiter, if the lines have enough of it to win."""
        if max((line.count(delimiter) for line in self._lines), default=0) <= self.best.score:
            return
        plain = self._try(Syntax(delimiter, self._quote))
        quotes, comma = [self._quote], re.escape(delimiter)
        single = rf"(?m)(?:^|{comma})'[^\n]*?'(?:{comma}|\r?$)"
        if self._asks_quote and f"{delimiter}'" in self._text and re.search(single, self._text):
            quotes.append("'")
            self._try(Syntax(delimiter, "'"))
        for quote in quotes:
            if (quote and f"\\{quote}" in self._text) or f"\\{delimiter}" in self._text:
                self._try(Syntax(delimiter, quote, "\\"))
        if self._asks_quote and (
            plain.broken > max(1, _BROKEN * plain.full) or (plain.broken and self._has_no_quoted_cell(comma))
        ):
            self._try(Syntax(delimiter, ""))
            if f"\\{delimiter}" in self._text:
                self._try(Syntax(delimiter, "", "\\"))

    def _has_no_quoted_cell(self, comma: str) -> bool:
        """Are there quotes in several lines, but nowhere around a cell?"""
        if sum('"' in line for line in self._lines) < _PLAIN_QUOTES:
            return False
        return not re.search(rf'(?m)(?:^|{comma})"(?:[^"\n]|"")*"(?:{comma}|\r?$)', self._text)

    def _try(self, syntax: Syntax) -> "_Trial":
        if syntax == self._first.syntax:
            return self._first
        trial = _Trial(self._lines, syntax, self._line_end, self.best.score)
        if trial.score > self.best.score:
            self.best = trial
        return trial


class _Trial:
    """The lines split in one way, with the width that fits them best."""

    def __init__(self, lines: Sequence[str], syntax: Syntax, line_end: str, to_beat: float) -> None:
        """No score is worked out that can't exceed `to_beat`."""
        self.syntax, self.score, self.explained = syntax, 0.0, 0.0  # the share of lines that fit
        self.full = self.broken = 0  # records that are not blank, and those of them that can't be read
        self._lines, self._line_end, self._split = lines, line_end, SplitLines(lines, syntax, line_end)
        self._first_widths, common = self._widths()
        self.width = self._first_widths[0]
        for width in dict.fromkeys((*self._first_widths, *common)):
            score, explained = self._score(width, max(to_beat, self.score))
            if score > self.score:
                self.width, self.score, self.explained = width, score, explained

    def _widths(self) -> tuple[list[int], list[int]]:
        """Numbers of cells worth a try: what the first record may have, and what most lines have."""
        endless = max(map(len, self._lines), default=0) + 2  # so that no line is taken for a row
        records = self._split.records(endless)
        cells = next((found.cells for found in records if found.cells and not found.is_blank), [""])
        named = max((at for at, cell in enumerate(cells, start=1) if cell.strip()), default=1)
        counts = Counter(len(cells) for cells in self._split.alone if cells is not None)
        common = sorted(counts, key=lambda width: counts[width] * (width - 1), reverse=True)
        return [len(cells), named], common[:2]

    def _score(self, width: int, to_beat: float) -> tuple[float, float]:
        """(score, share of lines that fit), or zeros where the score can't exceed `to_beat`."""
        if width < 2:
            return 0.0, 0.0
        grammar = self.syntax.grammar(self._line_end, width)
        full = [found for found in self._split.records(width) if not found.is_blank]
        fitting = [(found, row) for found in full if found.cells and (row := grammar.fit(found.cells))]
        if len(fitting) < (1 if width in self._first_widths else 2):
            return 0.0, 0.0
        self.full, self.broken = len(full), sum(found.cells is None for found in full)
        explained = sum(found.lines for found, _ in fitting) / sum(found.lines for found in full)
        most = explained**2 * (width - 1)
        rows = [row for _, row in fitting[:: 1 + len(fitting) // _SCORED_RECORDS]]
        if most <= to_beat or (self.syntax.delimiter in _WEAK and not self._is_convincing(rows, explained)):
            return 0.0, 0.0
        return most * quality(cell for row in rows for cell in row) ** 2, explained

    def _is_convincing(self, rows: list[list[str]], explained: float) -> bool:
        """Does a weak delimiter split nearly all lines, typed columns among them, and no times or dates?"""
        lines = [line for line in map(str.strip, self._lines) if line]
        whole = sum(map(is_typed, lines)) * 2 >= len(lines)
        return explained >= _WEAK_EXPLAINS and not whole and bool(typed_columns(rows[1:] or rows))
