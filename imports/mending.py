"""What becomes of the lines of a chunk that are not clean: repaired, left out as no row, or rejected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from operator import itemgetter

from imports.column_types import Habits
from imports.dialect import Dialect
from imports.recovery import Found, LineGrammar
from imports.repair import Mender, Reading, Repair, left_out, unspaced
from imports.tearing import Tearing, Torn

_QUOTES = frozenset("\"'")
_DELIMITERS = ",;\t| "
_END = "\x1f"  # of a cell; white space, so that no typed cell has it


class Mending:
    """Settles the records of one chunk that are broken, or that csv takes for rows although they are none."""

    def __init__(
        self,
        lines: Sequence[str],
        coded: Sequence[str],
        grammar: LineGrammar,
        dialect: Dialect,
        habits: Habits,
        first_line: int,
    ) -> None:
        """`lines` are the chunk's physical lines as text, `coded` the same as `grammar` reads them."""
        self.repairs: list[Repair] = []
        self.careful: set[int] = set()  # indexes of the lines that were repaired
        self.is_cut = False  # does the chunk's last line have no end?
        self._lines, self._coded, self._grammar, self._habits = lines, coded, grammar, habits
        self._first_line, self._coding = first_line, dialect.coding
        self._mender = Mender(
            habits, coding=self._coding, delimiter=dialect.delimiter, quotechar=dialect.quotechar
        )
        self._tearing = Tearing(coded, grammar, habits, self._coding.decode)
        self._guard = habits.guard
        if self._guard is not None:
            pattern = habits.columns[self._guard].pattern
            self._guarded = re.compile(f"(?:(?:{pattern}){_END})*+").fullmatch
            self._guard_of = itemgetter(self._guard)

    def stops(self, text: str) -> Iterator[int]:
        """Indexes of lines that want a look though csv may read them: a comment, the header again.

        One look at the whole text spares most files the look at each line.
        """
        header = self._habits.header
        if "#" in text and not self._habits.has_hashes:
            yield from (index for index, line in enumerate(self._lines) if line[:1] == "#")
        if header and header in self._lines:
            yield from (index for index, line in enumerate(self._lines) if line == header)

    def doubtful(self, numbers: Sequence[int], rows: Sequence[list[str]], first: int) -> list[int]:
        """Positions, from `first` on, of single-line rows of the right width that may be broken all the same.

        In a small file every cell is looked at. In a large one that would cost more than reading it: there
        one match over the guarding column of many rows has to do.
        """
        if self._habits.is_small:
            return [
                at
                for at in range(first, len(rows))
                if self._is_doubtful(numbers[at] - self._first_line, rows[at])
            ]
        if self._guard is None:
            return []
        cells = list(map(self._guard_of, rows[first:]))
        if self._guarded(_END.join([*cells, ""])):
            return []
        guard = self._habits.columns[self._guard]
        return [first + at for at, cell in enumerate(cells) if cell[:1] in " '" or not guard.fits(cell)]

    def torn(self, index: int, above: list[str] | None) -> Torn | None:
        """The torn row that a line with too few cells is a part of; `above` is the row on the line above."""
        if self.is_cut and index + 2 >= len(self._lines):
            return None  # what is missing was never written
        torn = self._tearing.at(index, self._decoded(above) if above else None)
        if torn and self._mender.mend(self._coded[index], among_rows=False, is_cut=False):
            return None
        return torn

    def note_joined(self, torn: Torn) -> None:
        """List a torn row that is read as one."""
        message = self._mender.message(Reading(torn.cells, "line_break", torn.at))
        self.repairs.append(Repair(self._first_line + torn.first, 2, "line_break", message))

    def settle(
        self, index: int, found: Found, row: list[str] | None, code: str
    ) -> tuple[list[str] | None, str]:
        """The row of a record and "", or None and why it is rejected; None and "" for what is no row.

        `row` is the record as it stands if it has the right width; else `code` says what is wrong.
        """
        if row is not None and not self._is_in_doubt(index, found, row):
            return row, ""
        if found.lines == 1 and self._is_no_row(index, row):
            return None, ""
        reading = self._mender.mend(
            "\n".join(self._coded[index : index + found.lines]),
            among_rows=self._is_among_rows(index, found.lines),
            is_cut=self.is_cut and index + found.lines == len(self._lines),
        )
        if reading is None:
            return self._as_it_is(found, row, code)
        if row is None or reading.cells != self._decoded(row):
            message = self._mender.message(reading)
            self.repairs.append(Repair(self._first_line + index, found.lines, reading.code, message))
            self.careful.add(index)
        return reading.cells, ""

    def _is_in_doubt(self, index: int, found: Found, row: list[str]) -> bool:
        if self._hides_a_shift(found, row):
            return True
        return found.lines == 1 and self._is_doubtful(index, row)

    def _hides_a_shift(self, found: Found, row: list[str]) -> bool:
        """Has the record blank cells too many, where others have not, and cells in the wrong places?"""
        width = len(self._habits.columns)
        if len(found.cells or ()) <= width or self._habits.has_surplus:
            return False
        cells = self._decoded(row)
        return bool(self._habits.misfits(cells)) or self._habits.is_shifted(cells, width)

    def _is_doubtful(self, index: int, row: list[str]) -> bool:
        """May a line that reads as a row be broken all the same? A single cell may just be dirty."""
        line, quote = self._lines[index], self._grammar.quotechar
        wrong = self._misfits(row)
        return (
            len(wrong) > 1
            or (len(wrong) == 1 and (line[:1] == "#" or not _QUOTES.isdisjoint(wrong[0])))
            or (bool(quote) and any(quote in cell for cell in row) and not self._is_sound(index))
            or self._is_padded(row)
            or line == self._habits.header
        )

    def _is_sound(self, index: int) -> bool:
        """Has every quote of the line a meaning?"""
        line = self._coded[index]
        return self._grammar.stands_alone(line) or self._mender.is_sound(line)

    def _misfits(self, row: list[str]) -> list[str]:
        return self._habits.misfits(self._decoded(row))

    def _decoded(self, row: list[str]) -> list[str]:
        return self._coding.decode_rows([row])[0]

    def _is_padded(self, row: list[str]) -> bool:
        """Is there a space behind every delimiter, numbers and dates included?"""
        return row != unspaced(row) and any(
            cell[:1] == " " and column.is_typed and column.kind != "word"
            for cell, column in zip(row, self._habits.columns, strict=True)
        )

    def _as_it_is(self, found: Found, row: list[str] | None, code: str) -> tuple[list[str] | None, str]:
        """A record that can't be repaired: one without its surplus blank cells may be another one's cells."""
        if row is not None and self._hides_a_shift(found, row):
            return None, "too_many_cells"
        return row, code

    def _is_no_row(self, index: int, row: list[str] | None) -> bool:
        """The header again, a comment, nothing but delimiters: left out, the first two by a note."""
        line, code = self._lines[index], ""
        if line == self._habits.header:
            code = "repeated_header"
        elif line[:1] == "#" and not self._habits.has_hashes:
            code = "comment"
        elif row is not None or self._without_pairs(line).strip(f"{_DELIMITERS}\r\n"):
            return False
        if code:
            self.repairs.append(Repair(self._first_line + index, 1, code, left_out(code)))
        return True

    def _without_pairs(self, line: str) -> str:
        """The line without its blank cells in quotes; a quote by itself is not blank."""
        return line.replace(self._grammar.quotechar * 2, "") if self._grammar.quotechar else line

    def _is_among_rows(self, index: int, count: int) -> bool:
        """Are the lines before and after it rows by themselves? Else it may be a part of a torn record."""
        around = [*self._coded[max(0, index - 1) : index], *self._coded[index + count : index + count + 1]]
        return all(self._grammar.stands_alone(line) or self._grammar.is_blank(line) for line in around)
