"""Reading one chunk of a file: rows at the speed of the csv module, and every broken line by its number.

Clean single-line records run through `csv.reader` untouched. Where a record is anything else, `recovery` says
where it ends, and the fast reading resumes on the line after it. Each physical line is accounted for:

    physical_lines == records + len(problems) + continuation_lines + blank_lines

Lines that the caller recognises (they were read before, each as a whole record) need not be parsed again.
"""

import csv
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imports.dialect import Dialect
from imports.encoding import short_name
from imports.recovery import MAX_CELL, Found, LineGrammar, RecordFinder

EXCERPT = 200  # characters of a bad value that are worth showing
KEPT_CELLS = 65_536  # characters of a rejected line that are worth keeping for the rejected-rows file
_BLOCK = 256  # lines handed to csv.reader at once; resuming after a bad line costs no more than this
_YIELD = 500  # rows handed out together

_FOREIGN = re.compile("[\0\udc80-\udcff]")  # what surrogateescape makes of undecodable bytes, and NUL
_DELIMITER_NAMES = {
    ",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", ":": "colon", " ": "space",
    ", ": "comma and space",
}  # fmt: skip
_MESSAGES = {
    "too_few_cells": "{count} where the header has {width}. Add the missing ones; if a line break inside a "
    "cell cut the line, put that cell in quotes ({quote}).",
    "too_many_cells": "{count} where the header has {width}. Put the cell that contains a {delimiter} in "
    "quotes ({quote}), or remove the cells that are too many.",
    "stray_quote": "A quote ({quote}) in {where} has no partner or has text after it. Remove it, or put the "
    "whole cell in quotes and write the quote twice ({quote}{quote}).",
    "encoding": "The byte {byte} in {where} is not {encoding}. Type the character again and save the file as "
    "CSV UTF-8, or choose the encoding that the file is in.",
    "nul_byte": "There is an invisible NUL byte in {where}. Delete it or export the file again.",
    "cell_too_long": f"There are more than {MAX_CELL:,} characters in {{where}}. Shorten the text.",
}
_ABOUT_A_CELL = {"stray_quote", "encoding", "nul_byte"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that can't be read, and what to do about it."""

    line: int  # physical line number in the file, from 1
    lines: int  # physical lines it covers
    code: str  # too_few_cells too_many_cells stray_quote encoding nul_byte cell_too_long
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

    def __init__(self, data: bytes, *, dialect: Dialect, width: int, first_line: int) -> None:
        """`data` starts at a record; `width` is the number of header cells; `first_line` counts from 1."""
        self.problems: list[Problem] = []
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
        self.careful: set[int] = set()  # indexes of lines where the fast path stopped
        self._finder = RecordFinder(self._coded, self._grammar)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """(physical line number of its first line, exactly `width` cells) for each record with cells."""
        for numbers, rows in self.blocks():
            yield from zip(numbers, rows, strict=True)

    def blocks(self) -> Iterator[tuple[list[int], list[list[str]]]]:
        """The same as `__iter__`, some hundred rows at once: (numbers, rows)."""
        numbers: list[int] = []
        rows: list[list[str]] = []
        index = 0
        while index < self.physical_lines:
            stop = self._block_end(index)
            reached = self._fast(index, stop, numbers, rows)
            index = stop if reached is None else reached + self._carefully(reached, numbers, rows)
            if len(rows) >= _YIELD:
                yield numbers, self._coding.decode_rows(rows)
                numbers, rows = [], []
        self.records += sum(self.recognised)
        if rows:
            yield numbers, self._coding.decode_rows(rows)

    def _carefully(self, index: int, numbers: list[int], rows: list[list[str]]) -> int:
        """Read the one record that starts at `index`; returns how many lines it takes."""
        self.careful.add(index)
        found = self._finder.at(index)
        self.recognised[index : index + found.lines] = bytes(found.lines)
        if row := self._settle(index, found):
            numbers.append(self.first_line + index)
            rows.append(row)
        return found.lines

    def _fast(self, index: int, stop: int, numbers: list[int], rows: list[list[str]]) -> int | None:
        """Add the single-line records from `index` to `stop`; returns the first line that needs care."""
        if index == stop:
            return index
        if any(self.recognised[index:stop]):
            todo: Sequence[int] = [i for i in range(index, stop) if not self.recognised[i]]
            lines = [self._coded[i] for i in todo]
        else:
            todo, lines = range(index, stop), self._coded[index:stop]
        reader, width, done = csv.reader(lines, self._grammar.format), self._width, 0
        try:
            for cells in reader:
                if reader.line_num != done + 1:
                    break
                if len(cells) == width and (cells[0].strip() or any(map(str.strip, cells))):
                    self.records += 1
                    row: list[str] | None = cells
                else:
                    row = self._settle(todo[done], Found(cells))
                if row:
                    rows.append(row)
                    numbers.append(self.first_line + todo[done])
                done += 1
        except csv.Error:
            pass  # the line it happened in is the first one not counted
        return todo[done] if done < len(todo) else None

    def _block_end(self, index: int) -> int:
        """Where the lines for one csv.reader end: after `_BLOCK` lines or before the next suspect."""
        end = min(index + _BLOCK, self.physical_lines)
        suspect = bisect_left(self.suspects, index)
        return min(end, self.suspects[suspect]) if suspect < len(self.suspects) else end

    def _settle(self, index: int, found: Found) -> list[str] | None:
        """Count one record that needed a look; its row, or None if it is blank or a problem."""
        self.continuation_lines += found.lines - 1
        code, cells = self._foreign_code(index, found.lines) or found.code, found.cells or []
        if not code:
            if not any(map(str.strip, cells)):
                self.blank_lines += 1
                return None
            if row := self._grammar.fit(cells):
                self.records += 1
                return row
            code = "too_few_cells" if len(cells) < self._width else "too_many_cells"
        self.problems.append(self._problem(index, found, code))
        return None

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
            delimiter=_DELIMITER_NAMES.get(self._dialect.delimiter, "delimiter"),
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
