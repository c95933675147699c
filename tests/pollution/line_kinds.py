"""Kinds of pollution in one line: for each, the file with just that line polluted, at every row and column.

Most are those of the public Pollock benchmark (Vitagliano et al.: Pollock: A Data Loading Benchmark, VLDB
2023) with one delimiter or quote too many or too few; the others are what exports and hands do besides.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.pollution.files import Polluted, encoded, records
from tests.pollution.tables import Style, Table

# Cells as text and as they are written, the column, the style → the line; None where it does not apply.
type CellKind = Callable[[list[str], list[str], int, Style], str | None]
type RowKind = Callable[[list[str], list[str], Style], str | None]


def extra_delimiter(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    return style.delimiter.join([*written[:at], "", *written[at:]])


def extra_cell(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    return style.delimiter.join([*written[: at + 1], *written[at:]]) if cells[at] else None


def missing_delimiter(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    joined = [*written[: at - 1], written[at - 1] + written[at], *written[at + 1 :]]
    return style.delimiter.join(joined) if at else None


def missing_cell(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    return style.delimiter.join([*written[:at], *written[at + 1 :]])


def other_delimiter(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    other = ";" if style.delimiter == "," else ","
    joined = [*written[: at - 1], written[at - 1] + other + written[at], *written[at + 1 :]]
    return style.delimiter.join(joined) if at else None


def unquoted_delimiter(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    fits = style.delimiter in cells[at] and "\n" not in cells[at]
    return _with(written, at, cells[at], style) if fits else None


def quote_before_cell(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    return _with(written, at, style.quote + written[at], style)


def quote_after_cell(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    return _with(written, at, written[at] + style.quote, style)


def quote_in_cell(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    return _inside(written, at, style.quote, style)


def missing_opening_quote(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    return _with(written, at, written[at][1:], style) if written[at] != cells[at] else None


def missing_closing_quote(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    return _with(written, at, written[at][:-1], style) if written[at] != cells[at] else None


def wrong_escape(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    escaped = style.quote + cells[at].replace(style.quote, "\\" + style.quote) + style.quote
    return _with(written, at, escaped, style) if style.quote in cells[at] else None


def line_break_in_cell(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    return _inside(written, at, style.line_end, style) if written[at] == cells[at] else None


def line_break_between_cells(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    return _with(written, at, style.line_end + written[at], style) if at else None


def nul_byte(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    return _inside(written, at, "\0", style)


def invalid_byte(cells: list[str], written: list[str], at: int, style: Style) -> str | None:
    return _inside(written, at, "\udcff", style)


def space_for_delimiter(cells: list[str], written: list[str], style: Style) -> str | None:
    return " ".join(written)


def tab_for_delimiter(cells: list[str], written: list[str], style: Style) -> str | None:
    return "\t".join(written)


def semicolon_or_comma_for_delimiter(cells: list[str], written: list[str], style: Style) -> str | None:
    return (";" if style.delimiter == "," else ",").join(written)


def other_quotes(cells: list[str], written: list[str], style: Style) -> str | None:
    return (
        Style(style.delimiter, "'").line(cells) if style.line(cells) != style.delimiter.join(cells) else None
    )


def row_in_quotes(cells: list[str], written: list[str], style: Style) -> str | None:
    line = style.delimiter.join(written)
    return style.quote + line.replace(style.quote, style.quote * 2) + style.quote


CELL_KINDS: tuple[CellKind, ...] = (
    extra_delimiter, extra_cell, missing_delimiter, missing_cell, other_delimiter, unquoted_delimiter,
    quote_before_cell, quote_after_cell, quote_in_cell, missing_opening_quote, missing_closing_quote,
    wrong_escape, line_break_in_cell, line_break_between_cells, nul_byte, invalid_byte,
)  # fmt: skip
ROW_KINDS: tuple[RowKind, ...] = (
    space_for_delimiter, tab_for_delimiter, semicolon_or_comma_for_delimiter, other_quotes, row_in_quotes,
)  # fmt: skip


def polluted_lines(table: Table) -> Iterator[Polluted]:
    """Every kind at every row, the header too, and column of the table where it applies."""
    lines = [table.style.line(cells) for cells in records(table)]
    for number, cells in enumerate(records(table)):
        written = table.style.cells(cells)
        for cell_kind in CELL_KINDS:
            for at in range(table.width):
                line = cell_kind(cells, written, at, table.style)
                if line is not None:
                    place = f"column {at + 1}"
                    yield _polluted(table, lines, number, line, _name(cell_kind), place, _readings(cells, at))
        for row_kind in ROW_KINDS:
            line = row_kind(cells, written, table.style)
            if line is not None:
                yield _polluted(table, lines, number, line, _name(row_kind), "", [cells])
    yield from _grown_together(table, lines)
    yield from _cut(table, lines)


def _grown_together(table: Table, lines: list[str]) -> Iterator[Polluted]:
    """Two rows on one line, for want of a line end."""
    for number in range(int(table.header is not None), len(lines) - 1):
        for sign, kind in (("", "missing line end"), ("\r", "carriage return for line end")):
            line = sign.join(lines[number : number + 2])
            yield _polluted(table, lines, number, line, kind, "", [], covers=2)


def _cut(table: Table, lines: list[str]) -> Iterator[Polluted]:
    """The last line ends anywhere, as after a broken download."""
    last, end = len(lines) - 1, table.style.line_end.encode()
    for length in range(1, len(lines[-1])):
        cut = _polluted(
            table, lines, last, lines[-1][:length], "cut last line", f"after {length}", table.rows[-1:]
        )
        yield replace(cut, data=cut.data.removesuffix(end))


def _polluted(
    table: Table,
    lines: list[str],
    number: int,
    line: str,
    kind: str,
    place: str,
    readings: list[list[str]],
    *,
    covers: int = 1,
) -> Polluted:
    """The file of these lines, but with `line` in place of record `number` (and those that it covers)."""
    first = 1 + number + "".join(lines[:number]).count("\n")
    lines = [*lines[:number], line, *lines[number + covers :]]
    row = number - int(table.header is not None)
    return Polluted(
        kind=kind,
        name=" ".join(filter(None, (kind, f"row {row + 1}", place))),
        data=encoded(lines, table.style.line_end),
        header=table.shown_header,
        rows=table.rows,
        broken=range(row, row + covers) if row >= 0 else range(0),
        lines=range(first, first + 1 + line.count("\n")),
        repairs=[[reading] for reading in readings],
        broken_header=row < 0,
    )


def _readings(cells: list[str], at: int) -> list[list[str]]:
    """What is right for a cell with a sign too many, or lost: the sign is part of it, or it is blank."""
    texts = ("", *(_between(cells[at], sign) for sign in '"\n'), f'"{cells[at]}', f'{cells[at]}"')
    return [[*cells[:at], text, *cells[at + 1 :]] for text in texts]


def _with(written: list[str], at: int, text: str, style: Style) -> str:
    return style.delimiter.join([*written[:at], text, *written[at + 1 :]])


def _inside(written: list[str], at: int, sign: str, style: Style) -> str | None:
    return _with(written, at, _between(written[at], sign), style) if len(written[at]) > 1 else None


def _between(text: str, sign: str) -> str:
    middle = (len(text) + 1) // 2
    return text[:middle] + sign + text[middle:]


def _name(kind: CellKind | RowKind) -> str:
    return kind.__name__.replace("_", " ")
