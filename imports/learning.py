"""Telling what each column of a file holds, from the rows of its sample that read well.

A broken line is repaired only where these types leave one reading, so a type says no more than the sample
shows: the shape of dates, times, codes and numbers, the words of a small set, addresses. All else is text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from imports.column_types import ColumnType, Habits

_FEWEST = 5  # rows; fewer are no evidence for anything
_FEWEST_TO_BE_EMPTY = 20  # rows without a cell before a column is known to be always blank
_MOST_ROWS = 1_000
_MOST_WORDS = 50
_TIMES_A_WORD = 4  # how often each of a small set of words is seen, on the average
_LONGEST_WORD = 60
_MOST_SHAPES = 4
_LONGEST_SHAPE = 40  # characters
_SERIAL = 6  # digits; a whole number with always so many is a code
_COMPARED = 200  # rows; enough to see how texts begin and end
_NEAR = 60  # characters at either end of a text

_BEFORE = r"(?:[$€£¥]\s?|[A-Z]{3}\s|Rs\.?\s?)"
_AFTER = r"(?:\s?(?:[$€£¥%]|[A-Za-z]{1,3}\b\.?))"
_NUMBER = {
    decimal: re.compile(
        rf"[-+]?({_BEFORE})?[-+]?(?:\d{{1,3}}(?:{group}\d{{3}})+|\d+)(?:{decimal}(\d+))?({_AFTER})?"
    ).fullmatch
    for decimal, group in ((r"\.", r"[,'’ ]"), (",", r"[.'’ ]"))
}
_GROUPS = {r"\.": r"[,'’ ]", ",": r"[.'’ ]"}
_ADDRESS = re.compile(r"((?:https?|ftp)://|www\.)[^\s\"<>]+").fullmatch
_ADDRESS_END = r"[^\s\"<>,;|]"
_EXTENSION = re.compile(r"(?<=\w)\.[A-Za-z]\w{1,4}\Z").search
_MAIL = r"[^@\s,;|\"<>]+@[^@\s,;|\"<>]+\.\w+"
_RUNS = re.compile(r"\d+|[^\W\d_]+|.", re.DOTALL)
_WITH_DIGIT = re.compile(r"\D*\d").match
_DATE = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?\b.*|\d\d?[-/.]\d\d?[-/.]\d{2,4}\b.*").fullmatch
_TIME = re.compile(r"\d\d?:\d\d(?::\d\d.*)?(?:\s?[AaPp]\.?[Mm]\.?)?").fullmatch


def learn(
    rows: Sequence[Sequence[str]],
    *,
    header: Sequence[str],
    header_line: str = "",
    delimiter: str = ",",
    has_surplus: bool = False,
    is_small: bool = False,
) -> Habits:
    """Tell the habits of a file from rows of its sample, as wide as `header`; the rest as in `Habits`."""
    rows = [row for row in rows[:_MOST_ROWS] if list(row) != list(header)]
    if len(rows) < _FEWEST:
        return Habits()
    cells = list(zip(*rows, strict=True))
    joined = re.compile(rf"{re.escape(delimiter)}\S").search
    columns = [_type_of([cell.strip() for cell in column], joined) for column in cells]
    return Habits(
        columns,
        header=header_line,
        has_hashes=any(row[0].startswith("#") for row in rows),
        has_surplus=has_surplus,
        is_small=is_small,
        has_spaces=any(sum(cell[:1] == " " for cell in column) > _odd_ones(column) for column in cells),
        blurred=_blurred(columns, cells),
    )


def _blurred(columns: Sequence[ColumnType], cells: Sequence[Sequence[str]]) -> list[int]:
    """Indexes of columns that can't be told from the next: one of the two is text and holds, where it meets
    the other, what could be a cell of that one. Where their delimiter is lost, "Model 5" may be one text."""
    found = []
    for at, (first, second) in enumerate(pairwise(columns)):
        if first.is_typed == second.is_typed:
            continue
        texts = cells[at + first.is_typed][:_COMPARED]
        if first.is_typed:
            meets = [re.match(first.pattern, text[:_NEAR].lstrip()) for text in texts]
        else:
            ending = re.compile(rf"(?:{second.pattern})\Z")
            meets = [ending.search(text[-_NEAR:].rstrip()) for text in texts]
        if sum(map(bool, meets)) > _odd_ones(texts):
            found.append(at)
    return found


def _type_of(column: list[str], joined: Callable[[str], object]) -> ColumnType:
    cells = [cell for cell in column if cell]
    blanks = len(column) - len(cells)
    blank, seldom = blanks > 0, 0 < blanks <= _odd_ones(column)
    if not cells:
        return ColumnType("empty", "(?!)") if len(column) >= _FEWEST_TO_BE_EMPTY else ColumnType("text")
    joins = sum(map(bool, map(joined, cells))) > _odd_ones(cells)
    if len(cells) >= _FEWEST:
        for tell in (_address, _mail, _number, _shaped, _words):
            if found := tell(cells):
                return ColumnType(*found, blank=blank, seldom_blank=seldom, joins=joins)
    return ColumnType("text", blank=blank, seldom_blank=seldom, joins=joins)


def _odd_ones(cells: Sequence[str]) -> int:
    """How many cells may contradict what the others say: the sample may be dirty itself."""
    return max(len(cells) // 50, int(len(cells) >= 2 * _FEWEST))


def _nearly_all(cells: Sequence[str], match: Callable[[str], re.Match[str] | None]) -> list[re.Match[str]]:
    """The matches of all cells but a few odd ones, or none; given up at once where most have none."""
    found, odd = [], _odd_ones(cells)
    for cell in cells:
        if one := match(cell):
            found.append(one)
        elif odd:
            odd -= 1
        else:
            return []
    return found


def _address(cells: list[str]) -> tuple[str, str] | None:
    found = _nearly_all(cells, _ADDRESS)
    if not found:
        return None
    # Only beginnings that were seen: "www." would else be found within "https://www." as well. And only the
    # ending, if all have the same, so that what has grown together with it is no address.
    begins = "|".join(sorted({re.escape(match[1]) for match in found}))
    endings = {_ending_of(match[0]) for match in found}
    ending = endings.pop() if len(endings) == 1 else ""
    return "url", rf"(?:{begins})[^\s\"<>]*{ending or _ADDRESS_END}"


def _ending_of(address: str) -> str:
    """Pattern of what an address ends with: .html and the like, a digit, or nothing special."""
    if extension := _EXTENSION(address):
        return re.escape(extension[0])
    return r"\d" if address[-1].isdecimal() else ""


def _mail(cells: list[str]) -> tuple[str, str] | None:
    return ("email", _MAIL) if _nearly_all(cells, re.compile(_MAIL).fullmatch) else None


def _number(cells: list[str]) -> tuple[str, str] | None:
    """Whole and decimal numbers, with the signs, units and decimals that were seen."""
    read = {decimal: _nearly_all(cells, match) for decimal, match in _NUMBER.items()}
    decimal, found = max(read.items(), key=lambda item: len(item[1]))  # with a point, where both can be
    if not found:
        return None
    if all(number[0].lstrip("+-").isdecimal() for number in found):
        return _whole([number[0] for number in found])
    places = sorted(len(number[2] or "") for number in found)
    places = places[_odd_ones(cells) :]  # a few with fewer may be pieces of torn cells
    few, many = min(filter(None, places), default=0), places[-1]
    fraction = f"(?:{decimal}\\d{{{few},{many}}}){'' if min(places) else '?'}" if many else ""
    whole = rf"(?:\d{{1,3}}(?:{_GROUPS[decimal]}\d{{3}})+|\d+)"
    before, after = _affixes(number[1] for number in found), _affixes(number[3] for number in found)
    return "decimal", f"[-+]?{before}[-+]?{whole}{fraction}{after}"


def _whole(cells: list[str]) -> tuple[str, str]:
    lengths = set(map(len, cells))
    if len(lengths) == 1 and min(lengths) >= _SERIAL:
        return "code", rf"\d{{{lengths.pop()}}}"
    return "whole", r"[-+]?\d+"


def _affixes(affixes: Iterable[str | None]) -> str:
    seen = {affix or "" for affix in affixes}
    choices = "|".join(map(re.escape, sorted(seen - {""})))
    return f"(?:{choices}){'?' if '' in seen else ''}" if choices else ""


def _shaped(cells: list[str]) -> tuple[str, str] | None:
    """Dates, times and codes: few shapes of digits, letters and marks, each with a digit in it."""
    if not _nearly_all(cells, _WITH_DIGIT):
        return None
    by_shape: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for shape, runs in map(_shape_of, cells):
        by_shape.setdefault(shape, []).append(runs)
    common = sorted(by_shape.items(), key=lambda item: -len(item[1]))[:_MOST_SHAPES]
    shapes = [(shape, runs) for shape, runs in common if len(runs) > _odd_ones(cells) and "9" in shape]
    if sum(len(runs) for _, runs in shapes) < len(cells) - _odd_ones(cells):
        return None
    first = "".join(shapes[0][1][0])
    kind = "date" if _DATE(first) else "time" if _TIME(first) else "code"
    if kind == "code" and any(shape.count(" ") > 1 for shape, _ in shapes):
        return None  # prose that happens to have numbers
    return kind, "|".join(sorted(_pattern_of(shape, runs, _odd_ones(cells)) for shape, runs in shapes))


@lru_cache(8192)  # the cells of a small set come again and again
def _shape_of(cell: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The classes of a cell's runs of digits, letters and marks, and the runs; none of a long one."""
    if len(cell) > _LONGEST_SHAPE:
        return (), ()
    runs = tuple(_RUNS.findall(cell))
    return tuple("9" if run.isdecimal() else "a" if run.isalpha() else run for run in runs), runs


