"""Finding the columns of a file by the headers that a profile names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from imports.columns import normalise
from imports.profiles.profile import Headers, Profile

_PLACEHOLDERS = {"{n}": r"(\d{1,3})", "{currency}": "([a-z]{3})"}
_PLACEHOLDER = re.compile(r"(\{n\}|\{currency\})")
_LANGUAGE = re.compile(r":[a-z]{2}(_[a-z]{2})?$", re.IGNORECASE)  # `name:en`


class HeaderIndex:
    """The columns of one file by name."""

    def __init__(self, header: Sequence[str]) -> None:
        self._exact: dict[str, int] = {}
        self._alike: dict[str, int] = {}
        for index, cell in enumerate(header):
            self._exact.setdefault(cell.strip().casefold(), index)
            self._alike.setdefault(normalise(_LANGUAGE.sub("", cell.strip())), index)

    def find(self, headers: Headers) -> int | None:
        """Index of the first of `headers` that the file has; the very same spelling wins."""
        for header in headers:
            if "{" in header:
                found = next((index for _, index in self.find_all(header)), None)
            else:
                found = self._exact.get(header.casefold(), self._alike.get(normalise(header)))
            if found is not None:
                return found
        return None

    def find_all(self, header: str) -> list[tuple[str, int]]:
        """(what stands for the placeholder, index) of all columns that `header` may mean, numbers in order
        and currencies in capitals; a header without a placeholder means one column at most."""
        if "{" not in header:
            index = self.find((header,))
            return [] if index is None else [("", index)]
        pattern = re.compile(
            "".join(
                _PLACEHOLDERS.get(piece, re.escape(normalise(piece))) for piece in _PLACEHOLDER.split(header)
            )
        )
        found = [
            (match[1], index) for name, index in self._alike.items() if (match := pattern.fullmatch(name))
        ]
        if "{n}" in header:
            return sorted(found, key=lambda one: int(one[0]))
        return [(code.upper(), index) for code, index in found]


def read_by(profile: Profile, header: Sequence[str]) -> set[int]:
    """Indexes of the columns that a shop's rows are put together from, besides those that are mapped."""
    if profile.structure is None:
        return set()
    index = HeaderIndex(header)
    named = [name for headers in _headers_in(profile) for name in headers]
    return {at for name in [*named, profile.prices] if name for _, at in index.find_all(name)}


def _headers_in(part: Any) -> Iterator[Headers]:
    """All headers that a part of a profile names, but those that may be mapped: of these, one is read."""
    for one in fields(part):
        value = getattr(part, one.name)
        if one.type == "Headers":
            yield value
        elif one.type == "Mapping[str, Headers]" and one.name != "mapping":
            yield from value.values()
        elif is_dataclass(value):
            yield from _headers_in(value)
