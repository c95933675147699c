"""Our columns: the names each is known by, and how a cell of it is cleaned.

Adding a column is adding one class. A cleaner takes the cell's text (never blank: `cells` says what becomes of
blank ones) and returns the text that PostgreSQL's COPY gets, or raises CellError with what to do about it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import ClassVar, cast

from imports.json_cells import are_plain_objects, is_deeper, parse, storable
from shop.categories import SEPARATOR, key_of, split_path

MAX_STOCK = 2_147_483_647
MAX_PRICE = Decimal("9999999999.99")
MAX_CATEGORY_KEY = 900  # bytes in UTF-8; a key, or its slugs, of much more would not fit its column and index
MAX_JSON_DEPTH = 100  # PostgreSQL and Python both run out of stack somewhere, one as an outage
_PLAIN_INTEGER = re.compile(r"[0-9]{1,9}").fullmatch
_PLAIN_PRICE = re.compile(r"[0-9]{1,10}(\.[0-9][0-9])?").fullmatch
# Many cells in one text, each ended by a character that no number has.
_PLAIN_INTEGERS = re.compile(r"(?:[0-9]{1,9}\x1f)+")
_PLAIN_PRICES = re.compile(r"(?:[0-9]{1,10}(?:\.[0-9][0-9])?\x1f)+")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)").fullmatch


class CellError(ValueError):
    """A cell that can't be used: `code` for machines, the text for people, with the fix."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Column:
    """One of our columns. `db_type` is its type in the staging table, `equal` the SQL that tells whether
    the catalogue has the cleaned cell already (over `k`, the texts of the row, `p`, the product, and `c`, its
    category), `cleared` the cleaned cell that empties the field, None where a product can't do without."""

    name: ClassVar[str]
    label: ClassVar[str]
    db_type: ClassVar[str]
    equal: ClassVar[str]
    synonyms: ClassVar[tuple[str, ...]] = ()
    needed_to_create: ClassVar[bool] = False
    cleared: ClassVar[str | None] = None
    example: ClassVar[str] = ""

    def clean(self, text: str) -> str:
        """Return the cell as COPY text; raises CellError. `text` is stripped and not empty."""
        raise NotImplementedError

    def clean_all(self, texts: list[str]) -> list[str] | None:
        """Clean many cells at once, or None when one of them wants a closer look by `clean`.

        Only for speed: where it answers, it answers what `clean` would for each.
        """
        return None


class Sku(Column):
    name, label, db_type, equal = "sku", "SKU", 'varchar(100) COLLATE "C"', "true"
    synonyms = ("item number", "article number", "product code", "variant sku", "artikelnummer", "item sku")
    example = "TM-1001"

    def clean(self, text: str) -> str:
        if len(text) > 100:
            raise CellError("too_long", f"The SKU has {len(text):,} characters; shorten it to 100 or fewer.")
        if not text.isprintable():
            raise CellError("control_character", "The SKU has a line break or control character; remove it.")
        return text

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return texts if _are_plain(texts, 100) else None


class Name(Column):
    name, label, db_type, equal = "name", "Name", "varchar(255)", "p.name = k.name"
    synonyms = ("title", "product name", "product title", "item name", "produktname", "bezeichnung")
    needed_to_create = True
    example = "Oak cutting board"

    def clean(self, text: str) -> str:
        if not text.isprintable():
            text = " ".join(text.split())
        if len(text) > 255:
            raise CellError("too_long", f"The name has {len(text):,} characters; shorten it to 255 or fewer.")
        return text

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return texts if _are_plain(texts, 255) else None


class Description(Column):
    name, label, db_type = "description", "Description", "text"
    equal = "p.description = k.description"
    synonyms = ("body", "body html", "product description", "long description", "beschreibung")
    cleared = ""
    example = "End-grain oak, oiled by hand."

    def clean(self, text: str) -> str:
        return text

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return texts


class Price(Column):
    name, label, db_type, equal = "price", "Price", "numeric(12,2)", "p.price = k.price::numeric"
    synonyms = ("regular price", "variant price", "unit price", "product price", "preis", "amount")
    needed_to_create = True
    example = "39.90"

    def clean(self, text: str) -> str:
        if _PLAIN_PRICE(text):
            return text
        if not _NUMBER(text):
            raise CellError("not_a_price", f"“{_short(text)}” is not a plain number. {_price_hint(text)}")
        price = Decimal(text)
        if price < 0:
            raise CellError("negative_price", f"The price {_short(text)} is below zero. Write 0 or more.")
        if price > MAX_PRICE:
            raise CellError("price_too_large", f"The price is above {MAX_PRICE:,}. Check the decimal point.")
        if price != (rounded := price.quantize(Decimal("0.01"))):
            message = f"The price {_short(text)} has more than 2 decimals. Round it."
            raise CellError("too_many_decimals", message)
        return str(rounded)

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return texts if _all_match(_PLAIN_PRICES, texts) else None


