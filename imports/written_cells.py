"""Texts of the catalogue as cells of our own files, such that the import reads just these texts again.

Whether it does is asked of the import's own cells: a text is written as it is where they read it as it is,
else guarded, else exactly (`imports.marks`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from imports import marks
from imports.cells import Cells
from imports.columns import BY_NAME, CellError
from imports.models import ImportRun

# Line ends other than \n, and characters that people never see, get lost on the way through other programs.
_UNSAFE = re.compile("[\0-\x08\x0b-\x1f\x7f]").search
_MOST_LINES = 100
_FEW_COMMAS = 8  # in a line inside a cell; with more, it might be taken for a row by itself
_PERHAPS_MARKED = frozenset("=+-@＝＋－＠'\"#")  # the texts that begin so are looked at one by one
_SHORT_JSON = 200  # characters, too few for numbers that no float holds, and for deep nesting
# What a blank cell says. Metadata are written in any case: a row of a few cells only may be a total.
_BLANK = {"description": "", "category": "", "parent": "", "options": "{}", "images": "[]"}


class CellWriter:
    """Writes the cells of one of our columns."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._cells = Cells(BY_NAME[name](), 0, None, ImportRun().clear_token, marked=True)
        self._plain = replace(self._cells, marked=False)
        self._is_first = name == "sku"  # a line that begins with # is taken for a comment
        self._blank = _BLANK.get(name)

    def write_all(self, texts: list[str]) -> list[str]:
        """A cell for each of the texts."""
        filled = texts if self._blank is None else [text for text in texts if text != self._blank]
        if not filled:
            return [""] * len(texts)
        odd = set(filter(self._is_odd, filled))
        if not self._are_plain([text for text in filled if text not in odd] if odd else filled):
            return [self.write(text) for text in texts]
        if len(filled) < len(texts):
            odd.add(self._blank or "")
        return [self.write(text) if text in odd else text for text in texts] if odd else texts

    def write(self, text: str) -> str:
        """A cell for the text."""
        if text == self._blank:
            return ""
        fitting = (cell for cell in self._candidates(text) if self._says(cell, text))
        return next(fitting, None) or marks.exact(text)

    def _is_odd(self, text: str) -> bool:
        """Whether the text wants a look by itself; all others are plain or not, together."""
        if self._name == "metadata":
            return len(text) > _SHORT_JSON or text[0] != "{"
        return "\n" in text or text[:1] in _PERHAPS_MARKED

    def _are_plain(self, texts: list[str]) -> bool:
        """Whether all stay as they are, which most do: one look at all takes less than one at each."""
        if not texts or self._name in ("options", "images"):
            return not texts
        if self._name == "metadata":
            return True
        if not (whole := "".join(texts)).isprintable() and _UNSAFE(whole):
            return False
        bad: set[int] = set()
        return list(map(str.strip, texts)) == texts == self._plain.clean_all([texts], bad) and not bad

    def _candidates(self, text: str) -> Iterator[str]:
        if self._name == "options" and (pairs := _as_pairs(text)):
            yield marks.guarded(pairs)
        if self._name == "images" and (addresses := _as_addresses(text)):
            yield marks.guarded(addresses)
        yield marks.guarded(text)

    def _says(self, cell: str, text: str) -> bool:
        """Whether the import reads this text, and nothing on the way there mistakes the cell."""
        if not cell or cell.strip() != cell or _UNSAFE(cell) or (self._is_first and cell[0] == "#"):
            return False
        if "\n" in cell and not _is_tame(cell.split("\n")):
            return False
        try:
            return self._cells.clean(cell) == text
        except CellError:
            return False


def _is_tame(lines: list[str]) -> bool:
    """Whether no reader could take lines of a cell for rows by themselves."""
    return len(lines) <= _MOST_LINES and all(line.count(",") <= _FEW_COMMAS for line in lines)


def _as_pairs(text: str) -> str:
    """`Colour: red | Size: M`; "" for options that can't be written so."""
    options = _parsed(text)
    if not isinstance(options, dict) or not all(isinstance(value, str) for value in options.values()):
        return ""
    return " | ".join(f"{name}: {value}" for name, value in options.items())


def _as_addresses(text: str) -> str:
    addresses = _parsed(text)
    return " | ".join(addresses) if isinstance(addresses, list) else ""


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
