"""Rows torn in two by a line break in a cell without quotes.

Each half is a line with too few cells, or one half is a single piece of text and the other looks like a whole
row, whose last or first cell lacks that piece. The types of the columns tell which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from imports.column_types import ColumnType, Habits
from imports.recovery import LineGrammar
from imports.sides import Sound

_AROUND = 20  # lines; a row that was cut in its first cell begins like one of them
_FEWEST_TYPED = 2  # cells that must tell that two halves are one row
_OTHER_DELIMITERS = ",;\t| "
_MAY, _MUST = 1, 2  # a whole row may, or must, have a piece of the line beside it


@dataclass(frozen=True, slots=True)
class Torn:
    """A row on two lines."""

    first: int  # index of the first one
    cells: list[str]
    at: int  # index of the cell with the line break
    is_certain: bool  # else only that these lines are no rows by themselves


class Tearing:
    """Finds the torn rows among the lines of one chunk."""

    def __init__(
        self, lines: Sequence[str], grammar: LineGrammar, habits: Habits, decode: Callable[[str], str]
    ) -> None:
        """`lines` are coded, as `grammar` reads them."""
        self._lines, self._grammar, self._habits, self._decode = lines, grammar, habits, decode
        self._sound = Sound(grammar.delimiter, grammar.quotechar)
        self._width = len(habits.columns)

    def at(self, index: int, above: list[str] | None) -> Torn | None:
        """The torn row that this line, no row by itself, is a part of.

        `above` is the row on the line above, if that is one.
        """
        if not (cells := self._cells(index)):
            return None
        below = self._cells(index + 1)
        if len(cells) + len(below) == self._width + 1 and len(below) < self._width:
            torn = self._join(index, cells, below)
            return torn if torn.is_certain else None
        if len(cells) != 1 or not cells[0].strip() or len(below) not in (0, self._width):
            return None
        return self._beside_a_row(index, cells[0], above, below)

    def _beside_a_row(self, index: int, piece: str, above: list[str] | None, below: list[str]) -> Torn | None:
        """A piece that the row above lacks at its end, or the one below at its beginning, but not either."""
        first, last = self._habits.columns[0], self._habits.columns[-1]
        up = self._lacks(last, above[-1], above[-1] + piece) if above else 0
        down = self._lacks(first, below[0], piece + below[0]) if below else 0
        if up > down and above and (up == _MUST or (below and self._is_end(index, piece))):
            return self._join(index - 1, above, [piece], is_known=up == _MUST and last.is_typed)
        if down > up and down == _MUST:
            return self._join(index, [piece], below, is_known=first.is_typed)
        return None

    @staticmethod
    def _lacks(column: ColumnType, cell: str, whole: str) -> int:
        """Must, or may, this cell of a row be a part of `whole`?"""
        if column.is_typed and not column.fits(whole):
            return 0
        return _MAY if column.fits(cell) and not (column.seldom_blank and not cell.strip()) else _MUST

    def _is_end(self, index: int, piece: str) -> bool:
        """Is it, where the row above may lack it, not rather a row by itself, cut, or a note or a heading?

        A text hardly ever tells: only by a space where no cell begins with one.
        """
        if any(piece.count(sign) >= self._width - 2 for sign in _OTHER_DELIMITERS):
            return False
        around = (*self._lines[max(0, index - _AROUND) : index], *self._lines[index + 1 : index + _AROUND])
        rows = filter(self._grammar.stands_alone, around)
        if any(line.lstrip(self._grammar.quotechar)[:1] == piece[0] for line in rows):
            return False
        last = self._habits.columns[-1]
        return last.is_typed or (piece[0] == " " and not self._habits.has_spaces and self._is_only_one)

    @cached_property
    def _is_only_one(self) -> bool:
        """Has the chunk but one line that holds no delimiter?"""
        grammar = self._grammar
        return sum(grammar.delimiter not in line and not grammar.is_blank(line) for line in self._lines) == 1

    def _join(self, first: int, left: list[str], right: list[str], *, is_known: bool = True) -> Torn:
        """The row of both halves; certain if it `is_known` to be one and every cell fits."""
        at, column = len(left) - 1, self._habits.columns[len(left) - 1]
        end = "" if column.is_typed or not (left[-1] and right[0]) else "\n"
        cells = [*left[:-1], left[-1] + end + right[0], *right[1:]]
        columns = zip(self._habits.columns, cells, strict=True)
        typed = sum(one.is_typed and bool(cell.strip()) for one, cell in columns)
        is_certain = is_known and typed >= _FEWEST_TYPED and not self._habits.misfits(cells)
        return Torn(first, cells, at, is_certain)

    def _cells(self, index: int) -> list[str]:
        """The cells of a line, decoded; none if it is blank, not there, or has a quote out of place."""
        if index >= len(self._lines) or self._grammar.is_blank(self._lines[index]):
            return []
        return list(map(self._decode, self._sound.cells(self._lines[index].rstrip("\r\n")) or []))
