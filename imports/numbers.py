"""Numbers as people write them: decimal comma or point, thousands separators, currency signs and units.

`1.234` is a thousand to some and little more than one to others. So a column has a format, told from cells
that can be read in one way only (`12,5`, `1.234,56`), and a cell that contradicts it is refused. Where no
cell told, or cells disagree, each is read by itself, and one that can be read in two ways is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from imports.words import CURRENCIES_OF, PIECES

AUTO, POINT, COMMA = "auto", "point", "comma"
_SPACES = " \u00a0\u2009\u202f"
# A group of thousands never begins with a zero, and one number has one sign between all of its groups.
_NUMBER = (
    "([+-]?)([1-9][0-9]{{0,2}}(?:([{groups}])[0-9]{{3}})(?:\\3[0-9]{{3}})*|{lakhs}[0-9]*)"
    "(?:{decimal}([0-9]*))?"
)
_LAKHS = "[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}|"  # 12,34,567.89 is written in India, and with commas only
_STYLES = {
    style: re.compile(
        _NUMBER.format(groups=f"{group}'’{_SPACES}", lakhs=lakhs, decimal=re.escape(decimal))
    ).fullmatch
    for style, group, lakhs, decimal in ((POINT, ",", _LAKHS, "."), (COMMA, ".", "", ","))
}
_DIGIT = re.compile("[0-9]")
_LAST_DIGIT = re.compile("(?s).*[0-9]")
_OPEN_END = re.compile("[.,](?:--?|[–—])?")  # 12. and 12,- and 12.–
_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))  # of the direction of writing; they can't be seen
_LONGEST = 60  # characters of a cell that may be a number with its surroundings
_NEARLY_ALL = 0.9
_MINUS = ("-", "−")
_SIGNS = (*_MINUS, "+")


class Written(NamedTuple):
    """A number and what stands around it (`€`, `pcs`), each stripped and case-folded."""

    number: str
    before: str
    after: str


def split(text: str) -> Written | None:
    """Tell a number from its surroundings; None when there is no digit.

    A minus may stand in front, behind (`12,50-`), or be a pair of brackets around all of it, as in accounts.

    >>> split("- EUR 1.234,-"), split("(12.50 €)")
    (Written(number='-1.234,', before='eur', after=''), Written(number='-12.50', before='', after='€'))
    """
    text = text.translate(_MARKS).strip()
    is_bracketed = text[:1] == "(" and text[-1:] == ")"
    if is_bracketed:
        text = text[1:-1]
    first, last = _DIGIT.search(text), _LAST_DIGIT.match(text)
    if not first or not last:
        return None
    start, end = first.start(), last.end()
    if text[start - 1 : start] in (".", ",") and not text[: start - 1][-1:].isalpha():
        start -= 1  # .50, but not Rs.50
    before, after = text[:start].strip(), text[end:]
    if point := _OPEN_END.match(after):
        end, after = end + 1, after[point.end() :]
    sign, before, after = _without_sign(before, after.strip())
    if is_bracketed:
        if sign:
            return None
        sign = "-"
    return Written(sign + text[start:end], _affix(before), _affix(after))


def _without_sign(before: str, after: str) -> tuple[str, str, str]:
    """The sign that stands around a number (`-`, `+` or ""), and what else does."""
    sign = ""
    if before[:1] in _SIGNS:
        sign, before = before[0], before[1:]
    elif before[-1:] in _SIGNS:
        sign, before = before[-1], before[:-1]
    elif after[:1] in _MINUS:
        sign, after = after[0], after[1:]
    elif after[-1:] in _MINUS:
        sign, after = after[-1], after[:-1]
    return "-" if sign in _MINUS else sign, before, after


def _affix(text: str) -> str:
    return text.strip().rstrip(".").casefold()


def readings(number: str, style: str) -> list[str]:
    """The numbers that the text can be, as plain text (`-1234.56`): none, one, or with AUTO two.

    >>> readings("1.234,56", AUTO), readings("1.234", AUTO), readings("1.234", COMMA)
    (['1234.56'], ['1.234', '1234'], ['1234'])
    """
    styles = (POINT, COMMA) if style == AUTO else (style,)
    return list(dict.fromkeys(plain for one in styles if (plain := _read(number, one))))


def _read(number: str, style: str) -> str | None:
    found = _STYLES[style](number)
    if not found:
        return None
    sign, whole, group, decimals = found.groups()
    whole = whole.replace(group or ",", "")
    if not whole and not decimals:
        return None
    return f"{sign.replace('+', '')}{whole or '0'}{'.' if decimals else ''}{decimals or ''}"


def detect(cells: Iterable[str]) -> dict[str, str]:
    """Tell `format` and `currency` of a file's column from some of its cells, as far as they do tell."""
    styles: list[str] = []
    currencies: list[list[str]] = []
    for text in cells:
        written = split(text) if len(text) <= _LONGEST else None
        if written and {written.before, written.after} <= _KNOWN:
            styles += _evidence(written.number)
            currencies += filter(None, map(CURRENCIES_OF.get, (written.before, written.after)))
    found = {
        "format": _prevailing(styles, len(styles)),
        "currency": _prevailing([code for codes in currencies for code in codes], len(currencies)),
    }
    return {option: value for option, value in found.items() if value}


def _prevailing(values: list[str], cells: int) -> str:
    """What nearly all cells say, or "": a broken one must not settle how the others are read."""
    if not cells:
        return ""
    value, count = Counter(values).most_common(1)[0]
    return value if count >= _NEARLY_ALL * cells else ""


_KNOWN = {"", *PIECES, *CURRENCIES_OF}


def _evidence(number: str) -> list[str]:
    """The one style that can read the number, if the other can't."""
    able = [style for style in (POINT, COMMA) if _read(number, style)]
    return able if len(able) == 1 else []
