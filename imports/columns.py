"""Our columns: the names each is known by, and how a cell of it is cleaned.

Adding a column is adding one class. A cleaner takes the cell's text (never blank: `cells` says what becomes
of blank ones) and returns the text that PostgreSQL's COPY gets, or raises CellError with what to do about
it.
"""

from __future__ import annotations

import json
import unicodedata
from typing import ClassVar, cast

from imports.column import CellError as CellError
from imports.column import Column as Column
from imports.column import fitting, short
from imports.json_cells import are_plain_objects, is_deeper, parse, parse_exactly, storable
from imports.number_columns import CompareAtPrice, Price, Stock
from imports.number_columns import StockChange as StockChange
from imports.variant_columns import Images, Options, Parent
from imports.words import HEADERS, NO, YES
from shop.categories import SEPARATOR, key_of, split_path
from shop.models import MAX_PATH

MAX_CATEGORY_KEY = 900  # bytes in UTF-8; a key, or its slugs, of much more would not fit its column and index
EXTRA_COLUMNS = ("_line", "_error")  # of a rejected-rows file, ignored when it comes back mended
MAX_JSON_DEPTH = 100  # PostgreSQL and Python both run out of stack somewhere, one as an outage
# What the catalogue may have all the same, written there by other ways than an import.
MAX_STORED_KEY = 2600  # bytes; an index takes no more than 2,704
MAX_STORED_DEPTH = 1000


class Sku(Column):
    name, label, db_type, equal = "sku", "SKU", 'varchar(100) COLLATE "C"', "true"
    synonyms = HEADERS["sku"]
    example = "TM-1001"

    def clean(self, text: str) -> str:
        fitting(text, 100, "SKU")
        if not text.isprintable():
            raise CellError("control_character", "The SKU has a line break or control character; remove it.")
        return text

    def exact(self, text: str) -> str:
        if not text:
            raise CellError("missing_sku", "The SKU is missing; every row needs one. Fill it in.")
        return fitting(text, 100, "SKU")

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return texts if _are_plain(texts, 100) else None


class Name(Column):
    name, label, db_type, equal = "name", "Name", "varchar(255)", "p.name = k.name"
    synonyms = HEADERS["name"]
    needed_to_create = True
    example = "Oak cutting board"

    def clean(self, text: str) -> str:
        if not text.isprintable():
            text = " ".join(text.split())
        return fitting(text, 255, "name")

    def exact(self, text: str) -> str:
        return fitting(text, 255, "name")

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return texts if _are_plain(texts, 255) else None


class Description(Column):
    name, label, db_type = "description", "Description", "text"
    synonyms = HEADERS["description"]
    equal = "p.description = k.description"
    cleared = ""
    example = "End-grain oak, oiled by hand."

    def clean(self, text: str) -> str:
        return text

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return texts


class CategoryPath(Column):
    name, label, db_type = "category", "Category", "text"
    synonyms = HEADERS["category"]
    # Another spelling of the same path is settled when it is loaded.
    equal = "coalesce(c.full_name, '') = k.category"
    cleared = ""  # no path of a category, so it stands for none
    example = "Home > Kitchen > Boards"

    # A catalogue has few paths and many rows. Shared by all imports of a process: what they say is the same.
    _seen: ClassVar[dict[str, str]] = {}

    def clean(self, text: str) -> str:
        path = self._seen.get(text)
        if path is None:
            path = self._checked(text)
            if len(self._seen) >= 10_000:
                self._seen.clear()
            self._seen[text] = path
        return path

    @staticmethod
    def _checked(text: str) -> str:
        names = split_path(text)
        if not names:
            raise CellError("empty_category", f"“{short(text)}” names no category. Write A > B > C.")
        if any(len(name) > 120 for name in names) or len(names) > 8 or _key_size(names) > MAX_CATEGORY_KEY:
            raise CellError(
                "category_too_long",
                "Category names have up to 120 characters, paths up to 8 steps and "
                f"{MAX_CATEGORY_KEY} bytes. Shorten it.",
            )
        if not all(name.isprintable() for name in names):
            raise CellError("control_character", "The category has a control character; remove it.")
        return SEPARATOR.join(names)

    def exact(self, text: str) -> str:
        """A path as the catalogue has it: names may be spaced as people would not write them."""
        longest = max(map(len, split_path(text)), default=0)
        if longest > 120 or len(text) > MAX_PATH or len(key_of([text]).encode()) > MAX_STORED_KEY:
            raise CellError("category_too_long", "The category’s path is too long. Shorten its names.")
        return text

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return _all_known(self._seen, texts)


class _YesNo(Column):
    db_type = "boolean"
    example = "true"
    _WORDS: ClassVar[dict[str, str]] = {
        spelled: meant
        for words, meant in ((YES, "t"), (NO, "f"))
        for word in words
        for spelled in (word.upper(), word.capitalize(), word)
    }

    def clean(self, text: str) -> str:
        try:
            return self._WORDS[unicodedata.normalize("NFC", text).lower()]
        except KeyError:
            message = f"“{short(text)}” is neither true nor false. Write true or false."
            raise CellError("not_yes_or_no", message) from None

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return _all_known(self._WORDS, texts)