def _pattern_of(shape: tuple[str, ...], cells: list[tuple[str, ...]], odd: int) -> str:
    runs = zip(shape, zip(*cells, strict=True), strict=True)
    return "".join(re.escape(kind) if kind not in ("9", "a") else _run_pattern(kind, run, odd)
                   for kind, run in runs)  # fmt: skip


def _run_pattern(kind: str, runs: Sequence[str], odd: int) -> str:
    """What one run of a shape may be: as long as all that were seen, else of any length.

    A few shorter ones may be pieces of torn cells; longer ones are more likely what numbers grow to.
    """
    lengths = Counter(map(len, runs))
    longest = max(lengths)
    if lengths[longest] == len(runs) or (longest > 2 and lengths[longest] >= len(runs) - odd):
        times = f"{{{longest}}}"
    else:
        times = "{1,2}" if longest == 2 else "+"
    if kind == "9":
        return rf"\d{times}"
    if all(run.isascii() for run in runs):
        return ("[A-Z]" if all(map(str.isupper, runs)) else "[A-Za-z]") + times
    return rf"[^\W\d_]{times}"


def _words(cells: list[str]) -> tuple[str, str] | None:
    """A small set of words that come again and again: categories, currencies, yes and no."""
    counts = Counter(cells)
    once = [word for word, count in counts.items() if count == 1]
    if len(once) <= _odd_ones(cells):  # perhaps only because that cell is broken
        counts -= Counter(once)
    if not counts or len(counts) > _MOST_WORDS or len(cells) < _TIMES_A_WORD * len(counts):
        return None
    if max(map(len, counts)) > _LONGEST_WORD:
        return None
    return "word", "|".join(re.escape(word) for word in sorted(counts))
