"""Reading one chunk of a file: rows at the speed of the csv module, and every broken line by its number.

Clean single-line records run through `csv.reader` untouched. Where a record is anything else, `recovery` says
where it ends, and the fast reading resumes on the line after it. Each physical line is accounted for:

    physical_lines == records + len(problems) + continuation_lines + blank_lines

A broken record that has one right reading is repaired and is a record like others; a header that comes again
and a comment count as blank lines. `repairs` lists all of them.

Lines that the caller recognises (they were read before, each as a whole record) need not be parsed again.
"""

import csv
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from imports.column_types import Habits
from imports.dialect import Dialect
from imports.encoding import short_name
from imports.mending import Mending
from imports.recovery import MAX_CELL, Found, LineGrammar, RecordFinder
from imports.repair import DELIMITER_NAMES, Repair
from imports.tearing import Torn

EXCERPT = 200  # characters of a bad value that are worth showing
KEPT_CELLS = 65_536  # characters of a rejected line that are worth keeping for the rejected-rows file
_BLOCK = 256  # lines handed to csv.reader at once; resuming after a bad line costs no more than this
_YIELD = 500  # rows handed out together
_FIRST_CELL = itemgetter(0)
_OPEN_LINES = 0.05  # of all lines, at most

_FOREIGN = re.compile("[\0\udc80-\udcff]")  # what surrogateescape makes of undecodable bytes, and NUL
_MESSAGES = {
    "too_few_cells": "{count} where the header has {width}. Add the missing ones; if a line break inside a "
    "cell cut the line, put that cell in quotes ({quote}).",
    "too_many_cells": "{count} where the header has {width}. Put the cell that contains a {delimiter} in "
    "quotes ({quote}), or remove the cells that are too many.",
    "stray_quote": "A quote ({quote}) in {where} has no partner or has text after it. Remove it, or put the "
    "whole cell in quotes and write the quote twice ({quote}{quote}).",
    "line_break": "A line break in {where} tore this row in two. Remove it, or put that cell in quotes "
    "({quote}).",
    "encoding": "The byte {byte} in {where} is not {encoding}. Type the character again and save the file as "
    "CSV UTF-8, or choose the encoding that the file is in.",
    "nul_byte": "There is an invisible NUL byte in {where}. Delete it or export the file again.",
    "cell_too_long": f"There are more than {MAX_CELL:,} characters in {{where}}. Shorten the text.",
}
_ABOUT_A_CELL = {"stray_quote", "line_break", "encoding", "nul_byte"}
_BEYOND_REPAIR = {"line_break", "encoding", "nul_byte", "cell_too_long"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that can't be read, and what to do about it."""

    line: int  # physical line number in the file, from 1
    lines: int  # physical lines it covers
    code: str  # too_few_cells too_many_cells stray_quote line_break encoding nul_byte cell_too_long
    column: int | None  # 0-based index of the cell
    value: str  # excerpt of the cell or line, safe to store and show
    message: str
    cells: list[str] | None  # as well as they can be told apart, safe to store; None if far too long


class ChunkReader:
    """Read the rows of one chunk, once; counters and `problems` fill on the way and hold at the end.

    `lines` are the physical lines as text. `recognised` has one byte for each of them: before reading, set
    those to 1 which were once read as a whole record by the same dialect and width; they are counted, but
    come with no cells. After reading, it is 1 for exactly the lines that were left out for that reason: one
    that turns out to be part of another record is not.
    """

    def __init__(
        self, data: bytes, *, dialect: Dialect, width: int, first_line: int, habits: Habits | None = None
    ) -> None:
        """`data` starts at a record; `width` is the number of header cells; `first_line` counts from 1.

        `habits` are what broken lines are repaired by; without them, none is.
        """
        self.problems: list[Problem] = []
        self.repairs: list[Repair] = []
        self.records = self.blank_lines = self.continuation_lines = 0
        self.first_line = first_line
        self._dialect, self._width = dialect, width
        self._coding = dialect.coding
        self._grammar = LineGrammar(
            delimiter=self._coding.delimiter,
            quotechar=dialect.quotechar,
            line_end=dialect.line_end,
            width=width,
        )
        text, foreign = _decode(data, dialect.encoding)
        self.lines = text.split(dialect.line_end)
        if not self.lines[-1]:  # what follows the last line end is no line
            self.lines.pop()
        self._coded = self.lines if self._coding.is_plain else list(map(self._coding.encode, self.lines))
        self.physical_lines = len(self.lines)
        self.recognised = bytearray(self.physical_lines)
        # Lines with bytes that must not reach anyone: the fast path stops before each of them.
        self.suspects = [i for i, line in enumerate(self.lines) if _FOREIGN.search(line)] if foreign else []
        self.careful: set[int] = set()  # indexes of lines whose reading depends on more than their text
        self._finder = RecordFinder(self._coded, self._grammar)
        self._mending: Mending | None = None
        self._stops: Sequence[int] = self.suspects
        if habits and len(habits.columns) == width:
            self._mending = Mending(self.lines, self._coded, self._grammar, dialect, habits, first_line)
            self.repairs, self.careful = self._mending.repairs, self._mending.careful
            self._mending.is_cut = not text.endswith(dialect.line_end)
            self._stops = sorted({*self.suspects, *self._mending.stops(text)})
        self._stop_at_open_lines()

    def _forget_above_pieces(self) -> None:
        """A row that was read before may go on in a line below it that was not: have it read again."""
        at = -1
        while (at := self.recognised.find(b"\1\0", at + 1)) >= 0:
            if self._coded[at + 1].count(self._grammar.delimiter) < self._width - 1:
                self.recognised[at] = 0

    def _stop_at_open_lines(self) -> None:
        """Have the fast path stop before lines with an odd number of quotes, which mostly begin or end cells
        of several lines: else it would read all lines around them twice. Where every inch is written as a
        quote, it finds out by itself."""
        quote = self._grammar.quotechar
        if quote:
            open_lines = [at for at, line in enumerate(self._coded) if line.count(quote) & 1]
            if len(open_lines) <= _OPEN_LINES * self.physical_lines:
                self._stops = sorted({*self._stops, *open_lines})

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """(physical line number of its first line, exactly `width` cells) for each record with cells."""
        for numbers, rows in self.blocks():
            yield from zip(numbers, rows, strict=True)

    def blocks(self) -> Iterator[tuple[list[int], list[list[str]]]]:
        """The same as `__iter__`, some hundred rows at once: (numbers, rows)."""
        numbers: list[int] = []
        rows: list[list[str]] = []
        index = 0
        if self._mending:
            self._forget_above_pieces()
        while index < self.physical_lines:
            stop = self._block_end(index)
            reached = self._fast(index, stop, numbers, rows)
            index = stop if reached is None else self._carefully(reached, numbers, rows)
            if len(rows) > _YIELD:  # the last one stays: the next line may turn out to be a part of it
                yield numbers[:-1], self._coding.decode_rows(rows[:-1])
                numbers, rows = numbers[-1:], rows[-1:]
        self.records += sum(self.recognised)
        if rows:
            yield numbers, self._coding.decode_rows(rows)

    def _carefully(self, index: int, numbers: list[int], rows: list[list[str]]) -> int:
        """Read the one record that starts at `index`; returns the index of the line behind it."""
        found = self._finder.at(index)
        if found.lines == 1 and found.cells and (torn := self._torn(index, found.cells, numbers, rows)):
            if torn.first < index:
                del numbers[-1], rows[-1]
                self.records -= 1
            index, found = torn.first, Found(torn.cells, 2, "" if torn.is_certain else "line_break")
            if torn.is_certain and self._mending:
                self._mending.note_joined(torn)
        if found.lines > 1 or found.cells is None:
            self.careful.add(index)
        self.recognised[index : index + found.lines] = bytes(found.lines)
        if row := self._settle(index, found):
            numbers.append(self.first_line + index)
            rows.append(row)
        return index + found.lines

    def _torn(self, index: int, cells: list[str], numbers: list[int], rows: list[list[str]]) -> Torn | None:
        """The torn row that this line, with these cells, is a part of."""
        if not self._mending or len(cells) >= self._width or self._foreign_code(index, 2):
            return None
        is_row_above = numbers[-1:] == [self.first_line + index - 1] and index - 1 not in self.careful
        return self._mending.torn(index, rows[-1] if is_row_above else None)

    def _fast(self, index: int, stop: int, numbers: list[int], rows: list[list[str]]) -> int | None:
        """Add the single-line records from `index` to `stop`; returns the first line that needs care."""
        if index == stop:
            return index
        if any(self.recognised[index:stop]):
            todo: Sequence[int] = [i for i in range(index, stop) if not self.recognised[i]]
            lines = [self._coded[i] for i in todo]
        else:
            todo, lines = range(index, stop), self._coded[index:stop]
        first = len(rows)
        if (plain := self._plain_rows(lines)) is None:
            done = self._row_by_row(lines, todo, numbers, rows)
        else:
            self.records += len(plain)
            rows += plain
            numbers += [self.first_line + at for at in todo]
            done = len(todo)
        if self._mending and (doubtful := self._mending.doubtful(numbers, rows, first)):
            self._settle_again(doubtful, numbers, rows)
        return todo[done] if done < len(todo) else None

    def _row_by_row(
        self, lines: list[str], todo: Sequence[int], numbers: list[int], rows: list[list[str]]
    ) -> int:
        """Add the records of these lines up to the first one that needs care; returns how many they were."""
        reader, width, done = csv.reader(lines, self._grammar.format), self._width, 0
        try:
            for cells in reader:
                if reader.line_num != done + 1:
                    break
                if len(cells) == width and (cells[0].strip() or any(map(str.strip, cells))):
                    self.records += 1
                    row: list[str] | None = cells
                elif self._torn(todo[done], cells, numbers, rows):
                    break
                else:
                    row = self._settle(todo[done], Found(cells))
                if row:
                    rows.append(row)
                    numbers.append(self.first_line + todo[done])
                done += 1
        except csv.Error:
            pass  # the line it happened in is the first one not counted
        return done

    def _plain_rows(self, lines: list[str]) -> list[list[str]] | None:
        """The lines' rows, if each is a whole record of the right width whose first cell is not blank.

        They nearly always are, and reading all at once takes half the time of looking at each.
        """
        try:
            rows = list(csv.reader(lines, self._grammar.format))
        except csv.Error:
            return None
        # No record takes less than a line, so as many records as lines have one each.
        if len(rows) != len(lines) or set(map(len, rows)) != {self._width}:
            return None
        return rows if all(map(str.strip, map(_FIRST_CELL, rows))) else None

    def _settle_again(self, positions: list[int], numbers: list[int], rows: list[list[str]]) -> None:
        """Have another look at rows that the fast path has added."""
        for position in reversed(positions):
            self.records -= 1
            row = self._settle(numbers[position] - self.first_line, Found(rows[position]))
            if row:
                rows[position] = row
            else:
                del numbers[position], rows[position]

    def _block_end(self, index: int) -> int:
        """Where the lines for one csv.reader end: after `_BLOCK` lines or before the next peculiar one."""
        end = min(index + _BLOCK, self.physical_lines)
        stop = bisect_left(self._stops, index)
        return min(end, self._stops[stop]) if stop < len(self._stops) else end

    def _settle(self, index: int, found: Found) -> list[str] | None:
        """Count one record that needed a look; its row, or None if it is blank or a problem."""
        self.continuation_lines += found.lines - 1
        code, cells = self._foreign_code(index, found.lines) or found.code, found.cells or []
        row = None
        if not code:
            if not any(map(str.strip, cells)):
                self.blank_lines += 1
                return None
            if (row := self._grammar.fit(cells)) is None:
                code = "too_few_cells" if len(cells) < self._width else "too_many_cells"
        if self._mending and code not in _BEYOND_REPAIR:
            row, code = self._mending.settle(index, found, row, code)
        if code:
            self.problems.append(self._problem(index, found, code))
        elif row:
            self.records += 1
        else:
            self.blank_lines += 1
        return row

    def _foreign_code(self, index: int, count: int) -> str:
        """nul_byte or encoding if one of these lines holds such a thing, else ""."""
        suspect = bisect_left(self.suspects, index)
        if suspect == len(self.suspects) or self.suspects[suspect] >= index + count:
            return ""
        return "nul_byte" if "\0" in self.lines[self.suspects[suspect]] else "encoding"

    def _problem(self, index: int, found: Found, code: str) -> Problem:
        line = self._dialect.line_end.join(self.lines[index : index + found.lines])
        coded = self._dialect.line_end.join(self._coded[index : index + found.lines])
        cells = [self._coding.decode(cell) for cell in found.cells or self._grammar.pieces(coded)]
        column = self._culprit(coded, cells, code)
        subject = cells[column] if code in _ABOUT_A_CELL and column is not None else line
        return Problem(
            line=self.first_line + index,
            lines=found.lines,
            code=code,
            column=column,
            value=_excerpt(subject),
            message=self._message(code, column, len(cells), line),
            cells=[_printable(cell) for cell in cells] if len(line) <= KEPT_CELLS else None,
        )

    def _culprit(self, line: str, cells: list[str], code: str) -> int | None:
        """0-based index of the cell to look at; for a wrong width, of the first one missing or too many."""
        match code:
            case "too_few_cells":
                return len(cells)
            case "too_many_cells":
                return self._width
            case "stray_quote":
                return self._grammar.misquoted(line)
            case "line_break":  # in the last cell, or in the first one, of which a piece stands on a line
                return self._width - 1 if self._grammar.is_row(line.split(self._dialect.line_end)[0]) else 0
            case "cell_too_long":
                return next((i for i, cell in enumerate(cells) if len(cell) > MAX_CELL), None)
            case _:
                return next((i for i, cell in enumerate(cells) if _FOREIGN.search(cell)), None)

    def _message(self, code: str, column: int | None, count: int, line: str) -> str:
        bad = _FOREIGN.search(line)
        return _MESSAGES[code].format(
            count="1 cell" if count == 1 else f"{count} cells",
            width=self._width,
            where="this line" if column is None else f"cell {column + 1}",
            delimiter=DELIMITER_NAMES.get(self._dialect.delimiter, "delimiter"),
            quote=self._dialect.quotechar or '"',
            byte=f"0x{_byte(bad):02X}" if bad else "",
            encoding=short_name(self._dialect.encoding),
        )


def _decode(data: bytes, encoding: str) -> tuple[str, bool]:
    """Text of the chunk, and whether it holds NULs or (as lone surrogates) undecodable bytes."""
    try:
        return data.decode(encoding), b"\0" in data
    except UnicodeDecodeError:
        return data.decode(encoding, "surrogateescape"), True


def _printable(text: str) -> str:
    r"""NULs and undecodable bytes written out as \x00 and the like; PostgreSQL stores neither."""
    return _FOREIGN.sub(lambda found: f"\\x{_byte(found):02x}", text)


def _excerpt(text: str) -> str:
    text = _printable(text[: EXCERPT + 1])
    return text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"


def _byte(foreign: re.Match[str]) -> int:
    """The byte that surrogateescape turned into this character (or NUL)."""
    return ord(foreign[0]) & 0xFF
