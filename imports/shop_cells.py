"""The cells of a shop's file, read as its profile says, in the terms of our own columns."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import nh3

from imports import columns
from imports.image_cells import addresses, file_names
from imports.number_columns import Price
from imports.profiles.headers import HeaderIndex
from imports.profiles.profile import Headers, OptionPairs, PackedOptions, Profile
from imports.shop_prices import ShopPrices

type Error = tuple[str, str, str, str]  # the file's column, value, code, message

# Ours, in their order, with those that only structure makes.
NAMES = tuple(dict.fromkeys([*columns.BY_NAME, "parent", "options", "images"]))
_CHECKED = ("name", "category", "published", "featured")
_BELOW_ZERO = re.compile(r"-(\d+)(?:\.0+)?")
_NO_STOCK = frozenset({"parent", "∞"})  # counted with the parent; never runs out


@dataclass(slots=True)
class Draft:
    """A row of ours in the making: its cells as text, what goes into the metadata, and its images."""

    cells: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    images: list[str] = field(default_factory=list)

    def row(self) -> list[str]:
        """One text for each of NAMES."""
        cells = {
            "metadata": json.dumps(self.kept, ensure_ascii=False) if self.kept else "",
            "images": "\n".join(dict.fromkeys(self.images)),
            **self.cells,
        }
        return [cells.get(name, "") for name in NAMES]


class ShopCells:
    """Reads the rows of one file. `columns` are those of ours that it fills, mapped or not."""

    def __init__(
        self,
        profile: Profile,
        *,
        header: Sequence[str],
        mapping: dict[str, int],
        price: Price | None = None,
        today: date,
    ) -> None:
        """`mapping` is our column → index, `price` how prices are written, `today` decides about sales."""
        self.profile, self.header, self.mapping = profile, header, mapping
        self._index = HeaderIndex(header)
        self._found: dict[Headers, list[tuple[str, int]]] = {}
        filled = {"sku", "name", "parent", "options", "images", "metadata"}
        lowered = self._columns(profile.compare_at) or (profile.sale and self._columns(profile.sale.price))
        self.columns = frozenset(filled | {"compare_at_price"} if lowered else filled)
        self.prices = ShopPrices(price or Price(), today)

    def ours(self, row: Sequence[str], name: str) -> str:
        """The stripped cell of one of our columns; "" where the file has none."""
        at = self.mapping.get(name)
        return "" if at is None else row[at].strip()

    def their(self, row: Sequence[str], headers: Headers) -> str:
        """The first filled cell among these columns of theirs; "" if there is none."""
        return next(iter(self.all_of(row, headers)), "")

    def all_of(self, row: Sequence[str], headers: Headers) -> list[str]:
        """All filled cells of these columns of theirs."""
        return [text for _, at in self._columns(headers) if (text := row[at].strip())]

    def name_of(self, headers: Headers) -> str:
        """The file's own name of the first of these columns that it has."""
        return next((self.header[at] for _, at in self._columns(headers)), headers[0] if headers else "")

    def described(self, row: Sequence[str]) -> Draft:
        """What a row says about a product as a whole."""
        paths = self.profile.categories.read(self._or_fallback(row, "category"))
        draft = Draft(
            {
                "name": self.ours(row, "name"),
                "description": self._html(self._or_fallback(row, "description")),
                "category": max(paths, key=lambda path: path.count(">"), default=""),
                "featured": self.ours(row, "featured"),
                "published": self._published(row),
            }
        )
        tags = [tag.strip() for cell in self.all_of(row, self.profile.tags) for tag in cell.split(",")]
        kept = {"tags": [tag for tag in tags if tag], "categories": paths if len(paths) > 1 else []}
        draft.kept = {key: value for key, value in kept.items() if value}
        draft.kept |= self._kept(row, self.profile.kept) | self._own_metadata(row, draft)
        return draft

    def sold(self, row: Sequence[str]) -> Draft:
        """What a row says about the one thing that is sold: SKU, price, stock."""
        draft = Draft({"sku": self.ours(row, "sku")}, self._kept(row, self.profile.kept_of_variant))
        self._set_price(row, draft)
        self._set_stock(row, draft)
        draft.images = addresses(self.all_of(row, self.profile.variant_images))
        if files := file_names(self.all_of(row, self.profile.variant_images)):
            draft.kept["image_files"] = files
        return draft

    def options(self, row: Sequence[str], lead: Sequence[str]) -> dict[str, str]:
        """A row's option values by name; `lead` has the names where the row itself has none."""
        match self.profile.options:
            case OptionPairs() as pairs:
                return self._paired(pairs, row, lead)
            case PackedOptions() as packed:
                names = self._pieces(packed, row, packed.names) or self._pieces(packed, lead, packed.names)
                values = self._pieces(packed, row, packed.values)
                return {name: value for name, value in zip(names, values, strict=False) if value}
        return {}

    def flaw(self, draft: Draft) -> Error | None:
        """What is wrong with the cells that make a product, if anything is."""
        for name in _CHECKED:
            if text := draft.cells.get(name):
                try:
                    columns.BY_NAME[name]().clean(text)
                except columns.CellError as error:
                    at = self.mapping.get(name)
                    return ("" if at is None else self.header[at], text[:200], error.code, str(error))
        return None

    def _columns(self, headers: Headers) -> list[tuple[str, int]]:
        if headers not in self._found:
            self._found[headers] = [one for header in headers for one in self._index.find_all(header)]
        return self._found[headers]

    def _or_fallback(self, row: Sequence[str], name: str) -> str:
        return self.ours(row, name) or self.their(row, self.profile.fallbacks.get(name, ()))

    def _html(self, text: str) -> str:
        """The text without anything that acts: no scripts, no event handlers."""
        if self.profile.escaped_breaks:
            text = text.replace("\\n", "\n")
        return nh3.clean(text).strip() if "<" in text else text

    def _published(self, row: Sequence[str]) -> str:
        text = self.ours(row, "published")
        status = self.their(row, self.profile.status).casefold()
        if text and status and status != "active":
            return "false"
        return self.profile.published.get(text.casefold(), text)

    def _set_price(self, row: Sequence[str], draft: Draft) -> None:
        price, compared = self.ours(row, "price"), self.their(row, self.profile.compare_at)
        if sale := self.profile.sale:
            lower, begins, ends = (self.their(row, one) for one in (sale.price, sale.begins, sale.ends))
            if self.prices.on_sale(price, lower, begins=begins, ends=ends):
                price, compared = lower, price
        draft.cells["price"] = price
        if "compare_at_price" in self.columns:
            draft.cells["compare_at_price"] = self.prices.before(price, compared)
        others = self._columns((self.profile.prices,)) if self.profile.prices else []
        prices = {code: row[at].strip() for code, at in others if at != self.mapping.get("price")}
        if prices := {code: text for code, text in prices.items() if text}:
            draft.kept["prices"] = prices

    def _set_stock(self, row: Sequence[str], draft: Draft) -> None:
        text = self.ours(row, "stock")
        if below := _BELOW_ZERO.fullmatch(text):
            text = "0"
            draft.kept["backordered"] = below[1]
        counted = self._is_counted(row)
        if not counted:
            draft.kept["stock_untracked"] = True
        draft.cells["stock"] = "" if text in _NO_STOCK or (not counted and text == "0") else text

    def _is_counted(self, row: Sequence[str]) -> bool:
        if not self._columns(self.profile.tracked):
            return True
        return self.their(row, self.profile.tracked).casefold() not in self.profile.untracked

    def _kept(self, row: Sequence[str], keys: Any) -> dict[str, Any]:
        return {key: text for key, headers in keys.items() if (text := self.their(row, headers))}

    def _own_metadata(self, row: Sequence[str], draft: Draft) -> dict[str, Any]:
        """A column of JSON that somebody mapped; what is no JSON stays the cell, to be rejected as such."""
        text = self.ours(row, "metadata")
        if not text:
            return {}
        try:
            columns.BY_NAME["metadata"]().clean(text)
        except columns.CellError:
            draft.cells["metadata"] = text
            return {}
        return dict(json.loads(text))

    def _paired(self, pairs: OptionPairs, row: Sequence[str], lead: Sequence[str]) -> dict[str, str]:
        names = dict(self._columns(pairs.names))
        options = {}
        for number, at in self._columns(pairs.values):
            own = names.get(number)
            name = "" if own is None else row[own].strip() or lead[own].strip()
            value = row[at].strip()
            if value and (name, value) != pairs.none:
                options[name or f"Option {number}"] = value
        return options

    def _pieces(self, packed: PackedOptions, row: Sequence[str], headers: Headers) -> list[str]:
        text = self.their(row, headers)
        pieces = [piece.strip() for piece in text.split(packed.separator)] if text else []
        return [piece.split(packed.clip)[0].strip() for piece in pieces] if packed.clip else pieces
