"""What the text of a cell says about whether its file was split rightly, and what its column holds."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

_TIME = r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?[AaPp]\.?[Mm]\.?)?"
_DATE = r"(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d\d))"
_UNIT = r"(?:[$€£¥%]|[A-Z]{3}|kg|g|mg|cm|mm|m|ml|l|cl)"
_NUMBER = r"(?:\d{1,3}(?:[ '’\u00a0.,]\d{3})+|\d+)(?:[.,]\d+)?|[.,]\d+"
_TYPED = re.compile(
    rf"""{_DATE}(?:[T\ ,]+{_TIME}(?:Z|[+-]\d\d:?\d\d)?)?
    | {_TIME}
    | [-+]?(?:[A-Z]{{3}}\s|[$€£¥]\s?)?[-+]?(?:{_NUMBER})(?:[eE][-+]?\d+)?(?:\s?{_UNIT})?
    | (?:https?://|www\.)[^\s,;|"<>]+
    | [^@\s,;|"<>]+@[^@\s,;|"<>]+\.\w+
    | (?i:true|false)""",
    re.VERBOSE,
).fullmatch
# A separator between two characters of one "cell", or a quote at its start: it was split by the wrong rules.
_ODD = re.compile(r"\A[\"'\s]|\S[;|\t]\S|\S\t|\D,\S|\S,\D(?<!\s)").search
_NOTHING = re.compile(
    r"(?i)[-–—?.]+|n\.?/?a\.?|nan|null|none|nil|tbd|unknown|\(?(?:blank|empty)\)?"
).fullmatch
_SIGNS = (",", ";", "\t", "|")
_MOSTLY = 0.8
_SHORT = 64  # characters; longer cells are not worth remembering


def is_typed(cell: str) -> bool:
    """Is it a number, price, date, time, address or truth value? Text may be anything, these are not."""
    return _mark(cell) == 1.0


def quality(cells: Iterable[str]) -> float:
    """How much these cells look like cells, from 0 to 1; blank ones say nothing."""
    marks = [_mark(cell) for cell in cells if cell.strip()]
    return sum(marks) / len(marks) if marks else 0.1


def _mark(cell: str) -> float:
    return _short_mark(cell) if len(cell) < _SHORT else _any_mark(cell)


def _any_mark(cell: str) -> float:
    return 1.0 if _TYPED(cell) else 0.1 if _ODD(cell) else 0.8


_short_mark = lru_cache(8192)(_any_mark)  # the same cells are looked at for each way to split their lines


def typed_columns(rows: Sequence[list[str]]) -> list[int]:
    """Indexes of the columns whose cells nearly all are typed; a blank cell is no evidence."""
    columns = []
    for index, column in enumerate(zip(*rows, strict=True)):
        cells = [stripped for cell in column if (stripped := cell.strip())]
        if cells and sum(map(is_typed, cells)) >= _MOSTLY * len(cells):
            columns.append(index)
    return columns


def is_like_rows(line: str, rows: Iterable[list[str]], *, delimiter: str) -> bool:
    """Is this line, though it has not their cells, rather one of these rows with another delimiter in it?

    Either another one is in it as often as theirs in them, or it begins as they do, with a date or a number.
    """
    start, counts = _shape(line), {line.count(sign) for sign in _SIGNS if sign != delimiter}
    for row in rows:
        if len(row) > 2 and len(row) - 1 in counts:
            return True
        if "9" in (shape := _shape(row[0])) and start.startswith(shape):
            return True
    return False


def begins_like(row: list[str], rows: Sequence[list[str]]) -> bool:
    """Has the first cell of this row digits in the same places as nearly all of those below it?"""
    shape = _shape(row[0])
    return "9" in shape and sum(_shape(other[0]) == shape for other in rows) >= _MOSTLY * len(rows)


def _is_nothing(cell: str) -> bool:
    """Does the cell say that there is no value?"""
    return _NOTHING(cell) is not None


def _shape(text: str) -> str:
    """What a text looks like: A-1204 and B-7 are both a-9."""
    return re.sub(r"9+", "9", re.sub(r"[^\W\d_]+", "a", re.sub(r"\d", "9", text.strip())))


def is_more_header(row: list[str], typed: list[int]) -> bool:
    """Has this row words where the rows below have numbers and dates, and no number anywhere?"""
    named = [cell for index in typed if (cell := row[index].strip())]
    is_worded = not any(_is_nothing(cell) or any(map(str.isdigit, cell)) for cell in named)
    return len(named) * 2 >= len(typed) and is_worded and not any(is_typed(cell.strip()) for cell in row)
