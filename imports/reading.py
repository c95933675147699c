"""Reading one chunk of a file: rows at the speed of the csv module, and every broken line by its number.

Clean single-line records run through `csv.reader` untouched. Where a record is anything else, `recovery` says
where it ends, and the fast reading resumes on the line after it. Each physical line is accounted for:

    physical_lines == records + len(problems) + continuation_lines + blank_lines

A broken record that has one right reading is repaired and is a record like others; a header that comes again
and a comment count as blank lines. `repairs` lists all of them.

Lines that the caller recognises (they were read before, each as a whole record) need not be parsed again.
"""

import csv
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import itemgetter

from imports.column_types import Habits
from imports.dialect import Dialect
from imports.encoding import UTF8, decoded, split_lines
from imports.mending import Mending
from imports.problems import FOREIGN, Problem, Teller
from imports.recovery import Found, LineGrammar, RecordFinder
from imports.repair import Repair
from imports.tearing import Torn

_BLOCK = 256  # lines handed to csv.reader at once; resuming after a bad line costs no more than this
_YIELD = 500  # rows handed out together
_ENCODED = 1_000  # lines turned into bytes together
_FIRST_CELL = itemgetter(0)
_OPEN_LINES = 0.05  # of all lines, at most
_BEYOND_REPAIR = {"line_break", "encoding", "nul_byte", "cell_too_long"}


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
        self.line_end = dialect.line_end
        self._dialect, self._width = dialect, width
        self._coding = dialect.coding
        self._grammar = LineGrammar(
            delimiter=self._coding.delimiter,
            quotechar=dialect.quotechar,
            line_end=dialect.line_end,
            width=width,
        )
        text, foreign = decoded(data, dialect.encoding)
        self.lines = text.split(dialect.line_end)
        if not self.lines[-1]:  # what follows the last line end is no line
            self.lines.pop()
        # Their bytes as the file has them, for who asks before the lines are read: else they go then.
        self._data = data if dialect.encoding == UTF8 and not foreign else b""
        self._coded = self.lines if self._coding.is_plain else list(map(self._coding.encode, self.lines))
        self.physical_lines = len(self.lines)
        self.recognised = bytearray(self.physical_lines)
        # Lines with bytes that must not reach anyone: the fast path stops before each of them.
        self.suspects = [i for i, line in enumerate(self.lines) if FOREIGN.search(line)] if foreign else []
        self.careful: set[int] = set()  # indexes of lines whose reading depends on more than their text
        self._finder = RecordFinder(self._coded, self._grammar)
        self._teller = Teller(dialect, self._grammar, width)
        self._mending: Mending | None = None
        self._stops: Sequence[int] = self.suspects
        if habits and len(habits.columns) == width:
            self._mending = Mending(self.lines, self._coded, self._grammar, dialect, habits, first_line)
            self.repairs, self.careful = self._mending.repairs, self._mending.careful
            self._mending.is_cut = not text.endswith(dialect.line_end)
            self._stops = sorted({*self.suspects, *self._mending.stops(text)})
        self._knows_open_lines = False

    def encoded_lines(self) -> Iterator[Sequence[bytes]]:
        """The text of all lines in UTF-8, many at once; blank for those that can't be encoded.

        Ask once, before reading: that way most files need not be encoded.
        """
        end = self.line_end.encode()
        if self._data:
            data, self._data = self._data, b""
            yield from split_lines(data, end)
            return
        lines = self.lines
        if self.suspects:
            lines = [*lines]
            for at in self.suspects:
                lines[at] = ""
        for start in range(0, len(lines), _ENCODED):
            yield self.line_end.join(lines[start : start + _ENCODED]).encode().split(end)

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
        self._knows_open_lines = True
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
        index, self._data = 0, b""
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
            if not self._knows_open_lines:  # few files have any, so they are not looked for before
                self._stop_at_open_lines()
                return self._fast_to_open_line(index, stop, numbers, rows)
            done = self._row_by_row(lines, todo, numbers, rows)
        else:
            self.records += len(plain)
            rows += plain
            numbers += [self.first_line + at for at in todo]
            done = len(todo)
        if self._mending and (doubtful := self._mending.doubtful(numbers, rows, first)):
            self._settle_again(doubtful, numbers, rows)
        return todo[done] if done < len(todo) else None

    def _fast_to_open_line(
        self, index: int, stop: int, numbers: list[int], rows: list[list[str]]
    ) -> int | None:
        nearer = self._block_end(index)
        if nearer >= stop:
            return self._fast(index, stop, numbers, rows)
        reached = self._fast(index, nearer, numbers, rows)
        return nearer if reached is None else reached

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

    def _problem(self, index: int, found: Found, code: str) -> Problem:
        behind = index + found.lines
        line, coded = (
            self._dialect.line_end.join(lines[index:behind]) for lines in (self.lines, self._coded)
        )
        return self._teller.problem(self.first_line + index, line, coded, found, code)

    def _foreign_code(self, index: int, count: int) -> str:
        """nul_byte or encoding if one of these lines holds such a thing, else ""."""
        suspect = bisect_left(self.suspects, index)
        if suspect == len(self.suspects) or self.suspects[suspect] >= index + count:
            return ""
        return "nul_byte" if "\0" in self.lines[self.suspects[suspect]] else "encoding"