class Stock(Column):
    name, label, db_type, equal = "stock", "Stock", "integer", "p.stock = k.stock::integer"
    synonyms = ("quantity", "qty", "inventory", "variant inventory qty", "stock quantity", "bestand", "menge")
    cleared = "0"
    example = "25"

    def clean(self, text: str) -> str:
        if _PLAIN_INTEGER(text):
            return text
        try:
            stock = Decimal(text) if _NUMBER(text) else None
        except InvalidOperation:
            stock = None
        if stock is None:
            raise CellError("not_a_number", f"“{_short(text)}” is not a whole number. Write digits only, 25.")
        if stock != stock.to_integral_value():
            raise CellError("not_whole", f"The stock {_short(text)} is not whole. Write a whole number.")
        if stock < 0:
            raise CellError("negative_stock", f"The stock {_short(text)} is below zero. Write 0 or more.")
        if stock > MAX_STOCK:
            raise CellError("stock_too_large", f"The stock is above {MAX_STOCK:,}. Check the number.")
        return str(int(stock))

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return texts if _all_match(_PLAIN_INTEGERS, texts) else None


class CategoryPath(Column):
    name, label, db_type = "category", "Category", "text"
    # Another spelling of the same path is settled when it is loaded.
    equal = "coalesce(c.full_name, '') = k.category"
    synonyms = ("categories", "category path", "product category", "product type", "type", "kategorie")
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
            raise CellError("empty_category", f"“{_short(text)}” names no category. Write A > B > C.")
        if any(len(name) > 120 for name in names) or len(names) > 8 or _key_size(names) > MAX_CATEGORY_KEY:
            raise CellError(
                "category_too_long",
                "Category names have up to 120 characters, paths up to 8 steps and "
                f"{MAX_CATEGORY_KEY} bytes. Shorten it.",
            )
        if not all(name.isprintable() for name in names):
            raise CellError("control_character", "The category has a control character; remove it.")
        return SEPARATOR.join(names)

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return _all_known(self._seen, texts)


class _YesNo(Column):
    db_type = "boolean"
    example = "true"
    _WORDS: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("true", "1", "yes", "y", "t", "on", "active", "published"), "t"),
        **dict.fromkeys(("false", "0", "no", "n", "f", "off", "inactive", "draft"), "f"),
    }

    def clean(self, text: str) -> str:
        try:
            return self._WORDS[text.lower()]
        except KeyError:
            message = f"“{_short(text)}” is neither true nor false. Write true or false."
            raise CellError("not_yes_or_no", message) from None

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return _all_known(self._WORDS, texts)


class Published(_YesNo):
    name, label, equal = "published", "Published", "p.published = k.published::boolean"
    synonyms = ("active", "is published", "visible", "status", "product status")


class Featured(_YesNo):
    name, label, equal = "featured", "Featured", "p.featured = k.featured::boolean"
    synonyms = ("is featured", "is featured?", "highlight")
    example = "false"


class Metadata(Column):
    name, label, db_type = "metadata", "Metadata", "jsonb"
    equal = "p.metadata = k.metadata::jsonb"
    synonyms = ("meta", "attributes", "json")
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

    def clean_all(self, texts: list[str]) -> list[str] | None:
        return texts if are_plain_objects(texts, depth=MAX_JSON_DEPTH) else None


COLUMNS: tuple[type[Column], ...] = (
    Sku, Name, Description, Price, Stock, CategoryPath, Published, Featured, Metadata,
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
    mapping: dict[str, int] = {}
    for column in COLUMNS:
        for candidate in (column.name, *column.synonyms):
            index = positions.get(normalise(candidate), -1)
            if index >= 0 and index not in mapping.values():
                mapping[column.name] = index
                break
    return mapping


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
    text = "\x1f".join([name if name.isascii() else _in_ascii(name) for name in names])
    if text.count("\x1f") >= len(names) > 0:  # one of them has the separator in it
        text = "\x1f".join([_in_ascii(name).replace("\x1f", " ") for name in names])
    slugs = text.translate(_SLUG_CHARACTERS)
    while "--" in slugs:
        slugs = slugs.replace("--", "-")
    return [slug[:120].strip("-") or "product" for slug in slugs.split("\x1f")] if names else []


def _in_ascii(name: str) -> str:
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()


def _key_size(names: tuple[str, ...]) -> int:
    return len(key_of(names).encode())


def _are_plain(texts: list[str], longest: int) -> bool:
    """Whether none of these has a control character or more than `longest` characters."""
    return max(map(len, texts)) <= longest and "".join(texts).isprintable()


def _all_match(many: re.Pattern[str], texts: list[str]) -> bool:
    """Whether each of the texts is one of the items that `many` matches a row of."""
    joined = "\x1f".join([*texts, ""])
    return joined.count("\x1f") == len(texts) and many.fullmatch(joined) is not None


def _all_known(words: dict[str, str], texts: list[str]) -> list[str] | None:
    known = list(map(words.get, texts))
    return None if None in known else cast("list[str]", known)


def _short(text: str, limit: int = 40) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"


def _price_hint(text: str) -> str:
    """What to write instead, worked out where the number can be made out."""
    digits = re.sub(r"[^\d.,-]", "", text)
    comma, point = digits.rfind(","), digits.rfind(".")
    if re.search(r"\d[eE][+-]?\d", text) or not re.search(r"\d", digits) or "-" in digits:
        return "Write digits with a point for the cents, such as 12.50."
    # The last of the two signs is the decimal one; the other groups thousands.
    digits = digits.replace(".", "").replace(",", ".") if comma > point else digits.replace(",", "")
    return f"Write {digits}." if _NUMBER(digits) else "Write digits with a point, such as 12.50."
