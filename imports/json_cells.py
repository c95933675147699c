"""JSON as it may stand in a cell: parsed strictly, and only what PostgreSQL can store."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

import orjson

# Nobody can have written this into a cell.
_MARK = secrets.token_hex(8)
_BETWEEN = f',"{_MARK}",'


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is out of range")
    return value


# The scanner itself: `decode` spends twice its time on looking for white space around the value.
_scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_finite
).scan_once  # type: ignore[attr-defined]


def parse(text: str) -> Any:
    """Parse stripped JSON text; raises ValueError, or RecursionError when nested too deeply."""
    try:
        value, end = _scan(text, 0)
    except StopIteration as stopped:
        raise json.JSONDecodeError("no value", text, stopped.value) from None
    if end != len(text):
        raise json.JSONDecodeError("text after the value", text, end)
    return value


def are_plain_objects(texts: list[str], *, depth: int) -> bool:
    """Whether each of the stripped texts is a JSON object, nested at most `depth` levels and without any
    \\u escape. Quicker than a look at each; False means no more than that one of them wants such a look."""
    whole = "".join(texts)
    if "\\u" in whole:
        return False
    if whole.count("{") + whole.count("[") > len(texts) and any(
        text.count("{") + text.count("[") > depth for text in texts
    ):
        return False
    try:
        parsed = orjson.loads(f"[{_BETWEEN.join(texts)}]")
    except orjson.JSONDecodeError:
        return False
    # What stands between them comes out again in its places only if each text is one value by itself.
    if len(parsed) != 2 * len(texts) - 1 or parsed[1::2].count(_MARK) < len(texts) - 1:
        return False
    return set(map(type, parsed[::2])) == {dict}


# Numbers stay text: PostgreSQL has longer ones than Python reads.
_exact = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=str, parse_int=str)


def parse_exactly(text: str, *, depth: int) -> Any:
    """Parse JSON that PostgreSQL wrote, its numbers as text; raises ValueError for what it can't store, or
    what is nested more than `depth` levels deep."""
    try:
        parsed = _exact.decode(text)
        if not storable(parsed) or is_deeper(parsed, depth):
            raise ValueError("can't be stored")
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return parsed


def storable(parsed: Any) -> bool:
    """PostgreSQL stores neither the NUL character nor half of a surrogate pair."""
    text = json.dumps(parsed, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\\u0000" not in text.replace("\\\\", "")


def is_deeper(value: Any, levels: int) -> bool:
    """Whether objects and lists are nested more than `levels` deep."""
    level = [value]
    for _ in range(levels + 1):
        inner = [item.values() if isinstance(item, dict) else item for item in level if _holds_more(item)]
        if not inner:
            return False
        level = [item for items in inner for item in items]
    return True


def _holds_more(value: Any) -> bool:
    return isinstance(value, dict | list)
