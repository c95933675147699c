"""What the rows of an export look like: one layout for each profile.

A layout takes the catalogue's rows in its order, some at once, and gives rows of cells. Cells are texts;
`numbers` says which columns a workbook has as numbers or as true and false.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from django.db.models import QuerySet

from imports.columns import BY_NAME
from imports.source import Texts
from imports.written_cells import CellWriter
from shop.models import Product, ProductQuerySet

type Cells = Sequence[str]

_SAFE = {
    "price",
    "compare_at_price",
    "stock",
    "published",
    "featured",
}  # whatever is stored there reads as it is written


class Layout(Protocol):
    """How an export is laid out."""

    header: list[str]
    numbers: frozenset[str]  # names of the columns that hold numbers, or true and false

    def order(self, products: ProductQuerySet) -> QuerySet[Product]:
        """The products to be written, in the order in which they come."""
        ...

    def rows(self, batch: list[Texts]) -> Iterator[Cells]:
        """Rows of the file for products that follow each other."""
        ...

    def finish(self) -> Iterator[Cells]:
        """What is left at the end."""
        ...


class OurLayout:
    """Our own columns, one row a product, by SKU."""

    header = list(BY_NAME)
    numbers = frozenset(_SAFE)

    def __init__(self) -> None:
        self._writers = [None if name in _SAFE else CellWriter(name) for name in self.header]

    def order(self, products: ProductQuerySet) -> QuerySet[Product]:
        """By SKU, which has an index: the first row comes at once."""
        return products.order_by("sku")

    def rows(self, batch: list[Texts]) -> Iterator[Cells]:
        """One row for each product."""
        columns = (list(texts) for texts in zip(*batch, strict=True))
        return zip(
            *[
                writer.write_all(texts) if writer else texts
                for writer, texts in zip(self._writers, columns, strict=False)
            ],
            strict=True,
        )

    def finish(self) -> Iterator[Cells]:
        """Nothing is left."""
        return iter(())
