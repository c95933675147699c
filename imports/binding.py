"""What was approved is what is written: rows whose product is not as the preview saw it are set aside.

A product is as it was while it has the same version; its stock has no part in that. The staging table
remembers the versions, NULL where there was no product.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.utils import CursorWrapper

from imports.models import ImportRun

CODE = "changed_since_preview"
_REASON = """
CASE WHEN o.seen IS NULL THEN 'A product with this SKU was created since the preview, so it was left alone.'
     WHEN o.now IS NULL THEN 'The product was deleted since the preview, so it was not made anew.'
     ELSE 'The product was changed since the preview, so it was left alone.' END
"""


def set_aside(cursor: CursorWrapper, run: ImportRun, where: str, params: dict[str, Any]) -> int:
    """Take those among the rows `where` out of the staging table and list them; returns how many lines.

    Their products are locked. What the mode leaves alone in any case is left to it.
    """
    by_mode = "AND (s.version IS NULL OR p.version IS NULL)" if run.mode == ImportRun.Mode.CREATE else ""
    cursor.execute(
        f"""
        WITH outdated AS MATERIALIZED (
            SELECT s.sku, s.version AS seen, p.version AS now
            FROM {run.staging_table} s LEFT JOIN shop_product p ON p.sku = s.sku
            WHERE {where} AND s.version IS DISTINCT FROM p.version {by_mode}
        ), gone AS (
            DELETE FROM {run.staging_table} s USING outdated o WHERE s.sku = o.sku
            RETURNING s.line, s.sku, {run.counts} AS counts
        )
        INSERT INTO imports_setasiderow (run_id, line, sku, outcome, code, reason)
        SELECT %(run)s, gone.line, gone.sku, 'skipped', '{CODE}', {_REASON}
        FROM gone JOIN outdated o USING (sku) WHERE gone.counts
        """,
        params,
    )
    return cursor.rowcount


def list_unchanged(cursor: CursorWrapper, run: ImportRun, keys: str, params: dict[str, Any]) -> int:
    """List those among the rows with these `keys` that needed no write; returns how many lines."""
    if run.mode == ImportRun.Mode.CREATE:
        return 0  # the check has listed them all as the mode's
    cursor.execute(
        f"""
        INSERT INTO imports_setasiderow (run_id, line, sku, outcome, code, reason)
        SELECT %(run)s, o.line, o.sku, 'skipped', '{CODE}', {_REASON}
        FROM (
            SELECT s.line, s.sku, s.version AS seen, p.version AS now
            FROM {run.staging_table} s LEFT JOIN shop_product p ON p.sku = s.sku
            WHERE s.same AND {keys} AND {run.counts} AND s.version IS DISTINCT FROM p.version
        ) o
        """,
        params,
    )
    return cursor.rowcount
