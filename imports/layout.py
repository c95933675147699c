"""Where the table stands in a file: what is above its header, the header itself, and what is below it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from imports.detecting import Record, Syntax, read_records
from imports.footers import footers_in
from imports.heading import Heading, fits
from imports.parting import modal_width, tables_in

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
    above, tables = _parts(lines, syntax, line_end, width, start=max(0, (header_line or 0) - 1))
    at = 0 if header_line else _largest(tables, width)
    table, rest = tables[at], tables[at + 1 :]
    top = Heading(table, lines, syntax, line_end, width, None if header_line is None else header_line > 0)
    below_header = table[top.rows_from :]
    footers = footers_in(below_header, lines, width, syntax.delimiter) if whole and not rest else 0
    body = below_header[: len(below_header) - footers]
    behind = [[found] for found in below_header[len(body) :]]
    header = top.header or [f"Column {number}" for number in range(1, width + 1)]
    header = _without_empty_end(header, body)
    grammar = syntax.grammar(line_end, len(header))
    full = [found for found in body if not found.is_blank]
    return Layout(
        header=header,
        header_index=top.header_index,
        first_index=top.first_index,
        end_index=next((records[0].start for records in (*behind, *rest)), None),
        rows=[row for found in full if (row := grammar.fit(found.cells or []))],
        exact=[found.cells for found in full if found.cells and len(found.cells) == len(header)],
        has_data=bool(full),
        asides=[
            *_asides([above, *tables[:at], *([found] for found in table[: top.rows_before])], lines),
            *_asides(behind, lines, "footer"),
            *_asides(rest, lines, "table"),
        ],
    )


def _parts(
    lines: Sequence[str], syntax: Syntax, line_end: str, width: int, *, start: int
) -> tuple[list[Record], list[list[Record]]]:
    """The records above the line of index `start`, and the tables from there on."""
    above = list(read_records(lines[:start], syntax, line_end, width))
    below = read_records(lines[start:], syntax, line_end, width)
    return above, tables_in([found._replace(start=start + found.start) for found in below])


def _largest(tables: list[list[Record]], width: int) -> int:
    """Index of the first of those tables that have most rows."""
    sizes = [sum(fits(found, width) for found in table) for table in tables]
    return sizes.index(max(sizes))


def _without_empty_end(header: list[str], records: list[Record]) -> list[str]:
    """The header without those of its trailing delimiters that have nothing below them."""
    used = 1
    for cells in (header, *(found.cells or [] for found in records)):
        while used < min(len(cells), len(header)) and any(map(str.strip, cells[used:])):
            used += 1
    return header[:used]


def _asides(parts: Iterable[list[Record]], lines: Sequence[str], kind: str = "") -> Iterator[Aside]:
    """What stands beside the table; above it, only what has rows of its own is called a table."""
    for records in parts:
        if full := [found for found in records if not found.is_blank]:
            named = kind or ("table" if len(full) > 2 and modal_width(full) > 1 else "preamble")
            first, last = full[0], full[-1]
            text = lines[first.start].strip()[:_EXCERPT]
            yield Aside(named, first.start + 1, last.start + last.lines - first.start, text)
