"""The images that cells of a shop's file name."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SEPARATOR = re.compile(r"\s*\|\s*|[\r\n]+|\s*,\s*(?=https?://|/)", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


def addresses(cells: Sequence[str]) -> list[str]:
    """The addresses of images in cells that may have several each."""
    return [piece for cell in cells for piece in _SEPARATOR.split(cell) if _ADDRESS.fullmatch(piece)]


def file_names(cells: Sequence[str]) -> list[str]:
    """What such cells have that is no address: the names of files on the shop's own disk."""
    pieces = [piece for cell in cells for piece in _SEPARATOR.split(cell) if piece]
    return list(dict.fromkeys(piece for piece in pieces if not _ADDRESS.fullmatch(piece)))
