"""Cells of our own files that stand for a text which could not stand there as it is.

Two marks, and only our own profile's files have them:

    '=SUM(A1)          guarded: a spreadsheet would run it without the apostrophe, which import takes off
    '"  two  spaces"   exact: a JSON string, taken as it is; what people type is stripped and cleaned

A text that looks like either is guarded once more, so each cell has one meaning. `'Tis` is no mark: what
follows its apostrophes is no formula and no quote.
"""

from __future__ import annotations

import json
import re

from imports.column import CellError, short
from imports.json_cells import storable

# What spreadsheets take for the beginning of a formula; tab and line ends before one are written exactly.
_FORMULA = "=+\\-@＝＋－＠"
_LOOKS_MARKED = re.compile(f"'+[{_FORMULA}\"]|[{_FORMULA}]").match
_GUARDED = re.compile(f"'(?:'+[{_FORMULA}\"]|[{_FORMULA}])").match
_EXACT = "'\""


def guarded(text: str) -> str:
    """The text as it may stand in a cell of a spreadsheet without being run.

    >>> guarded("-20 % off"), guarded("'=1"), guarded("'Tis"), guarded("plain")
    ("'-20 % off", "''=1", "'Tis", 'plain')
    """
    return f"'{text}" if _LOOKS_MARKED(text) else text


def exact(text: str) -> str:
    r"""A cell that stands for just this text, in one line.

    >>> exact(" a\nb ")
    '\'" a\\nb "'
    """
    return f"'{json.dumps(text, ensure_ascii=False)}"


def joined(texts: list[str]) -> str:
    """The stripped cells as one text, to be looked at all at once."""
    return "\x1f".join(["", *texts])


def may_be_marked(whole: str) -> bool:
    """Whether any of the `joined` cells begins as a marked one does."""
    return "'" in whole and "\x1f'" in whole  # the apostrophe alone is found ten times as quickly


def unguarded(cell: str) -> str:
    """The text of a cell that is not exact.

    >>> unguarded("'-20 % off"), unguarded("''=1"), unguarded("'Tis")
    ('-20 % off', "'=1", "'Tis")
    """
    return cell[1:] if _GUARDED(cell) else cell


def exact_text(cell: str) -> str | None:
    """The text that an exact cell stands for; None for any other cell. Raises CellError for one that is
    broken, or stands for what PostgreSQL can't store."""
    if not cell.startswith(_EXACT):
        return None
    try:
        text = json.loads(cell[1:])
    except ValueError:
        text = None
    if not isinstance(text, str) or not storable(text):
        message = (
            f'{short(cell)} begins as an exact text does, but is none. Write \'"text", with \\" for a quote'
            " and \\n for a line break inside, or the text alone."
        )
        raise CellError("not_exact", message)
    return text
