"""The columns that reach beyond a product's own fields: its parent, its options, its images."""

from __future__ import annotations

import json
import re
from typing import Any

from imports.column import CellError, Column, fitting, short
from imports.json_cells import parse, parse_exactly
from imports.words import HEADERS

MAX_OPTIONS = 20  # of a variant
MAX_IMAGES = 250  # of a product; no shop shows more
MAX_ADDRESS = 1000  # characters
MAX_STORED_DEPTH = 1000  # of options that were not imported

_PAIR_ENDS = re.compile(r"\s*[|\n]\s*")
# An address may hold commas, so one only separates where another address follows.
_ADDRESS_ENDS = re.compile(r"\s*[\r\n]\s*|\s+\|\s+|\s*,\s*(?=https?://)", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE).fullmatch

# The addresses that the catalogue has of a product `p`, in their order.
IMAGES = """
(SELECT coalesce(jsonb_agg(i.source_url ORDER BY i.position, i.id), '[]')
 FROM shop_productimage i WHERE i.product_id = p.id AND i.source_url <> '')
"""

# For the journal, where the addresses don't tell all: {"image_rows": [rows]} of the images that have one.
# Nothing where these have neither alternative texts nor files, and count from 0 with no upload among them.
IMAGE_ROWS = """
(SELECT CASE WHEN bool_or(i.alt <> '' OR i.file <> '' OR i.position <> i.place)
        THEN jsonb_build_object('image_rows', coalesce(jsonb_agg(jsonb_build_object(
            'id', i.id, 'source_url', i.source_url, 'file', i.file, 'alt', i.alt, 'position', i.position
        ) ORDER BY i.id) FILTER (WHERE i.source_url <> ''), '[]')) ELSE '{}' END
 FROM (SELECT i.*, row_number() OVER (ORDER BY i.position, i.id) - 1 AS place
       FROM shop_productimage i WHERE i.product_id = p.id) i)
"""

# The rows of its images that were uploaded, which the catalogue has no other way to get back.
UPLOADS = """
(SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY i.position, i.id), '[]')
 FROM shop_productimage i WHERE i.product_id = p.id AND i.source_url = '')
"""


class Parent(Column):
    """The SKU of the product that the row's is a variant of. That it exists shows when it is loaded."""

    name, label, db_type = "parent", "Parent", 'varchar(100) COLLATE "C"'
    synonyms = HEADERS["parent"]
    equal = "coalesce((SELECT above.sku FROM shop_product above WHERE above.id = p.parent_id), '') = k.parent"
    cleared = ""  # no SKU, so it stands for none

    def clean(self, text: str) -> str:
        if len(text) > 100 or not text.isprintable():
            message = f"“{short(text)}” is no SKU. Write the SKU of the product that this is a variant of."
            raise CellError("not_a_sku", message)
        return text

    def exact(self, text: str) -> str:
        return fitting(text, 100, "parent’s SKU")

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return texts if max(map(len, texts)) <= 100 and "".join(texts).isprintable() else None


class Options(Column):
    """What sets a variant apart, as a JSON object or written `Colour: red | Size: M`."""

    name, label, db_type = "options", "Options", "jsonb"
    synonyms = HEADERS["options"]
    equal = "p.options = k.options::jsonb"
    cleared = "{}"
    example = "Colour: oak | Size: M"

    def clean(self, text: str) -> str:
        pairs = _json_pairs(text) if text.startswith("{") else _written_pairs(text)
        names = {name.casefold() for name, _ in pairs}
        if len(names) < len(pairs):
            raise _no_options(f"“{short(text)}” names an option twice.")
        if len(pairs) > MAX_OPTIONS:
            raise _no_options(f"There are {len(pairs)} options, {MAX_OPTIONS} are possible.")
        return json.dumps(dict(pairs), ensure_ascii=False)

    def exact(self, text: str) -> str:
        """JSON as PostgreSQL wrote it, whatever an import would make of it."""
        try:
            parse_exactly(text, depth=MAX_STORED_DEPTH)
        except ValueError:
            raise _no_options(f"“{short(text)}” is no valid JSON.") from None
        return text


def _json_pairs(text: str) -> list[tuple[str, str]]:
    try:
        parsed = parse(text)
    except (ValueError, RecursionError):
        raise _no_options(f"“{short(text)}” is no valid JSON.") from None
    return [(_checked(name, text), _checked(_plain(value), text)) for name, value in parsed.items()]


def _plain(value: Any) -> str:
    """The text of a JSON value; none for what can't be one."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, bool | int | float) else ""


def _written_pairs(text: str) -> list[tuple[str, str]]:
    pairs = [part.partition(":") for part in _PAIR_ENDS.split(text) if part]
    return [(_checked(name, text), _checked(value, text)) for name, _, value in pairs]


def _checked(word: str, text: str) -> str:
    word = word.strip()
    if not word or len(word) > 255 or not word.isprintable():
        raise _no_options(f"“{short(text)}” is not names with values.")
    return word


def _no_options(problem: str) -> CellError:
    fix = 'Write Colour: red | Size: M, or {"Colour": "red", "Size": "M"}.'
    return CellError("not_options", f"{problem} {fix}")


class Images(Column):
    """Addresses of pictures in their order, one a line or separated by ` | ` or commas."""

    name, label, db_type = "images", "Images", "jsonb"
    synonyms = HEADERS["images"]
    equal = f"{IMAGES} = k.images::jsonb"
    cleared = "[]"
    example = "https://example.com/board.jpg | https://example.com/board-back.jpg"

    def clean(self, text: str) -> str:
        addresses = list(dict.fromkeys(filter(None, _ADDRESS_ENDS.split(text))))
        for address in addresses:
            if not _ADDRESS(address) or len(address) > MAX_ADDRESS or not address.isprintable():
                message = (
                    f"“{short(address)}” is no address of an image. Write one that begins with https:// and"
                    f" has up to {MAX_ADDRESS:,} characters; separate several by line breaks or “ | ”."
                )
                raise CellError("not_an_address", message)
        if len(addresses) > MAX_IMAGES:
            message = f"There are {len(addresses)} images; a product has up to {MAX_IMAGES}. Leave some out."
            raise CellError("too_many_images", message)
        return json.dumps(addresses, ensure_ascii=False)

    def exact(self, text: str) -> str:
        """The addresses as a JSON list: they may be doubled, and need not be addresses of the web."""
        try:
            parsed = parse_exactly(text, depth=1)
        except ValueError:
            parsed = None
        if not isinstance(parsed, list) or not all(map(_is_stored_address, parsed)):
            raise CellError("not_an_address", f"“{short(text)}” is no JSON list of addresses of images.")
        return text


def _is_stored_address(item: Any) -> bool:
    return isinstance(item, str) and 0 < len(item) <= MAX_ADDRESS
