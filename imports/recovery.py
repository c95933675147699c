"""Where one record ends when a line is not clean: the careful half of reading.

Everything is decided from the lines themselves, never from quote parity over a file, so that one stray
quote costs one line. The anchor is a line that *stands alone*: read by itself it is one complete row with
every quote in its place. `RUN` such lines in a row are never taken for the inside of a multi-line cell.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_CELL = 1_048_576  # characters; a longer cell is a mistake, not a product
MAX_RECORD_LINES = 2_000  # a quote still open after this many lines was never meant to be one
RUN = 3  # fewer lines that look like rows may well be prose with commas inside a cell

# The csv module's own limit is 131,072 characters for the whole process: shorter than some HTML descriptions.
csv.field_size_limit(MAX_CELL)

_EOLS = "\r\n"
# csv calls a lone \r or \n outside quotes an error. Lines with a NUL are rejected, so NUL can stand in.
_MASKS = str.maketrans({"\r": "\0", "\n": "\0"})


@dataclass(frozen=True, slots=True)
class Found:
    """One record: its cells as written (not yet fitted to the width) and how many physical lines it takes.

    `cells` is None and `code` says why where no record can be read; then `lines` is 1.
    """

    cells: list[str] | None
    lines: int = 1
    code: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """What reading on from an open quote came to: a record or None, after how many lines."""

    found: Found | None
    seen: int
    gave_up: bool = False  # for the length of the record or the end of the lines, not for what they say


class LineGrammar:
    """How a line of this delimiter, quote and width is read on its own."""

    def __init__(self, *, delimiter: str, quotechar: str, line_end: str, width: int) -> None:
        """`width` is the number of header cells; `quotechar` "" means that quotes have no meaning."""
        self.delimiter, self.quotechar, self.line_end, self.width = delimiter, quotechar, line_end, width
        self.format = csv.reader(
            (),
            delimiter=delimiter,
            quotechar=quotechar or None,
            quoting=csv.QUOTE_MINIMAL if quotechar else csv.QUOTE_NONE,
            strict=True,
        ).dialect
        self._other_eol = "\n" if line_end == "\r" else "\r"
        self._compile(re.escape(delimiter), re.escape(quotechar))

    def _compile(self, comma: str, quote: str) -> None:
        """Build the patterns for a line whose quotes are all in place, and for the cells of any line."""
        quoted = f"{quote}[^{quote}]*+(?:{quote * 2}[^{quote}]*+)*+{quote}" if quote else "(?!)"
        tidy = f"(?:{quoted}|[^{quote}{comma}]*+)"
        self._tidy_line = re.compile(f"{tidy}(?:{comma}{tidy})*+")
        self._quoted = re.compile(quoted)
        self._piece = re.compile(rf"(?:\A|{comma})((?:{quoted})(?={comma}|\Z)|[^{comma}]*+)")

    def cells(self, line: str) -> list[str]:
        """Cells of one line by itself; raises csv.Error where it is not a complete record."""
        masked = self.mask(line)
        cells = next(csv.reader((masked,), self.format))
        return cells if masked is line else self.unmask(cells)

    def mask(self, line: str) -> str:
        """The line with line-end characters inside it hidden from csv; most lines come back as is."""
        if self._other_eol not in line:
            return line
        body = line.rstrip(_EOLS)
        return body.translate(_MASKS) + line[len(body) :] if self._other_eol in body else line

    def unmask(self, cells: list[str]) -> list[str]:
        """Undo `mask` in parsed cells."""
        return [cell.replace("\0", self._other_eol) for cell in cells]

    def fit(self, cells: list[str]) -> list[str] | None:
        """Exactly `width` cells (surplus blank ones are trailing delimiters), or None if there are not."""
        if len(cells) == self.width:
            return cells
        surplus = cells[self.width :]
        return cells[: self.width] if surplus and not any(map(str.strip, surplus)) else None

    def is_blank(self, line: str) -> bool:
        """Only white space and delimiters."""
        return not line.replace(self.delimiter, "").strip()

    def is_open(self, line: str) -> bool:
        """Does a quote opened in this line stay open at its end?"""
        if not self.quotechar or self.quotechar not in line:
            return False
        try:
            self.cells(line)
        except csv.Error as error:
            return _is_open(error)
        return False

    def stands_alone(self, line: str) -> bool:
        """Is this line by itself one row of the right width, its quotes all in their places?

        The last line of a multi-line cell never is: its closing quote has no partner in the line.
        """
        if line.count(self.delimiter) < self.width - 1 or self.is_blank(line):
            return False
        if self.quotechar and self.quotechar in line and not self._tidy_line.fullmatch(line.rstrip(_EOLS)):
            return False
        return self.is_row(line)

    def is_row(self, line: str) -> bool:
        """Does this line by itself have the right width (quotes inside a cell may be plain characters)?"""
        try:
            return self.fit(self.cells(line)) is not None
        except csv.Error:
            return False

    def pieces(self, line: str) -> list[str]:
        """Cells by guess in a line that does not parse: a quote out of place is a plain character."""
        return [self._unquote(piece) for piece in self._piece.findall(line.rstrip(_EOLS))]

    def misquoted(self, line: str) -> int | None:
        """0-based index of the first cell that opens a quote and does not end with its partner."""
        raw = self._piece.findall(line.rstrip(_EOLS))
        wrong = (
            i
            for i, piece in enumerate(raw)
            if piece[:1] == self.quotechar and not self._quoted.fullmatch(piece)
        )
        return next(wrong, None)

    def _unquote(self, piece: str) -> str:
        if not self._quoted.fullmatch(piece):
            return piece
        return piece[1:-1].replace(self.quotechar * 2, self.quotechar)


class RecordFinder:
    """Finds the record that starts at a line, looking ahead no further than it must."""

    def __init__(self, lines: Sequence[str], grammar: LineGrammar) -> None:
        self._lines = lines
        self._grammar = grammar
        # A search that failed at this line went through all before it inside quotes; one that starts at any
        # of those would see the same. Remembering it keeps a file full of stray quotes linear.
        self._hopeless_before = 0
        self._gave_up = False

    def at(self, index: int) -> Found:
        """The record whose first line is `lines[index]`; codes: stray_quote, cell_too_long."""
        try:
            return Found(self._grammar.cells(self._lines[index]))
        except csv.Error as error:
            if _is_open(error):
                return self._multi_line(index) or Found(None, code="stray_quote")
            return Found(None, code="cell_too_long" if "field larger" in str(error) else "stray_quote")

    def _multi_line(self, index: int) -> Found | None:
        """The record over several lines that starts here, or None where its first line is simply broken."""
        if index < self._hopeless_before:
            return None
        search = self.close(index)
        last = index + search.seen - 1
        if search.found and self.is_record(search.found, last):
            return search.found
        self._hopeless_before = last
        return None

    def is_record(self, found: Found, last: int) -> bool:
        """May what `close` found, ending with `lines[last]`, be taken for one record?

        Not if that line rather opens a record of its own, by a cell that begins with a line break. Then the
        quote that seemed to close was an opening one, and the one that seemed to open was a stray.
        """
        return not (self._grammar.is_open(self._lines[last]) and self._starts_another(found, last))

    def _starts_another(self, found: Found, last: int) -> bool:
        """Does an open closing line make more sense as the first of the next record?"""
        grammar = self._grammar
        if grammar.fit(found.cells or []) is None:
            return True
        other = self.close(last)
        if other.found is None or grammar.fit(other.found.cells or []) is None:
            return False
        # The line after the closing one is inside that other record: if it is a row by itself, there is none.
        return not grammar.is_open(self._lines[last + other.seen - 1]) and not grammar.is_row(
            self._lines[last + 1]
        )

    def close(self, index: int) -> Search:
        """Read on from the open quote in `lines[index]` until its record ends."""
        reader = csv.reader(self._following(index), self._grammar.format)
        try:
            cells = next(reader)
        except csv.Error:
            return Search(None, reader.line_num, self._gave_up)
        seen = reader.line_num
        if self._grammar.stands_alone(self._lines[index + seen - 1]):
            return Search(None, seen)
        return Search(Found(self._grammar.unmask(cells), seen), seen)

    def _following(self, index: int) -> Iterator[str]:
        """Lines for one record, ended before `RUN` lines that stand alone or where it grows out of bounds."""
        grammar, run, size, self._gave_up = self._grammar, 0, 0, False
        for position in range(index, min(index + MAX_RECORD_LINES, len(self._lines))):
            line = self._lines[position]
            size += len(line) + 1
            if grammar.stands_alone(line):
                run += 1
            elif not grammar.is_blank(line):
                run = 0
            if run == RUN:
                return
            if size > MAX_CELL:
                break
            yield grammar.mask(line) + grammar.line_end
        self._gave_up = True


def _is_open(error: csv.Error) -> bool:
    return str(error) == "unexpected end of data"
