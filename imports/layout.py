"""Where the table stands in a file: what is above its header, the header itself, and what is below it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from imports.detecting import DELIMITERS, Record, Syntax, read_records
from imports.evidence import begins_like, is_like_rows, is_nothing, is_typed, typed_columns
from imports.footers import footers_in
from imports.naming import to_width

_HEADER_ROWS = 3
_PROSE_WORDS = 4  # a title may well have as many words as a narrow table has columns
_BROKEN_ROWS = 3  # at the start of a table without a header
_TYPING_ROWS = 100
_EXCERPT = 200


@dataclass(frozen=True, slots=True)
class Aside:
    """Lines of the file that are no part of its table, and are left out."""

    kind: str  # preamble, table or footer
    line: int  # the first one, from 1
    lines: int
    text: str  # how it begins


@dataclass(frozen=True, slots=True)
class Layout:
    """Line indexes count from 0 in the lines that were looked at."""

    header: list[str]
    header_index: int  # the same as `first_index` where the file has no header
    first_index: int  # of the first line below the header
    end_index: int | None  # of the first line behind the table; None if there is none
    rows: list[list[str]]
    exact: list[list[str]]  # those of them that have no cell too many
    has_data: bool  # is there anything below the header?
    asides: list[Aside]


def find_table(
    lines: Sequence[str],
    syntax: Syntax,
    line_end: str,
    width: int,
    *,
    whole: bool,
    header_line: int | None = None,
) -> Layout:
    """Find the table of about `width` columns among these lines, of which one at least is not blank.

    `whole` says that the file ends with them; only then are footers looked for. `header_line` is as in
    Corrections; that line must not be blank.
    """
    start = max(0, (header_line or 0) - 1)
    above = list(read_records(lines[:start], syntax, line_end, width))
    below = read_records(lines[start:], syntax, line_end, width)
    tables = _tables([found._replace(start=start + found.start) for found in below])
    sizes = [sum(_fits(found, width) for found in table) for table in tables]
    at = 0 if header_line else sizes.index(max(sizes))
    table = tables[at]
    top = _Top(table, lines, syntax, line_end, width, None if header_line is None else header_line > 0)
    body, rest = table[top.rows_from :], tables[at + 1 :]
    footers = (
        body[len(body) - footers_in(body, lines, width, syntax.delimiter) :] if whole and not rest else []
    )
    body = body[: len(body) - len(footers)]
    header = top.header or [f"Column {number}" for number in range(1, width + 1)]
    header = _without_empty_end(header, body)
    grammar = syntax.grammar(line_end, len(header))
    rows = [row for found in body if not found.is_blank and (row := grammar.fit(found.cells or []))]
    exact = [
        found.cells
        for found in body
        if found.cells and len(found.cells) == len(header) and not found.is_blank
    ]
    behind = [*footers, *(found for other in rest for found in other)]
    return Layout(
        header=header,
        header_index=top.header_index,
        first_index=top.first_index,
        end_index=behind[0].start if behind else None,
        rows=rows,
        exact=exact,
        has_data=any(not found.is_blank for found in body),
        asides=[
            *(_aside(other, lines) for other in (above, *tables[:at]) if not all(f.is_blank for f in other)),
            *(_aside([found], lines) for found in table[: top.rows_before] if not found.is_blank),
            *(_aside([found], lines, "footer") for found in footers if not found.is_blank),
            *(_aside(other, lines, "table") for other in rest),
        ],
    )


class _Top:
    """The header of a table: which of its first records it is, and how its columns are called."""

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
        fitting = [i for i, found in enumerate(table) if _fits(found, width)]
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
        fitting = [(found.cells or [])[: self._width] for found in table[first:] if _fits(found, self._width)]
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
            if not _fits(following, self._width) or not _is_more_header(following.cells or [], typed):
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


def _fits(found: Record, width: int) -> bool:
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


def _is_more_header(row: list[str], typed: list[int]) -> bool:
    """Has this row words where the rows below have numbers and dates, and no number anywhere?"""
    named = [cell for index in typed if (cell := row[index].strip())]
    is_worded = not any(is_nothing(cell) or any(map(str.isdigit, cell)) for cell in named)
    return len(named) * 2 >= len(typed) and is_worded and not any(is_typed(cell.strip()) for cell in row)


def _tables(records: list[Record]) -> list[list[Record]]:
    """The records in tables: what is above the first one, if it stands apart, counts as one of its own."""
    tables: list[list[Record]] = [[]]
    for block in _blocks(records):
        if _starts_another(tables[-1], block):
            tables.append(block)
        else:
            tables[-1] += block
    return tables


def _blocks(records: list[Record]) -> Iterator[list[Record]]:
    """Records up to the next blank one that follows them, or to where a table of another width begins."""
    block: list[Record] = []
    for found in records:
        if block and block[-1].is_blank and not found.is_blank:
            yield from _parted(block)
            block = []
        block.append(found)
    yield from _parted(block)


def _parted(block: list[Record]) -> list[list[Record]]:
    """A block in two, where it ends with a table of another width that brings a header of its own."""
    full = [found for found in block if not found.is_blank]
    widths = [len(found.cells or ()) for found in full]
    start = len(full)
    while start and widths[start - 1] == widths[-1]:
        start -= 1
    head, tail = full[:start], full[start:]
    if len(head) < 2 or len(tail) < 3 or widths[-1] < 2 or _modal(head) == widths[-1]:
        return [block]
    if any(map(is_typed, tail[0].cells or ())) or not any(map(is_typed, tail[1].cells or ())):
        return [block]
    cut = block.index(tail[0])
    return [block[:cut], block[cut:]]


def _starts_another(table: list[Record], block: list[Record]) -> bool:
    """Is this block, set off by a blank line or its width, another table than the one above it?"""
    rows = [found for found in block if not found.is_blank]
    if len(rows) < 2 or (own := _modal(rows)) < 2:
        return False
    table = table[:_TYPING_ROWS]  # more would make many small blocks slow
    width = _modal(table)
    if not width:
        return False
    if own != width:
        return sum(len(found.cells or ()) == own for found in rows) >= 0.8 * len(rows)
    above = [found.cells for found in table if found.cells and len(found.cells) == width]
    first = rows[0].cells or []
    if len(first) != width:
        return False
    typed = typed_columns(above[1:] or above)
    return first == above[0] or (len(typed) > 1 and _is_more_header(first, typed))


def _modal(records: list[Record]) -> int:
    """The number of cells that most of these records have; 0 where all are blank."""
    widths = Counter(len(found.cells or ()) for found in records if not found.is_blank)
    return widths.most_common(1)[0][0] if widths else 0


def _without_empty_end(header: list[str], records: list[Record]) -> list[str]:
    """The header without those of its trailing delimiters that have nothing below them."""
    used = 1
    for cells in (header, *(found.cells or [] for found in records)):
        while used < min(len(cells), len(header)) and any(map(str.strip, cells[used:])):
            used += 1
    return header[:used]


def _aside(records: list[Record], lines: Sequence[str], kind: str = "") -> Aside:
    """What stands beside the table; above it, only what has rows of its own is called a table."""
    full = [found for found in records if not found.is_blank]
    if not kind:
        kind = "table" if len(full) > 2 and _modal(full) > 1 else "preamble"
    first, last = full[0], full[-1]
    text = lines[first.start].strip()[:_EXCERPT]
    return Aside(kind, first.start + 1, last.start + last.lines - first.start, text)
