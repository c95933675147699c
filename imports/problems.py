"""What is told of a record that can't be read: where, what, and how to mend it."""

import re
from dataclasses import dataclass

from imports.dialect import Dialect
from imports.encoding import short_name
from imports.recovery import MAX_CELL, Found, LineGrammar
from imports.repair import DELIMITER_NAMES

EXCERPT = 200  # characters of a bad value that are worth showing
KEPT_CELLS = 65_536  # characters of a rejected line that are worth keeping for the rejected-rows file

FOREIGN = re.compile("[\0\udc80-\udcff]")  # what surrogateescape makes of undecodable bytes, and NUL
_MESSAGES = {
    "too_few_cells": "{count} where the header has {width}. Add the missing ones; if a line break inside a "
    "cell cut the line, put that cell in quotes ({quote}).",
    "too_many_cells": "{count} where the header has {width}. Put the cell that contains a {delimiter} in "
    "quotes ({quote}), or remove the cells that are too many.",
    "two_rows": "{count} where the header has {width}, and a carriage return (CR) among them: these may be "
    "two rows. Put each on a line of its own.",
    "stray_quote": "A quote ({quote}) in {where} has no partner or has text after it. Remove it, or put the "
    "whole cell in quotes and write the quote twice ({quote}{quote}).",
    "line_break": "A line break in {where} tore this row in two. Remove it, or put that cell in quotes "
    "({quote}).",
    "encoding": "The byte {byte} in {where} is not {encoding}. Type the character again and save the file as "
    "CSV UTF-8, or choose the encoding that the file is in.",
    "nul_byte": "There is an invisible NUL byte in {where}. Delete it or export the file again.",
    "cell_too_long": f"There are more than {MAX_CELL:,} characters in {{where}}. Shorten the text.",
}
_LONE_RETURN = re.compile(r"\r(?!\n|\Z)").search
_ABOUT_A_CELL = {"stray_quote", "line_break", "encoding", "nul_byte"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that can't be read, and what to do about it."""

    line: int  # physical line number in the file, from 1
    lines: int  # physical lines it covers
    code: str  # too_few_cells too_many_cells stray_quote line_break encoding nul_byte cell_too_long
    column: int | None  # 0-based index of the cell
    value: str  # excerpt of the cell or line, safe to store and show
    message: str
    cells: list[str] | None  # as well as they can be told apart, safe to store; None if far too long


class Teller:
    """Tells of the records of one chunk."""

    def __init__(self, dialect: Dialect, grammar: LineGrammar, width: int) -> None:
        self._dialect, self._grammar, self._width = dialect, grammar, width
        self._coding = dialect.coding

    def problem(self, number: int, line: str, coded: str, found: Found, code: str) -> Problem:
        """What is wrong with a record that begins on the line of this number: its text as it stands and as
        the grammar reads it, with the line ends between its lines."""
        cells = [self._coding.decode(cell) for cell in found.cells or self._grammar.pieces(coded)]
        column = self._culprit(coded, cells, code)
        subject = cells[column] if code in _ABOUT_A_CELL and column is not None else line
        return Problem(
            line=number,
            lines=found.lines,
            code=code,
            column=column,
            value=_excerpt(subject),
            message=self._message(code, column, len(cells), line),
            cells=[_printable(cell) for cell in cells] if len(line) <= KEPT_CELLS else None,
        )

    def _culprit(self, line: str, cells: list[str], code: str) -> int | None:
        """0-based index of the cell to look at; for a wrong width, of the first one missing or too many."""
        match code:
            case "too_few_cells":
                return len(cells)
            case "too_many_cells":
                return self._width
            case "stray_quote":
                return self._grammar.misquoted(line)
            case "line_break":  # in the last cell, or in the first one, of which a piece stands on a line
                return self._width - 1 if self._grammar.is_row(line.split(self._dialect.line_end)[0]) else 0
            case "cell_too_long":
                return next((i for i, cell in enumerate(cells) if len(cell) > MAX_CELL), None)
            case _:
                return next((i for i, cell in enumerate(cells) if FOREIGN.search(cell)), None)

    def _message(self, code: str, column: int | None, count: int, line: str) -> str:
        bad = FOREIGN.search(line)
        if code == "too_many_cells" and _LONE_RETURN(line):
            code = "two_rows"
        return _MESSAGES[code].format(
            count="1 cell" if count == 1 else f"{count} cells",
            width=self._width,
            where="this line" if column is None else f"cell {column + 1}",
            delimiter=DELIMITER_NAMES.get(self._dialect.delimiter, "delimiter"),
            quote=self._dialect.quotechar or '"',
            byte=f"0x{_byte(bad):02X}" if bad else "",
            encoding=short_name(self._dialect.encoding),
        )


def _printable(text: str) -> str:
    r"""NULs and undecodable bytes written out as \x00 and the like; PostgreSQL stores neither."""
    return FOREIGN.sub(lambda found: f"\\x{_byte(found):02x}", text)


def _excerpt(text: str) -> str:
    text = _printable(text[: EXCERPT + 1])
    return text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"


def _byte(foreign: re.Match[str]) -> int:
    """The byte that surrogateescape turned into this character (or NUL)."""
    return ord(foreign[0]) & 0xFF