class Published(_YesNo):
    name, label, equal = "published", "Published", "p.published = k.published::boolean"
    synonyms = HEADERS["published"]


class Featured(_YesNo):
    name, label, equal = "featured", "Featured", "p.featured = k.featured::boolean"
    synonyms = HEADERS["featured"]
    example = "false"


class Metadata(Column):
    name, label, db_type = "metadata", "Metadata", "jsonb"
    synonyms = HEADERS["metadata"]
    equal = "p.metadata = k.metadata::jsonb"
    cleared = "{}"
    example = '{"brand": "Nordlys", "colour": "oak"}'

    def clean(self, text: str) -> str:
        try:
            parsed = parse(text)
        except (ValueError, RecursionError) as error:
            where = f" (near character {error.pos + 1})" if isinstance(error, json.JSONDecodeError) else ""
            message = f'The metadata is not valid JSON{where}. Write it like {{"colour": "blue"}}.'
            raise CellError("not_json", message) from None
        if "\\u" in text and not storable(parsed):
            message = "The metadata has a \\u escape that stands for no character; remove it."
            raise CellError("not_json", message)
        if not isinstance(parsed, dict):
            raise CellError("not_an_object", 'Metadata must be a JSON object such as {"colour": "blue"}.')
        if text.count("{") + text.count("[") > MAX_JSON_DEPTH and is_deeper(parsed, MAX_JSON_DEPTH):
            message = f"The metadata is nested more than {MAX_JSON_DEPTH} levels deep. Make it flatter."
            raise CellError("too_deep", message)
        return text

    def exact(self, text: str) -> str:
        """An object as PostgreSQL wrote it: its numbers may be longer than Python reads."""
        try:
            parsed = parse_exactly(text, depth=MAX_STORED_DEPTH)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise CellError("not_an_object", 'Metadata must be a JSON object such as {"colour": "blue"}.')
        return text

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return texts if are_plain_objects(texts, depth=MAX_JSON_DEPTH) else None


COLUMNS: tuple[type[Column], ...] = (
    Sku, Name, Description, Price, CompareAtPrice, Stock, CategoryPath, Published, Featured, Metadata,
    Parent, Options, Images,
)  # fmt: skip
BY_NAME = {column.name: column for column in COLUMNS}


def normalise(header: str) -> str:
    """Make headers comparable: case, spaces, hyphens, underscores and punctuation do not count.

    >>> normalise(" Variant_SKU "), normalise("Is featured?"), normalise("Body (HTML)")
    ('variantsku', 'isfeatured', 'bodyhtml')
    """
    return "".join(c for c in header.casefold() if c.isalnum())


def guess_mapping(header: list[str]) -> dict[str, int]:
    """Say which of the file's columns (by index) is which of ours: `{"sku": 0, "name": 3}`.

    Our own name wins over a synonym, an earlier synonym over a later one, the first of equal headers.
    """
    positions: dict[str, int] = {}
    for index, cell in enumerate(header):
        positions.setdefault(normalise(cell), index)
    for index, cell in enumerate(header):  # a header that was written twice is joined to “SKU SKU”
        positions.setdefault(normalise(" ".join(dict.fromkeys(cell.split()))), index)
    mapping: dict[str, int] = {}
    for column in COLUMNS:
        for candidate in (column.name, *column.synonyms):
            index = positions.get(normalise(candidate), -1)
            if index >= 0 and index not in mapping.values():
                mapping[column.name] = index
                break
    return mapping


def found_options(name: str, numbers: list[dict[str, str]], at: int) -> dict[str, str]:
    """How a sample of the file's column `at` says that cells of our column are read; `numbers` has what was
    detected in each of the file's columns."""
    detected = numbers[at] if at < len(numbers) else {}
    return {option: value for option, value in detected.items() if option in BY_NAME[name].options}


# Letters and digits stay, apostrophes go, \x1f separates names, all else becomes a hyphen.
_SLUG_CHARACTERS = {
    code: chr(code).lower() if chr(code).isalnum() or code == 0x1F else None if chr(code) == "'" else "-"
    for code in range(128)
}


def slugs_for(names: list[str]) -> list[str]:
    """The slugs of products' names before clashes are resolved; `product` where nothing is left of a name.

    >>> slugs_for(["Men's 5\" Crème-Brûlée torch", "?"])
    ['mens-5-creme-brulee-torch', 'product']
    """
    text = "\x1f".join(names)
    if text.count("\x1f") >= len(names) > 0:  # one of them has the separator in it
        text = "\x1f".join([name.replace("\x1f", " ") for name in names])
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slugs = text.translate(_SLUG_CHARACTERS)
    while "--" in slugs:
        slugs = slugs.replace("--", "-")
    return [slug[:120].strip("-") or "product" for slug in slugs.split("\x1f")] if names else []


def _key_size(names: tuple[str, ...]) -> int:
    return len(key_of(names).encode())


def _are_plain(texts: list[str], longest: int) -> bool:
    """Whether none of these has a control character or more than `longest` characters."""
    return max(map(len, texts)) <= longest and "".join(texts).isprintable()


def _all_known(words: dict[str, str], texts: list[str]) -> list[str] | None:
    known = list(map(words.get, texts))
    return None if None in known else cast("list[str]", known)
