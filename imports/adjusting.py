"""Imports whose numbers of stock are pieces to add or to take away."""

from __future__ import annotations

from typing import Any

from django.db.backends.utils import CursorWrapper

from imports.models import ImportRun
from imports.number_columns import MAX_STOCK
from imports.parents import LET_IN

# Of a row `s`. NULL where it says nothing of the stock.
IMPOSSIBLE = f"""
    coalesce((SELECT p.stock FROM shop_product p WHERE p.sku = s.sku), 0)::bigint + s.stock
    NOT BETWEEN 0 AND {MAX_STOCK}
"""
_SHOWN = "to_char(abs({}), 'FM999,999,999,999')"


def reject_impossible(cursor: CursorWrapper, run: ImportRun, where: str, params: dict[str, Any]) -> int:
    """Reject those of the rows `where` that would take a product's stock below zero, or beyond what can be
    stored; returns how many lines. The products are locked.

    Rejected rows stay in the staging table, marked as needing nothing.
    """
    cursor.execute(
        f"""
        WITH judged AS MATERIALIZED (
            SELECT s.sku, p.stock FROM {run.staging_table} s LEFT JOIN shop_product p ON p.sku = s.sku
            WHERE {where} AND {LET_IN[ImportRun.Mode(run.mode)]}
              AND {IMPOSSIBLE}
        ), refused AS (
            UPDATE {run.staging_table} s SET same = true FROM judged j WHERE s.sku = j.sku
            RETURNING s.line, s.sku, s.stock AS change, j.stock, {run.counts} AS counts
        )
        INSERT INTO imports_rejectedrow (run_id, line, sku, "column", value, code, message, more)
        SELECT %(run)s, line, sku, %(column)s, change,
               CASE WHEN change < 0 THEN 'negative_stock' ELSE 'stock_too_large' END,
               CASE WHEN stock IS NULL
                    THEN sku || ' is no product yet, so ' || {_SHOWN.format("change")}
                         || ' can''t be taken away from it. Write 0 or more, or correct the SKU.'
                    WHEN change < 0
                    THEN sku || ' has ' || {_SHOWN.format("stock")} || ' in stock, and '
                         || {_SHOWN.format("change")}
                         || ' were to be taken away. Correct the number, or leave the row out.'
                    ELSE sku || ' has ' || {_SHOWN.format("stock")} || ' in stock, and '
                         || {_SHOWN.format("change")}
                         || ' more are beyond what can be stored. Check the number.'
               END, '[]'
        FROM refused WHERE counts
        """,
        params | {"column": run.header_of("stock")[:255]},
    )
    return cursor.rowcount
