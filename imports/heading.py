"""The header of a table: which of its first records it is, and how its columns are called."""

from collections.abc import Sequence
from itertools import takewhile

from imports.detecting import DELIMITERS, Record, Syntax
from imports.evidence import begins_like, is_like_rows, is_more_header, is_typed, typed_columns
from imports.naming import to_width

_HEADER_ROWS = 3
_PROSE_WORDS = 4  # a title may well have as many words as a narrow table has columns
_BROKEN_ROWS = 3  # at the start of a table without a header
_TYPING_ROWS = 100


class Heading:
    """What was found about the top of one table.

    `header` has its names, none where there is no header. `rows_before` and `rows_from` are the indexes of
    the table's first record and of the first one below the header, `header_index` and `first_index` those of
    their lines.
    """

    def __init__(
        self,
        table: list[Record],
        lines: Sequence[str],
        syntax: Syntax,
        line_end: str,
        width: int,
        has_header: bool | None,
    ) -> None:
        """`has_header` True means that the first record is the header, None that this is to be found out."""
        self._lines, self._width, self._delimiter = lines, width, syntax.delimiter
        self._coding, self._grammar = syntax.coding, syntax.grammar(line_end, width)
        fitting = [i for i, found in enumerate(table) if fits(found, width)]
        full = next((i for i, found in enumerate(table) if not found.is_blank), 0)
        first = self._below_titles(table, fitting)
        if has_header is False:
            self.rows_before, count, self.header = fitting[0] if fitting else full, 0, []
        elif has_header:
            rows = [row for i in fitting if i > full and (row := self._row(table[i]))]
            names = self._pieces(table[full])
            self.rows_before, count, self.header = full, 1, to_width(names, rows) if rows else names
        elif first is None:
            self.rows_before, count, self.header = full, 1, self._pieces(table[full])
        else:
            self.rows_before, count, self.header = self._choose(table, first)
        self.rows_from = self.rows_before + count
        start = table[self.rows_before]
        last = table[self.rows_from - 1] if count else None
        self.first_index = last.start + last.lines if last else start.start
        self.header_index = start.start

    def _below_titles(self, table: list[Record], fitting: list[int]) -> int | None:
        """The first of the fitting records but titles, whose lines spreadsheets fill up with delimiters."""
        rows = [table[i].cells or [] for i in fitting]
        titles = next((i for i, row in enumerate(rows) if not _is_title(row)), 0)
        if titles and _is_below_title(rows[titles], apart=table[fitting[titles] - 1].is_blank):
            return fitting[titles]
        return fitting[0] if fitting else None

    def _choose(self, table: list[Record], first: int) -> tuple[int, int, list[str]]:
        """(records before the header, records that it has, its cells) given the first one that fits."""
        fitting = [(found.cells or [])[: self._width] for found in table[first:] if fits(found, self._width)]
        below = fitting[min(_HEADER_ROWS, max(1, len(fitting) // 2)) :] or fitting
        below = below[:_TYPING_ROWS]
        typed = typed_columns(below)
        is_data = _typed_share(fitting[0], typed) >= 0.5 or begins_like(fitting[0], below)
        if is_data:
            first = self._with_broken_rows(table, first, fitting)
        above = table[first - 1] if first else None
        if above and (is_data or not typed) and (names := self._broken_header(above, typed)):
            return first - 1, 1, to_width(names, below)
        if is_data:
            return first, 0, []
        count = 1
        while count < min(_HEADER_ROWS, len(fitting) - 1) and typed:
            following = table[first + count]
            if not fits(following, self._width) or not is_more_header(following.cells or [], typed):
                break
            if len(typed) < 2 or begins_like(following.cells or [], below):
                break  # one odd cell in the first row must not make it a header
            count += 1
        return first, count, _joined(list(filter(None, map(self._row, table[first : first + count]))))

    def _row(self, found: Record) -> list[str] | None:
        return self._grammar.fit(found.cells or [])

    def _broken_header(self, found: Record, typed: list[int]) -> list[str]:
        """The names in this line right above the first row, if it is the header with a delimiter astray."""
        pieces = self._pieces(found)
        if len(pieces) == 1:
            return self._split_otherwise(pieces[0])
        close = len(pieces) * 2 > self._width if typed else abs(len(pieces) - self._width) <= 1
        named = sum(map(bool, pieces)) * 2 > len(pieces)
        return pieces if close and named and not any(map(is_typed, pieces)) else []

    def _split_otherwise(self, line: str) -> list[str]:
        """The names of all columns in a line that has another delimiter; in a short one, spaces are none."""
        for sign in DELIMITERS:
            names = [name.strip().strip(f"{self._grammar.quotechar} ") for name in line.split(sign)]
            if len(names) == self._width > (_PROSE_WORDS if sign == " " else 1) and all(names):
                return [] if any(map(is_typed, names)) else names
        return []

    def _with_broken_rows(self, table: list[Record], first: int, rows: list[list[str]]) -> int:
        """Where the rows of a table without a header begin, if its first ones are broken."""
        near = takewhile(
            lambda i: not table[i].is_blank, range(first - 1, max(-1, first - 1 - _BROKEN_ROWS), -1)
        )
        return min((i for i in near if self._is_broken_row(table[i], rows)), default=first)

    def _is_broken_row(self, found: Record, rows: list[list[str]]) -> bool:
        """Is this line, above the first of the rows, one more of them, but broken?"""
        pieces = self._pieces(found)
        if sum(map(bool, pieces)) * 2 > min(len(pieces), self._width) and any(map(is_typed, pieces)):
            return True
        line = self._lines[found.start].lstrip(f"{self._grammar.quotechar} ")
        return not self._split_otherwise(line) and is_like_rows(
            line, rows[:_TYPING_ROWS], delimiter=self._delimiter
        )

    def _pieces(self, found: Record) -> list[str]:
        """The cells of a record; one with a stray quote is split as it stands, one in quotes within them."""
        if found.cells is not None and len(found.cells) != 1:
            return [cell.strip() for cell in found.cells]
        line = found.cells[0] if found.cells else self._lines[found.start]
        pieces = self._grammar.pieces(self._coding.encode(line))
        return [self._coding.decode(piece).strip(f"{self._grammar.quotechar} ") for piece in pieces]


def _joined(rows: list[list[str]]) -> list[str]:
    """One header of several rows. A name that goes over some of them counts once; a header that was written
    twice is not one with such names."""
    columns = [list(filter(None, map(str.strip, column))) for column in zip(*rows, strict=True)]
    is_repeated = all(row == rows[0] for row in rows)
    return [" ".join(names if is_repeated else dict.fromkeys(names)) for names in columns]


def fits(found: Record, width: int) -> bool:
    cells = found.cells
    if cells is None or len(cells) < width or found.is_blank:
        return False
    return not any(map(str.strip, cells[width:]))


def _is_title(row: list[str]) -> bool:
    """Has this row one cell only, or some at its beginning, and blank ones in all other columns?"""
    named = [bool(cell.strip()) for cell in row]
    return sum(named) == 1 or (sum(named) * 2 <= len(row) and all(named[: sum(named)]))


def _is_below_title(row: list[str], *, apart: bool) -> bool:
    """Does this row name most columns, as a header does, or as any row that stands apart from the title?"""
    named = [cell for cell in row if cell.strip()]
    return len(named) > max(2, len(row) / 2) and (apart or not any(map(is_typed, named)))


def _typed_share(row: list[str], typed: list[int]) -> float:
    cells = [cell for index in typed if (cell := row[index].strip())]
    return sum(map(is_typed, cells)) / len(cells) if cells else 0.0
