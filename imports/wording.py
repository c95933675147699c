"""How values and times are told to people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shop.models import Category, Product

_LONGEST = 120  # characters of a value
_LABELS = {"category_id": "category", "parent_id": "variant of", "source": "feed"}
_NOTHING = "–"
_BY_NUMBER = re.compile(r"\((?:(\w+)\|)?(\w+)\)")
_FOR_UNDO = {"image_rows"}  # what only an undo needs to know


@dataclass(frozen=True, slots=True)
class Told:
    """A field that changed: its name, and what stood there before and after, short enough for a table."""

    field: str
    before: str
    after: str


def by_number(text: str, number: int) -> str:
    """`text` about so many things: of each `(one|many)` or `(many)` in it what fits.

    >>> by_number("product(s) that (was|were) taken out", 1)
    'product that was taken out'
    """
    return _BY_NUMBER.sub(lambda forms: (forms[1] or "") if number == 1 else forms[2], text)


def lasted(seconds: float | None) -> str:
    """Seconds as `12 s`, `3 min` or `2 h 5 min`; nothing for None.

    >>> lasted(7500)
    '2 h 5 min'
    """
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:g} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


class Teller:
    """Tells journaled values; categories and parents by name, which are looked up once for all of them."""

    def __init__(self, images: Iterable[Mapping[str, Any] | None]) -> None:
        """`images` are the sides of the journal that are to be told."""
        sides = [side for side in images if side]
        categories = {side["category_id"] for side in sides if side.get("category_id")}
        parents = {side["parent_id"] for side in sides if side.get("parent_id")}
        self._names: dict[str, dict[str, str]] = {
            "category_id": _named(Category, categories, "full_name"),
            "parent_id": _named(Product, parents, "sku"),
        }

    def changes(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Told]:
        """What the two sides say, field by field, in the order of their names."""
        return [
            Told(_LABELS.get(name, name), *self._both(name, before.get(name), after.get(name)))
            for name in sorted({*before, *after} - _FOR_UNDO)
        ]

    def _both(self, name: str, before: Any, after: Any) -> tuple[str, str]:
        if isinstance(before, dict) and isinstance(after, dict):
            differing = [key for key in {**before, **after} if before.get(key) != after.get(key)]
            before = {key: before[key] for key in differing if key in before}
            after = {key: after[key] for key in differing if key in after}
        return self._told(name, before), self._told(name, after)

    def _told(self, name: str, value: Any) -> str:
        if name in self._names and value:
            return self._names[name].get(str(value), "one that is gone")
        if value in (None, "", [], {}):
            return _NOTHING
        match value:
            case bool():
                return "yes" if value else "no"
            case int():
                return f"{value:,}"
            case float():  # the price
                return f"{value:,.2f}"
            case dict():
                return _short(", ".join(f"{key}: {one}" for key, one in value.items()))
            case list():
                return _short(", ".join(map(str, value)))
        return _short(str(value))


def _named(model: type[Category] | type[Product], keys: set[Any], field: str) -> dict[str, str]:
    if not keys:
        return {}
    return {str(pk): name for pk, name in model._default_manager.filter(pk__in=keys).values_list("pk", field)}


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
