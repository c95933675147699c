"""Changes of stock, each with its reason in the ledger.

The database writes the movement of every change (migration 0004), so the ledger is right whoever makes one.
Here a writer says what its change is, and changes many products at once, all or none, in SKU order as imports
do, so that nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connection, transaction

from shop.models import Product, StockMovement

_ANNOUNCE = """
SELECT set_config('tallyman.stock_kind', %s, true), set_config('tallyman.stock_reference', %s, true),
       set_config('tallyman.stock_note', %s, true), set_config('tallyman.stock_by', %s, true)
"""
_MOVE = """
UPDATE shop_product p SET stock = p.stock + m.quantity, updated_at = now()
FROM unnest(%s::text[], %s::int[]) AS m(sku, quantity) WHERE p.sku = m.sku COLLATE "C"
"""


class OutOfStock(Exception):  # noqa: N818 - an outcome, not a fault
    """Less is there than was asked for. `left`: SKU → pieces that are there, 0 for an unknown SKU."""

    def __init__(self, left: Mapping[str, int]) -> None:
        super().__init__(
            "Not enough in stock: " + ", ".join(f"{sku} ({n:,} left)" for sku, n in left.items())
        )
        self.left = dict(left)


@contextmanager
def announced(
    kind: StockMovement.Kind, *, reference: str = "", note: str = "", by: str = ""
) -> Iterator[None]:
    """Enter the changes of stock made inside it in the ledger as this. A transaction of its own, or a part of
    the surrounding one."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ANNOUNCE, [kind.value, reference, note, by])
        yield
        cursor.execute(_ANNOUNCE, ["", "", "", ""])


def move(
    changes: Mapping[str, int],
    *,
    kind: StockMovement.Kind,
    reference: str = "",
    note: str = "",
    by: str = "",
) -> None:
    """Add to the stock of these SKUs (pieces; negative takes away), all of them or none.

    Raises OutOfStock, naming every SKU that has too little or does not exist.
    """
    with announced(kind, reference=reference, note=note, by=by):
        locked = Product.objects.filter(sku__in=changes).order_by("sku").select_for_update(no_key=True)
        stocks = dict(locked.values_list("sku", "stock"))
        left = {sku: stocks.get(sku, 0) for sku in sorted(changes)}
        if short := {sku: n for sku, n in left.items() if sku not in stocks or n + changes[sku] < 0}:
            raise OutOfStock(short)
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, [list(changes), list(changes.values())])


class Mismatch(NamedTuple):
    """A product whose stock is not what its ledger comes to, in pieces."""

    sku: str
    stock: int
    ledger: int


_MISMATCHES = """
SELECT p.sku, p.stock, p.opening_stock + coalesce(m.moved, 0) AS ledger
FROM shop_product p
LEFT JOIN (SELECT product_id, sum(quantity) AS moved FROM shop_stockmovement GROUP BY product_id) m
       ON m.product_id = p.id
WHERE p.stock <> p.opening_stock + coalesce(m.moved, 0) ORDER BY p.sku
"""


def mismatches() -> Iterator[Mismatch]:
    """The products whose stock is not what its ledger comes to, by SKU; there should be none."""
    with connection.cursor() as cursor:
        cursor.execute(_MISMATCHES)
        while rows := cursor.fetchmany(1000):
            yield from (Mismatch(*row) for row in rows)
