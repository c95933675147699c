"""Variants and their parents: which rows are variants, and which of those can't be.

Variants are loaded after all other rows, so the catalogue itself says whether a parent is there: from this
file or from before.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.utils import CursorWrapper

from imports.models import ImportRun

_NO_PARENT = (
    " is not there for this to be a variant of: no product has that SKU, and no sound row of the file makes"
    " one. Add or mend its row, or correct the parent's SKU."
)
_NESTED = " is a variant itself and can't have variants. Write the product that it is a variant of."
_HAS_VARIANTS = " has variants of its own, so it can't become a variant. Give those another parent first."
_LET_IN = {
    ImportRun.Mode.UPSERT: "true",
    ImportRun.Mode.CREATE: "NOT EXISTS (SELECT FROM shop_product p WHERE p.sku = s.sku)",
    ImportRun.Mode.UPDATE: "EXISTS (SELECT FROM shop_product p WHERE p.sku = s.sku)",
}


def is_variant(run: ImportRun) -> str:
    """SQL that tells whether a staging row `s` is a variant's."""
    return "coalesce(s.parent, '') <> ''" if "parent" in run.written else "false"


def reject_misplaced(cursor: CursorWrapper, run: ImportRun, where: str, params: dict[str, Any]) -> int:
    """Reject the variants among the rows `where` whose parent can't have them; returns how many lines.

    The parents stay locked as they are until the transaction ends. Rejected rows stay in the staging table,
    marked as needing nothing: a row that names one of them as its parent is told so in any order of loading.
    """
    _lock_parents(cursor, run, where, params)
    cursor.execute(
        f"""
        WITH judged AS MATERIALIZED (
            SELECT s.sku, CASE
                WHEN above.parent_id IS NOT NULL OR EXISTS (
                    SELECT FROM {run.staging_table} n WHERE n.sku = s.parent AND coalesce(n.parent, '') <> ''
                ) THEN 1
                WHEN above.id IS NULL THEN 2
                WHEN EXISTS (
                    SELECT FROM shop_product p JOIN shop_product v ON v.parent_id = p.id WHERE p.sku = s.sku
                ) THEN 3
            END AS reason
            FROM {run.staging_table} s LEFT JOIN shop_product above ON above.sku = s.parent
            WHERE {where} AND {_LET_IN[ImportRun.Mode(run.mode)]}
        ), misplaced AS (
            UPDATE {run.staging_table} s SET same = true FROM judged j
            WHERE s.sku = j.sku AND j.reason IS NOT NULL
            RETURNING s.line, s.sku, s.parent, j.reason, {run.counts} AS counts
        )
        {_REJECTED}
        """,
        params | _reasons(run),
    )
    return cursor.rowcount


def foresee(cursor: CursorWrapper, run: ImportRun) -> int:
    """Reject, before anything is written, the variants whose parent will not be able to have them once all
    other rows are loaded; returns how many lines. They leave the staging table."""
    if "parent" not in run.written:
        return 0
    parent_row = f"SELECT FROM {run.staging_table} n WHERE n.sku = s.parent AND"
    freed = f"EXISTS (SELECT FROM {run.staging_table} n WHERE n.sku = {{}}.sku AND n.parent = '')"
    makes = "false" if run.mode == ImportRun.Mode.UPDATE else f"EXISTS ({parent_row} true)"
    cursor.execute(
        f"""
        WITH judged AS MATERIALIZED (
            SELECT s.sku, CASE
                WHEN above.parent_id IS NOT NULL AND NOT {freed.format("above")}
                     OR EXISTS ({parent_row} n.parent <> '') THEN 1
                WHEN above.id IS NULL AND NOT {makes} THEN 2
                WHEN EXISTS (
                    SELECT FROM shop_product p JOIN shop_product v ON v.parent_id = p.id
                    WHERE p.sku = s.sku AND NOT {freed.format("v")}
                ) THEN 3
            END AS reason
            FROM {run.staging_table} s LEFT JOIN shop_product above ON above.sku = s.parent
            WHERE {is_variant(run)} AND {_LET_IN[ImportRun.Mode(run.mode)]}
        ), misplaced AS (
            DELETE FROM {run.staging_table} s USING judged j WHERE s.sku = j.sku AND j.reason IS NOT NULL
            RETURNING s.line, s.sku, s.parent, j.reason, {run.counts} AS counts
        ) {_REJECTED}
        """,
        _reasons(run),
    )
    return cursor.rowcount


def _reasons(run: ImportRun) -> dict[str, Any]:
    return {
        "run": run.pk,
        "column": run.header_of("parent")[:255],
        "reasons": [_NESTED, _NO_PARENT, _HAS_VARIANTS],
    }


# After `misplaced`.
_REJECTED = """
INSERT INTO imports_rejectedrow (run_id, line, sku, "column", value, code, message, more)
SELECT %(run)s, line, sku, %(column)s, parent,
       CASE reason WHEN 2 THEN 'no_parent' ELSE 'nested_variant' END,
       '“' || CASE reason WHEN 3 THEN sku ELSE parent END || '”' || (%(reasons)s::text[])[reason], '[]'
FROM misplaced WHERE counts
"""


def _lock_parents(cursor: CursorWrapper, run: ImportRun, where: str, params: dict[str, Any]) -> None:
    """Keep parents from being deleted or becoming variants: inserts go past the triggers that would see."""
    cursor.execute(
        f"""
        WITH locked AS MATERIALIZED (
            SELECT 1 FROM (SELECT DISTINCT parent FROM {run.staging_table} s WHERE {where}) s
            JOIN shop_product p ON p.sku = s.parent ORDER BY p.sku FOR SHARE OF p
        ) SELECT count(*) FROM locked
        """,
        params,
    )
