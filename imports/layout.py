"""Where the table stands in a file: what is above its header, the header itself, and what is below it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imports.detecting import Record, Syntax, read_records
from imports.evidence import is_typed, typed_columns
from imports.footers import footers_in

_HEADER_ROWS = 3
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
    footers = body[len(body) - footers_in(body, lines, width) :] if whole and not rest else []
    body = body[: len(body) - len(footers)]
    header = top.header or [f"Column {number}" for number in range(1, width + 1)]
    header = _without_empty_end(header, body)
    grammar = syntax.grammar(line_end, len(header))
    behind = [*footers, *(found for other in rest for found in other)]
    return Layout(
        header=header,
        header_index=top.header_index,
        first_index=top.first_index,
        end_index=behind[0].start if behind else None,
        rows=[row for found in body if not found.is_blank and (row := grammar.fit(found.cells or []))],
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
        self._lines, self._width = lines, width
        self._coding, self._grammar = syntax.coding, syntax.grammar(line_end, width)
        fitting = [i for i, found in enumerate(table) if _fits(found, width)]
        # A title above the header: spreadsheets fill its line up with delimiters.
        while len(fitting) > 1 and _is_title(*(table[i].cells or [] for i in fitting[:2])):
            del fitting[0]
        full = next((i for i, found in enumerate(table) if not found.is_blank), 0)
        if has_header:
            self.rows_before, count, self.header = full, 1, self._to_width(self._pieces(table[full]))
        elif has_header is False:
            self.rows_before, count, self.header = fitting[0] if fitting else full, 0, []
        elif fitting:
            self.rows_before, count, self.header = self._choose(table, fitting[0])
        else:
            self.rows_before, count, self.header = full, 1, self._pieces(table[full])
        self.rows_from = self.rows_before + count
        start = table[self.rows_before]
        last = table[self.rows_from - 1] if count else None
        self.first_index = last.start + last.lines if last else start.start
        self.header_index = start.start

    def _choose(self, table: list[Record], first: int) -> tuple[int, int, list[str]]:
        """(records before the header, records that it has, its cells) given the first one that fits."""
        fitting = [(found.cells or [])[: self._width] for found in table[first:] if _fits(found, self._width)]
        below = fitting[_HEADER_ROWS:] if len(fitting) > 2 * _HEADER_ROWS else fitting[1:] or fitting
        typed = typed_columns(below[:_TYPING_ROWS])
        is_data = bool(typed) and _typed_share(fitting[0], typed) >= 0.5
        above = table[first - 1] if first else None
        if above and (is_data or not typed) and self._is_broken_header(above, typed):
            return first - 1, 1, self._to_width(self._pieces(above))
        if is_data:
            return first, 0, []
        count = 1
        while count < min(_HEADER_ROWS, len(fitting) - 1) and typed:
            following = table[first + count]
            if not _fits(following, self._width) or not _is_more_header(following.cells or [], typed):
                break
            count += 1
        parts = zip(
            *[cells for found in table[first : first + count] if (cells := self._row(found))], strict=True
        )
        return (
            first,
            count,
            [" ".join(dict.fromkeys(filter(None, map(str.strip, column)))) for column in parts],
        )

    def _row(self, found: Record) -> list[str] | None:
        return self._grammar.fit(found.cells or [])

    def _is_broken_header(self, found: Record, typed: list[int]) -> bool:
        """Is this line of another width, right above the first row, the header with a delimiter astray?"""
        pieces = self._pieces(found)
        close = len(pieces) * 2 > self._width if typed else len(pieces) >= self._width - 1
        return len(pieces) > 1 and close and not found.is_blank and not any(map(is_typed, pieces))

    def _pieces(self, found: Record) -> list[str]:
        """The cells of a record; one with a stray quote is split as it stands."""
        if found.cells is not None:
            return [cell.strip() for cell in found.cells]
        pieces = self._grammar.pieces(self._coding.encode(self._lines[found.start]))
        return [self._coding.decode(piece).strip(f"{self._grammar.quotechar} ") for piece in pieces]

    def _to_width(self, header: list[str]) -> list[str]:
        """Columns that got no name are unnamed; blank names that are too many were never meant."""
        for index in reversed(range(len(header))):
            if len(header) > self._width and not header[index]:
                del header[index]
        return header + [""] * (self._width - len(header))


def _fits(found: Record, width: int) -> bool:
    cells = found.cells
    if cells is None or len(cells) < width or found.is_blank:
        return False
    return not any(map(str.strip, cells[width:]))


def _is_title(row: list[str], following: list[str]) -> bool:
    """Does one cell stand alone in a row above one that names most columns?"""
    named = [cell for cell in following if cell.strip()]
    alone = sum(bool(cell.strip()) for cell in row) == 1
    return alone and len(named) > max(2, len(following) / 2) and not any(is_typed(cell) for cell in named)


def _typed_share(row: list[str], typed: list[int]) -> float:
    cells = [cell for index in typed if (cell := row[index].strip())]
    return sum(map(is_typed, cells)) / len(cells) if cells else 0.0


def _is_more_header(row: list[str], typed: list[int]) -> bool:
    """Has this row words where the rows below have numbers and dates, and no number anywhere?"""
    named = sum(bool(row[index].strip()) for index in typed)
    return named * 2 >= len(typed) and not any(is_typed(cell.strip()) for cell in row)


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
    """The header without its trailing delimiters, unless a cell with something in it stands below them."""
    named = len(header)
    while named > 1 and not header[named - 1]:
        named -= 1
    return (
        header
        if any(any(map(str.strip, (found.cells or [])[named:])) for found in records)
        else header[:named]
    )


def _aside(records: list[Record], lines: Sequence[str], kind: str = "") -> Aside:
    """What stands beside the table; above it, only what has rows of its own is called a table."""
    full = [found for found in records if not found.is_blank]
    if not kind:
        kind = "table" if len(full) > 2 and _modal(full) > 1 else "preamble"
    first, last = full[0], full[-1]
    text = lines[first.start].strip()[:_EXCERPT]
    return Aside(kind, first.start + 1, last.start + last.lines - first.start, text)
