"""Which characters the fonts beside it can print, read from the fonts themselves.

A character without a glyph would be an empty box, which PDF/UA forbids: one in a customer's name must not
keep the invoice from being made.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from array import array
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("fonts")
_MISSING = "\ufffd"  # what stands for a character that no font has
_BLANKS = re.compile("[^\\S\xa0\u202f]+")  # but those that keep an amount on one line
_PLANES = 0x20000  # no font of ours has anything beyond
# Without a shape, and needed: they join or part letters, or tell the direction of what is around them.
_SHAPELESS = frozenset("\u200c\u200d\u200e\u200f\u2068\u2069")


def printable(text: str) -> str:
    """The text as the fonts can print it, on one line: what none of them has becomes �, an accent that no
    font has together with its letter is left out.

    >>> printable("Ko\\u0308ln\\n\\U000e0001 \\U00020bb7")
    'Köln \ufffd'
    """
    fonts = _fonts_of_characters()
    kept, together = [], 0  # the fonts that have all of the letter with its accents
    for one in unicodedata.normalize("NFC", _BLANKS.sub(" ", text)):
        category = unicodedata.category(one)
        having = fonts[ord(one)] if ord(one) < _PLANES else 0
        if one in _SHAPELESS:
            kept.append(one)
        elif category.startswith("M"):
            if together & having:
                kept.append(one)
                together &= having
        elif category[0] != "C":
            kept.append(one if having else _MISSING)
            together = having
    return _BLANKS.sub(" ", "".join(kept)).strip()


@cache
def _fonts_of_characters() -> array[int]:
    """For each code point the set of the fonts that have it, as bits."""
    bits = array("Q", bytes(8 * _PLANES))
    for at, path in enumerate(sorted(FOLDER.glob("*.ttf"))):
        for code in _characters(path.read_bytes()):
            if code < _PLANES:
                bits[code] |= 1 << at
    return bits


def _characters(font: bytes) -> Iterator[int]:
    """The code points that a TrueType font has glyphs for, by its best table of Unicode characters."""
    tables = struct.unpack_from(">H", font, 4)[0]
    directory = (struct.unpack_from(">4sLLL", font, 12 + 16 * at) for at in range(tables))
    start = next(offset for tag, _, offset, _ in directory if tag == b"cmap")
    count = struct.unpack_from(">H", font, start + 2)[0]
    offsets = [struct.unpack_from(">HHL", font, start + 4 + 8 * at)[2] for at in range(count)]
    by_format = {struct.unpack_from(">H", font, start + offset)[0]: start + offset for offset in offsets}
    return _groups(font, by_format[12]) if 12 in by_format else _segments(font, by_format[4])


def _groups(font: bytes, start: int) -> Iterator[int]:
    """Of a table of format 12."""
    for at in range(struct.unpack_from(">L", font, start + 12)[0]):
        first, last, glyph = struct.unpack_from(">LLL", font, start + 16 + 12 * at)
        yield from range(first if glyph else first + 1, last + 1)


def _segments(font: bytes, start: int) -> Iterator[int]:
    """Of a table of format 4: four arrays, one entry of each for a segment, then glyphs."""
    doubled = struct.unpack_from(">H", font, start + 6)[0]
    form = f">{doubled // 2}H"
    lasts, firsts, deltas, ranges = (
        struct.unpack_from(form, font, start + at)
        for at in (14, 16 + doubled, 16 + 2 * doubled, 16 + 3 * doubled)
    )
    for at, (first, last, delta, offset) in enumerate(zip(firsts, lasts, deltas, ranges, strict=True)):
        place = start + 16 + 3 * doubled + 2 * at + offset
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = struct.unpack_from(">H", font, place + 2 * (code - first))[0] if offset else code
            if glyph and (glyph + delta) & 0xFFFF:
                yield code
