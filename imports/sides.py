"""The sound cells of a broken line, read from its left end and from its right end towards the fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from imports.column_types import ColumnType

_INCHES = r"(?<=\d){q}(?!\w)"
_PAIR = r"(?<![^\s(\[/-]){q}(?=\S)[^{q}]*(?<=\S){q}(?![^\s.,;:!?)\]/-])"

_APOSTROPHE = r"(?<=\w)'(?=\w|\s|\Z)"


class Sound:
    """What a cell without a fault is, by one delimiter and one quote."""

    def __init__(self, delimiter: str, quote: str) -> None:
        """`quote` "" means that quotes have no meaning."""
        self.delimiter, self.quote = delimiter, quote
        self._other_quote = {'"': "'", "'": '"'}.get(quote, "")
        comma, mark = re.escape(delimiter), re.escape(quote)
        quoted = f"{mark}[^{mark}]*+(?:{mark * 2}[^{mark}]*+)*+{mark}" if quote else "(?!)"
        self._quoted = re.compile(quoted)
        self._piece = re.compile(rf"{quoted}(?={comma}|\Z)|[^{comma}]*+")
        meanings = [_INCHES, _PAIR, *([_APOSTROPHE] if quote == "'" else [])]
        self._meant = re.compile("|".join(meanings).replace("{q}", mark) if quote else "(?!)")
        self._before = re.compile(rf"(\A|{comma})[ \t]+(?={mark})")
        self._behind = re.compile(rf"(?<={mark})[ \t]+(?={comma}|\Z)")

    def pieces(self, text: str) -> Iterator[str]:
        """The cells as written, a delimiter between each two; works on reversed text as well."""
        at = 0
        while found := self._piece.match(text, at):
            yield found[0]
            at = found.end() + 1
            if found.end() == len(text):
                return

    def cells(self, text: str) -> list[str] | None:
        """The cells of a line in which every one is sound, else None."""
        cells = []
        for piece in self.pieces(text):
            if (cell := self.cell(piece)) is None:
                return None
            cells.append(cell)
        return cells

    def cell(self, piece: str) -> str | None:
        """The cell that a piece stands for, or None if a quote in it has no meaning."""
        if not self.quote or self.quote not in piece:
            return None if self._other_quote and piece.lstrip().startswith(self._other_quote) else piece
        if self.is_quoted(piece):
            return piece[1:-1].replace(self.quote * 2, self.quote)
        return piece if piece[0] != self.quote and self.has_meaning(piece) else None

    def is_quoted(self, piece: str) -> bool:
        """Is it in quotes, with all quotes inside doubled?"""
        return self._quoted.fullmatch(piece) is not None

    def has_meaning(self, text: str) -> bool:
        """Can all quotes in a text be part of it: inches (5"), or pairs around words?"""
        return self.quote not in self._meant.sub("", text)

    def is_opened(self, piece: str) -> bool:
        """Does a quote open it that nothing closes?"""
        piece = piece.strip()
        return bool(self.quote) and piece.startswith(self.quote) and not piece[1:].endswith(self.quote)

    def without_spaces(self, text: str) -> str:
        """The line without the spaces between its delimiters and its quotes."""
        if not self.quote:
            return text
        return self._behind.sub("", self._before.sub(r"\1", text))


@dataclass(frozen=True, slots=True)
class Region:
    """What lies between sound cells: the text that one or more columns have to share."""

    text: str
    at: int  # index of the first of these columns
    columns: Sequence[ColumnType]
    ends_line: bool


class Sides:
    """A line's sound cells that fit their columns: as many as there are before the first doubtful one."""

    def __init__(
        self, text: str, sound: Sound, columns: Sequence[ColumnType], decode: Callable[[str], str]
    ) -> None:
        self._text, self._sound, self._columns, self._decode = text, sound, columns, decode
        self._left, self._left_ends = self._read(text, columns, lambda piece: piece)
        self._right, self._right_ends = self._read(text[::-1], columns[::-1], lambda piece: piece[::-1])

    def _read(
        self, text: str, columns: Sequence[ColumnType], turned: Callable[[str], str]
    ) -> tuple[list[str], list[int]]:
        """Sound cells in the order of reading, and the offset behind the delimiter after each of them."""
        cells: list[str] = []
        ends, at = [0], 0
        for piece, column in zip(self._sound.pieces(text), columns, strict=False):
            cell = self._sound.cell(turned(piece))
            if cell is None or not column.fits(self._decode(cell)):
                break
            at += len(piece) + 1
            cells.append(self._decode(cell))
            ends.append(at)
        return cells, ends

    def regions(self, count: int) -> Iterator[Region]:
        """Every place where `count` columns are left for what is between the cells of both sides."""
        both, size = len(self._columns) - count, len(self._text)
        for left in range(max(0, both - len(self._right)), min(both, len(self._left)) + 1):
            start, end = self._left_ends[left], size - self._right_ends[both - left]
            if start <= end:
                columns = self._columns[left : left + count]
                yield Region(self._text[start:end], left, columns, ends_line=end == size)

    def around(self, region: Region, cells: list[str]) -> list[str]:
        """The whole row, with these cells for a region."""
        behind = len(self._columns) - region.at - len(cells)
        return [*self._left[: region.at], *cells, *(self._right[:behind][::-1])]

    def all_cells(self) -> list[str] | None:
        """All cells, whatever their columns say, if they are sound."""
        cells = self._sound.cells(self._text)
        return cells and list(map(self._decode, cells))
