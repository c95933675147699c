"""Which name belongs to which column where the header line has one too few or too many.

What stands below tells: a name that speaks of dates belongs over dates. Where nothing tells, the last column
is the one without a name, or the last name is the one without a column.
"""

import re
from collections.abc import Iterator, Sequence

from imports.evidence import is_typed

_MOSTLY = 0.8
_DIGITS = re.compile(r"[^:]*\d[^:]*").fullmatch
_KINDS = {  # how cells look → words in the names of columns of them
    "time": (re.compile(r"\d{1,2}:\d\d\b.*").fullmatch, r"time|uhr|zeit|hora|heure"),
    "date": (re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b.*").fullmatch, r"date|datum|fecha|day|created"),
    "address": (re.compile(r"(?:https?://|www\.).*").fullmatch, r"url|link|href|web|image|bild"),
    "number": (
        _DIGITS,
        r"qty|quant|price|amount|stock|total|cost|count|preis|menge|anzahl|prix|precio|bestand",
    ),
}
_WORDS = {kind: re.compile(words, re.IGNORECASE).search for kind, (_, words) in _KINDS.items()}


def to_width(names: list[str], rows: Sequence[list[str]]) -> list[str]:
    """The names of a broken header line for the columns of these rows, of which there is one at least.

    A column without a name gets a blank one; of names too many, blank and doubled ones go first.
    """
    width, names = len(rows[0]), list(names)
    for index in reversed(range(len(names))):
        if len(names) > width and names[index] in ("", *names[:index][-1:]):
            del names[index]
    columns = [_kind([row[index] for row in rows]) for index in range(width)]
    return max(_choices(names, width), key=lambda choice: _agreement(choice, columns))


def _choices(names: list[str], width: int) -> Iterator[list[str]]:
    """Ways to bring the names to the width, the one for want of evidence first."""
    yield (names + [""] * width)[:width]
    for index in reversed(range(1, len(names))):
        if len(names) == width - 1:
            yield [*names[:index], "", *names[index:]]
        elif len(names) == width + 1:
            yield [*names[:index], *names[index + 1 :]]


def _agreement(names: list[str], columns: list[str]) -> int:
    return sum(_agrees(name, kind) for name, kind in zip(names, columns, strict=True))


def _agrees(name: str, kind: str) -> int:
    if kind:
        return 1 if _WORDS[kind](name) else -1
    return -1 if any(speaks(name) for speaks in _WORDS.values()) else 0


def _kind(cells: list[str]) -> str:
    """What most of the cells are; "" for text."""
    typed = [cell for text in cells if is_typed(cell := text.strip())]
    if not typed or len(typed) < _MOSTLY * sum(map(bool, cells)):
        return ""
    for kind, (looks, _) in _KINDS.items():
        if sum(bool(looks(cell)) for cell in typed) >= _MOSTLY * len(typed):
            return kind
    return ""
