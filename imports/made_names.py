"""SKUs and names for what has none of its own in a shop's file: the same ones at every import."""

from __future__ import annotations

import hashlib
import re

_LONGEST_SKU, _LONGEST_NAME = 100, 255


def slug(text: str) -> str:
    """Lower-case letters and digits of any script, hyphens for all else.

    >>> slug("Dark Blue / 5½ inch")
    'dark-blue-5½-inch'
    """
    return re.sub(r"[\W_]+", "-", text.casefold()).strip("-")


def clipped(sku: str) -> str:
    """A SKU that fits; one that is too long ends in a digest of all of it."""
    return sku if len(sku) <= _LONGEST_SKU else f"{sku[: _LONGEST_SKU - 9]}-{digest(sku)}"


def digest(text: str) -> str:
    """Eight characters that stand for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def variant_name(name: str, options: dict[str, str]) -> str:
    """What a variant without a name of its own is called: its product's name and its option values."""
    if not name or not options:
        return name
    return f"{name} - {', '.join(options.values())}"[:_LONGEST_NAME]
