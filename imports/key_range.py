"""A key range of the staging table, as a load writes it and a preview compares it."""

from __future__ import annotations

from typing import Any

from django.db.backends.utils import CursorWrapper

from imports import parents, sold
from imports.models import ImportRun

# A hash join would read the whole catalogue for every range.
BY_INDEX = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
# Triggers on products clear the hash, draw a version and enter stock in the ledger for others.
ANNOUNCED = "SET LOCAL tallyman.source_hash = 'kept'; SET LOCAL tallyman.stock_kind = 'written'"


def new_version(cursor: CursorWrapper) -> int:
    """What names the contents that a transaction writes."""
    cursor.execute("SELECT nextval('shop_content_version')")
    return int(cursor.fetchone()[0])


class KeyRange:
    """One range at work: `WHERE` clause, parameters and the statements over it."""

    def __init__(self, cursor: CursorWrapper, run: ImportRun, payload: dict[str, Any]) -> None:
        self.cursor, self.run = cursor, run
        self.params = {
            "run": run.pk,
            "low": payload["low"],
            "high": payload["high"],
            "received": run.created_at,
            "reference": run.subject,
            "source": run.source,
        }
        self.keys = "s.sku >= %(low)s" + (" AND s.sku < %(high)s" if payload["high"] is not None else "")
        self.where = f"NOT s.same AND {self.keys}"
        self.source = f"{run.staging_table} s {self._categories()}"
        self.variants = payload.get("variants", False)
        if "parent" in run.written:
            self.where += f" AND {'' if self.variants else 'NOT'} ({parents.is_variant(run)})"
            self.source += self._parents()
        self.rows = self.stock_kept = 0

    def _categories(self) -> str:
        return f" LEFT JOIN {self.run.staging_table}_categories m ON m.path = s.category"

    def _parents(self) -> str:
        return " LEFT JOIN shop_product above ON above.sku = s.parent"

    def _execute(self, statement: str) -> int:
        """Run it; returns its first value for a SELECT, else how many rows it wrote."""
        self.cursor.execute(statement, self.params)
        if self.cursor.description:
            return int(self.cursor.fetchone()[0])
        return int(self.cursor.rowcount)

    def _count(self, condition: str = "true") -> int:
        return self._execute(
            f"SELECT count(*) FROM {self.run.staging_table} s WHERE {self.where} AND {condition}"
        )

    def _stock(self) -> str:
        """SQL for the stock of a product `p` that is updated: the file's, less what was sold since the file
        came; or what is there and the file's pieces. The products are locked, so nothing is sold between this
        look and the update."""
        if self.run.adjusts_stock:
            return "p.stock + coalesce(s.stock, 0)"
        if not sold.is_any(self.run):
            return "coalesce(s.stock, p.stock)"
        since = f"""
            (SELECT coalesce(sum(m.quantity), 0) FROM shop_stockmovement m
             WHERE m.product_id = p.id AND {sold.SINCE})
        """
        self.stock_kept = self._execute(
            f"""
            SELECT count(*) FROM {self.run.staging_table} s JOIN shop_product p ON p.sku = s.sku
            WHERE {self.where} AND s.stock IS NOT NULL AND {self.run.counts} AND {since} <> 0
            """
        )
        return f"CASE WHEN s.stock IS NULL THEN p.stock ELSE greatest(0, s.stock + {since}) END"
