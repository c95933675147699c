"""What the first records of a shop's file would be in the catalogue: products with their variants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from imports import previewing
from imports.cells import Cells
from imports.models import ImportRun
from imports.previewing import Sample
from imports.sampling import ShopSample
from imports.shop_cells import NAMES

_SHOWN = 12
_TOLD = 3
_LONGEST = 80  # characters of a cell that are shown
_CLEANED = ("name", "price", "stock", "category", "options")


@dataclass(frozen=True, slots=True)
class Item:
    """A product or a variant as it would be: its cleaned cells by our column's name."""

    sku: str
    parent: str  # the SKU of its product; "" where it is none's variant
    cells: dict[str, Sample]
    images: int
    is_split: bool = False  # whether the sample has variants of it


@dataclass(slots=True)
class Families:
    """The products and variants of a sample."""

    records: int
    items: list[Item] = field(default_factory=list)  # each product before its variants, the first ones
    products: int = 0
    variants: int = 0
    images: int = 0
    merged: int = 0
    rejected: int = 0
    reasons: list[tuple[int, str]] = field(default_factory=list)  # (line, message) of the first ones

    @property
    def said(self) -> str:
        """The counts in words."""
        counts = {"product": self.products, "variant": self.variants, "image": self.images}
        words = [f"{count:,} {noun}{'' if count == 1 else 's'}" for noun, count in counts.items()]
        return f"{words[0]}, {words[1]} and {words[2]}"

    @property
    def more(self) -> int:
        """Products and variants that `items` leaves out."""
        return self.products + self.variants - len(self.items)


def families(run: ImportRun, shop: ShopSample) -> Families:
    """What the sample comes to, with the draft's choices."""
    cells = previewing.cells_of_draft(run)
    rows = [dict(zip(NAMES, row, strict=True)) for row in shop.shaped.rows]
    by_sku = {row["sku"]: row for row in rows}  # of each SKU the last row counts
    ordered = list(_in_order(by_sku))
    refused = sorted((line, message) for line, _, _, _, message in shop.shaped.rejected)
    variants = sum(bool(row["parent"]) for row in by_sku.values())
    split = {row["parent"] for row in rows}
    return Families(
        records=len(shop.records),
        items=[_item(cells, row, is_split=row["sku"] in split) for row in ordered[:_SHOWN]],
        products=len(by_sku) - variants,
        variants=variants,
        images=sum(len(_images(row)) for row in by_sku.values()),
        merged=len(shop.shaped.merged),
        rejected=len({line for line, _ in refused}),
        reasons=refused[:_TOLD],
    )


def _in_order(by_sku: dict[str, dict[str, str]]) -> Iterator[dict[str, str]]:
    """Each product with its variants behind it, wherever in the file they are."""
    below: dict[str, list[dict[str, str]]] = {}
    for row in by_sku.values():
        below.setdefault(row["parent"] or row["sku"], []).append(row)
    for family in below.values():
        yield from sorted(family, key=lambda row: bool(row["parent"]))


def _item(cells: dict[str, Cells], row: dict[str, str], *, is_split: bool) -> Item:
    cleaned = {
        name: previewing.sample_of(cells[name], None, row[name], longest=_LONGEST)
        for name in _CLEANED
        if row[name]
    }
    return Item(row["sku"], row["parent"], cleaned, len(_images(row)), is_split)


def _images(row: dict[str, str]) -> list[str]:
    return row["images"].split("\n") if row["images"] else []
