"""What a field was and would become, side by side for people: only what differs, and that marked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from imports.columns import BY_NAME

_AROUND = 40  # characters of a long text that are shown on either side of what changed in it
_LONGEST = 120  # characters shown of one changed part
_LONGEST_WORD = 30  # characters; what is longer is marked in the middle of it
_SHORT = 80  # characters of a text that is shown whole
_PRICES = ("price", "compare_at_price")
_MOST_ITEMS = 8  # keys or images that changed, shown of one field


class Part(NamedTuple):
    """A piece of a value; `changed` if the other side has something else there."""

    text: str
    changed: bool


type Line = list[Part]


@dataclass(frozen=True, slots=True)
class Contrast:
    """One field before and after: lines of parts, none where it is blank; `note` tells what the two come to,
    such as `+12 %`."""

    name: str
    label: str
    before: list[Line] = field(default_factory=list)
    after: list[Line] = field(default_factory=list)
    note: str = ""


def contrast(name: str, before: Any, after: Any) -> Contrast:
    """Compare two values of one of our columns, as they come from JSON: text, number, yes or no, an object,
    a list of addresses; None and empty ones are blank."""
    label = label_of(name)
    if _is_number(before) and _is_number(after):
        return Contrast(name, label, _whole(name, before), _whole(name, after), _percent(before, after))
    if isinstance(before or after, dict):
        return Contrast(name, label, *_objects(before or {}, after or {}))
    if isinstance(before or after, list):
        return Contrast(name, label, *_lists(before or [], after or []))
    if isinstance(before, str) and isinstance(after, str) and before and after:
        return Contrast(name, label, *_texts(before, after))
    return Contrast(name, label, _whole(name, before), _whole(name, after))


def value(name: str, new: Any) -> Contrast:
    """A value that nothing was there before, of a product that would be created."""
    if isinstance(new, dict | list):
        return contrast(name, None, new)
    return Contrast(name, label_of(name), [], _whole(name, new))


def label_of(name: str) -> str:
    """What pages call one of our columns."""
    return BY_NAME[name].label if name in BY_NAME else name.replace("_", " ").capitalize()


def _is_number(one: Any) -> bool:
    return isinstance(one, int | float | Decimal) and not isinstance(one, bool)


def _spoken(name: str, one: Any) -> str:
    if isinstance(one, bool):
        return "yes" if one else "no"
    if _is_number(one):
        return f"{one:,.2f}" if name in _PRICES else f"{one:,}"
    return one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)


def _whole(name: str, one: Any) -> list[Line]:
    if one is None or one == "":
        return []
    return [[Part(_cut(_spoken(name, one)), True)]]


def _percent(before: Any, after: Any) -> str:
    """How far a number moved; nothing for one that was 0."""
    if not before:
        return ""
    percent = (Decimal(str(after)) / Decimal(str(before)) - 1) * 100
    digits = 1 if abs(percent) < 10 else 0
    return f"{percent:+,.{digits}f} %".replace("-", "−")


def _texts(before: str, after: str) -> tuple[list[Line], list[Line]]:
    """Both texts without what they begin and end with alike, up to a few words around the difference."""
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    return [_around(before, head, tail)], [_around(after, head, tail)]


def _common(one: str, other: str) -> int:
    """How many characters both begin with, up to the end of a word where one is near."""
    differing = (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    length = next(differing, min(len(one), len(other)))
    nearest = range(length, max(-1, length - _LONGEST_WORD), -1)
    return next((at for at in nearest if _is_between_words(one, other, at)), length)


def _is_between_words(one: str, other: str, at: int) -> bool:
    return (
        at == 0 or one[at - 1] == " " or (one[at : at + 1] in ("", " ") and other[at : at + 1] in ("", " "))
    )


def _around(text: str, head: int, tail: int) -> Line:
    end = len(text) - tail
    begin, middle, rest = text[:head], text[head:end], text[end:]
    if len(text) > _SHORT:
        begin = f"…{_last(begin, _AROUND)}" if len(begin) > _AROUND else begin
        rest = f"{_first_words(rest, _AROUND)}…" if len(rest) > _AROUND else rest
    return [part for part in (Part(begin, False), Part(_cut(middle), True), Part(rest, False)) if part.text]


def _cut(text: str) -> str:
    """A long text without its middle."""
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{_first_words(text, half)} … {_last(text, half)}"


def _first_words(text: str, length: int) -> str:
    """The beginning of a text, up to the end of a word where there is one."""
    return text[:length].rpartition(" ")[0] or text[:length]


def _last(text: str, length: int) -> str:
    """The end of a text, from the beginning of a word where there is one."""
    return text[-length:].partition(" ")[2] or text[-length:]


def _objects(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[list[Line], list[Line]]:
    """The keys whose values differ, each in a line of its own."""
    differing = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return _keys(before, differing), _keys(after, differing)


def _keys(one: Mapping[str, Any], differing: list[str]) -> list[Line]:
    lines = [
        [Part(f"{key}: ", False), Part(_cut(_spoken(key, one[key])), True)] for key in differing if key in one
    ]
    return _first(lines)


def _lists(before: list[Any], after: list[Any]) -> tuple[list[Line], list[Line]]:
    """The entries that only one side has; all of them where merely their order differs."""
    gone, new = [one for one in before if one not in after], [one for one in after if one not in before]
    if not gone and not new:
        gone, new = before, after
    return _first(_entries(gone)), _first(_entries(new))


def _entries(entries: list[Any]) -> list[Line]:
    return [[Part(_cut(str(entry)), True)] for entry in entries]


def _first(lines: list[Line]) -> list[Line]:
    more = len(lines) - _MOST_ITEMS
    return [*lines[:_MOST_ITEMS], [Part(f"and {more:,} more", False)]] if more > 0 else lines
