"""Exports for other shops: their columns, and products with their variants as they want them.

A cell that a spreadsheet would run is guarded as in our own files. WooCommerce takes the guard off again by
itself, Shopify leaves it to people.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import zip_longest
from typing import Any, ClassVar

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from imports import marks
from imports.image_cells import addresses
from imports.layouts import Cells
from imports.selecting import whole_families
from imports.source import Row, Texts
from shop.models import Product, ProductQuerySet

_NO_OPTION = ("Title", "Default Title")  # how Shopify says that a product has no variants


@dataclass(slots=True)
class Family:
    """A product with its variants."""

    top: Row
    variants: list[Row] = field(default_factory=list)

    def options(self) -> list[dict[str, str]]:
        """The options of each variant; one without any is told from the others by its name."""
        return [_options(one) or {_NO_OPTION[0]: one.name or one.sku} for one in self.variants]

    def option_names(self) -> list[str]:
        """The names of all of these, in the order in which they come."""
        return list(dict.fromkeys(name for options in self.options() for name in options))


def _options(row: Row) -> dict[str, str]:
    parsed = json.loads(row.options)
    return {name: str(value) for name, value in parsed.items()} if isinstance(parsed, dict) else {}


def _images(row: Row) -> list[str]:
    return addresses(json.loads(row.images))


def _metadata(row: Row, key: str) -> str:
    """What the metadata have under a key, as text."""
    value = json.loads(row.metadata).get(key, "") if f'"{key}"' in row.metadata else ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


class FamilyLayout:
    """Brings the rows of each family together."""

    header: list[str]
    numbers: frozenset[str]
    least_options: ClassVar[int]

    def __init__(self, most_options: int) -> None:
        """`most_options` is how many options any family has."""
        self.option_count = max(most_options, self.least_options)
        self._family: Family | None = None

    def order(self, products: ProductQuerySet) -> QuerySet[Product]:
        """Whole families, each product before its variants."""
        top = Coalesce("parent__sku", "sku")
        return whole_families(products).order_by(top, F("parent_id").asc(nulls_first=True), "sku")

    def rows(self, batch: list[Texts]) -> Iterator[Cells]:
        """The rows of the families that end here."""
        for cells in batch:
            row = Row._make(cells)
            if self._family and row.parent == self._family.top.sku:
                self._family.variants.append(row)
            else:
                yield from self.finish()
                self._family = Family(row)

    def finish(self) -> Iterator[Cells]:
        """The rows of the last family."""
        if self._family:
            for cells in self.rows_of(self._family):
                yield [marks.guarded(str(cells.get(name, ""))) for name in self.header]
        self._family = None

    def rows_of(self, family: Family) -> Iterator[dict[str, Any]]:
        """Rows of the file, as cells by column."""
        raise NotImplementedError


class ShopifyLayout(FamilyLayout):
    """The first row has the product; each row has a variant, and an image while there are some."""

    least_options = 3  # as in Shopify's own files
    numbers = frozenset(
        {"Variant Inventory Qty", "Variant Price", "Variant Compare At Price", "Image Position"}
    )

    def __init__(self, most_options: int) -> None:
        super().__init__(most_options)
        count = range(1, self.option_count + 1)
        self.header = [
            *("Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Published"),
            *(f"Option{number} {what}" for number in count for what in ("Name", "Value")),
            *("Variant SKU", "Variant Inventory Tracker", "Variant Inventory Qty"),
            *("Variant Inventory Policy", "Variant Fulfillment Service", "Variant Price"),
            "Variant Compare At Price",
            *("Variant Requires Shipping", "Variant Taxable", "Image Src", "Image Position"),
            *("Variant Image", "Status"),
        ]

    def rows_of(self, family: Family) -> Iterator[dict[str, Any]]:
        """One row a variant or image. The handle of a product with variants is its SKU, which has no column
        of its own."""
        top, names = family.top, family.option_names() or [_NO_OPTION[0]]
        product = {
            "Handle": top.sku if family.variants else top.slug,
            "Title": top.name,
            "Body (HTML)": top.description,
            "Vendor": _metadata(top, "brand"),
            "Type": top.category,
            "Tags": _metadata(top, "tags"),
            "Published": top.published,
            "Status": "active" if top.published == "true" else "draft",
            **{f"Option{number} Name": name for number, name in enumerate(names, 1)},
        }
        sold = list(zip(family.variants or [top], family.options() or [dict([_NO_OPTION])], strict=True))
        images = enumerate(_images(top), 1)
        for number, (variant, image) in enumerate(zip_longest(sold, images)):
            cells: dict[str, Any] = dict(product) if not number else {"Handle": product["Handle"]}
            if variant:
                cells |= self._variant(variant[0], variant[1], names, is_own=bool(family.variants))
            if image:
                cells |= {"Image Position": image[0], "Image Src": image[1]}
            yield cells

    @staticmethod
    def _variant(row: Row, options: dict[str, str], names: list[str], *, is_own: bool) -> dict[str, Any]:
        values = {f"Option{number} Value": options.get(name, "") for number, name in enumerate(names, 1)}
        return values | {
            "Variant SKU": row.sku,
            "Variant Inventory Tracker": "shopify",
            "Variant Inventory Qty": row.stock,
            "Variant Inventory Policy": "deny",
            "Variant Fulfillment Service": "manual",
            "Variant Price": row.price,
            "Variant Compare At Price": row.compare_at_price,
            "Variant Requires Shipping": "true",
            "Variant Taxable": "true",
            "Variant Image": next(iter(_images(row)), "") if is_own else "",
        }


class WooCommerceLayout(FamilyLayout):
    """One row a product or variation; a variation names its product by its SKU."""

    least_options = 1
    numbers = frozenset({"Stock", "Regular price", "Sale price", "Position"})

    def __init__(self, most_options: int) -> None:
        super().__init__(most_options)
        count = range(1, self.option_count + 1)
        self.header = [
            *("Type", "SKU", "Name", "Published", "Is featured?", "Description", "In stock?", "Stock"),
            *("Regular price", "Sale price", "Categories", "Tags", "Brands", "Images", "Parent", "Position"),
            *(
                f"Attribute {number} {what}"
                for number in count
                for what in ("name", "value(s)", "visible", "global")
            ),
        ]

    def rows_of(self, family: Family) -> Iterator[dict[str, Any]]:
        """The product, then its variations."""
        options = family.options()
        yield self._row(family.top, is_variable=bool(options)) | self._attributes(
            {
                name: ", ".join(dict.fromkeys(_listed(one[name]) for one in options if name in one))
                for name in family.option_names()
            }
        )
        for number, (variant, own) in enumerate(zip(family.variants, options, strict=True), 1):
            more = {"Type": "variation", "Parent": family.top.sku, "Position": number}
            yield self._row(variant) | more | self._attributes(own)

    @staticmethod
    def _row(row: Row, *, is_variable: bool = False) -> dict[str, Any]:
        is_lowered = row.compare_at_price != "" and Decimal(row.compare_at_price) > Decimal(row.price)
        return {
            "Type": "variable" if is_variable else "simple",
            "SKU": row.sku,
            "Name": row.name,
            "Published": "1" if row.published == "true" else "0",
            "Is featured?": "1" if row.featured == "true" else "0",
            "Description": row.description.replace("\n", "\\n"),
            "In stock?": "1" if is_variable or row.stock != "0" else "0",
            # With a number here, WooCommerce would sell all variations from one stock.
            "Stock": "" if is_variable and row.stock == "0" else row.stock,
            "Regular price": row.compare_at_price if is_lowered else row.price,
            "Sale price": row.price if is_lowered else "",
            "Categories": _listed(row.category),
            "Tags": _metadata(row, "tags"),
            "Brands": _metadata(row, "brand"),
            "Images": ", ".join(_images(row)),
            "Position": 0,
        }

    @staticmethod
    def _attributes(options: dict[str, str]) -> dict[str, str]:
        cells: dict[str, str] = {}
        for number, (name, value) in enumerate(options.items(), 1):
            at = f"Attribute {number}"
            cells |= {f"{at} name": name, f"{at} value(s)": value, f"{at} visible": "1", f"{at} global": "0"}
        return cells


def _listed(text: str) -> str:
    """The text as one item of a list that is separated by commas."""
    return text.replace(",", "\\,")
