"""Variants and their parents: which rows are variants, and which of those can't be.

Variants are loaded after all other rows, so the catalogue itself says whether a parent is there: from this
file or from before. Only where a SKU comes several times is that too late: a row that will be rejected must
not supersede an earlier one, so the check foresees it.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from imports.models import ImportRun

_NO_PARENT = (
    " is not there for this to be a variant of: no product has that SKU, and no sound row of the file makes"
    " one. Add or mend its row, or correct the parent's SKU."
)
_NESTED = " is a variant itself and can't have variants. Write the product that it is a variant of."
_HAS_VARIANTS = " has variants of its own, so it can't become a variant. Give those another parent first."
CODES = ("no_parent", "nested_variant")  # of the rows that are rejected here
# The rows `s` that a mode would write.
LET_IN = {
    ImportRun.Mode.UPSERT: "true",
    ImportRun.Mode.CREATE: "NOT EXISTS (SELECT FROM shop_product p WHERE p.sku = s.sku)",
    ImportRun.Mode.UPDATE: "EXISTS (SELECT FROM shop_product p WHERE p.sku = s.sku)",
}
_REJECT = """
INSERT INTO imports_rejectedrow (run_id, line, sku, "column", value, code, message, more)
SELECT %(run)s, line, sku, %(column)s, parent,
       CASE reason WHEN 2 THEN 'no_parent' ELSE 'nested_variant' END,
       '“' || CASE reason WHEN 3 THEN sku ELSE parent END || '”' || (%(reasons)s::text[])[reason], '[]'
FROM misplaced WHERE counts
"""
# Of a parent that the file has, the last row counts. While that one is at stake itself, its
# variants wait until it is known to stand.
_CONTESTED = """
WITH last AS MATERIALIZED (
    SELECT sku, max(line) AS line FROM {table} GROUP BY sku HAVING count(*) > 1
), staked AS MATERIALIZED (
    SELECT s.* FROM {table} s JOIN last USING (sku, line) WHERE s.parent <> '' AND {let_in}
), above AS MATERIALIZED (
    SELECT DISTINCT ON (sku) sku, coalesce(parent, '') <> '' AS is_variant, parent IS NULL AS is_as_before
    FROM {table} WHERE sku IN (SELECT parent FROM staked) ORDER BY sku, line DESC
), judged AS MATERIALIZED (
    SELECT s.line, s.sku, s.parent, coalesce(a.is_variant, false) AS is_nested, CASE
        WHEN a.is_variant AND a.sku NOT IN (SELECT sku FROM staked) THEN 1
        WHEN p.id IS NULL AND (a.sku IS NULL OR %(mode)s = 'update') THEN 2
        WHEN p.parent_id IS NOT NULL AND (a.sku IS NULL OR a.is_as_before OR %(mode)s = 'create') THEN 1
        WHEN EXISTS (
            SELECT FROM shop_product own JOIN shop_product v ON v.parent_id = own.id WHERE own.sku = s.sku
        ) THEN 3
    END AS reason
    FROM staked s LEFT JOIN above a ON a.sku = s.parent LEFT JOIN shop_product p ON p.sku = s.parent
), misplaced AS (
    DELETE FROM {table} s USING (
        SELECT j.line, j.sku,
               coalesce(j.reason, CASE WHEN NOT a.is_nested AND a.reason IS NULL THEN 1 END) AS reason
        FROM judged j LEFT JOIN judged a ON a.sku = j.parent
    ) j WHERE s.sku = j.sku AND s.line = j.line AND j.reason IS NOT NULL
    RETURNING s.line, s.sku, s.parent, j.reason, {counts} AS counts
)
{reject}
"""


def is_variant(run: ImportRun) -> str:
    """SQL that tells whether a staging row `s` is a variant's."""
    return "coalesce(s.parent, '') <> ''" if "parent" in run.written else "false"


def reason(run: ImportRun) -> str:
    """SQL for why a variant `s` can't be one of the product `above`, a number from 1; NULL if it can."""
    return f"""
        CASE WHEN above.parent_id IS NOT NULL OR EXISTS (
                 SELECT FROM {run.staging_table} n WHERE n.sku = s.parent AND coalesce(n.parent, '') <> ''
             ) THEN 1
             WHEN above.id IS NULL THEN 2
             WHEN EXISTS (
                 SELECT FROM shop_product p JOIN shop_product v ON v.parent_id = p.id WHERE p.sku = s.sku
             ) THEN 3 END
    """


def reject_misplaced(cursor: CursorWrapper, run: ImportRun, where: str, params: dict[str, Any]) -> int:
    """Reject the variants among the rows `where` whose parent can't have them; returns how many lines.

    The parents stay locked as they are until the transaction ends. Rejected rows stay in the staging table,
    marked as needing nothing: a row that names one of them as its parent is told so in any order of loading.
    """
    _lock_parents(cursor, run, where, params)
    cursor.execute(
        f"""
        WITH judged AS MATERIALIZED (
            SELECT s.sku, {reason(run)} AS reason
            FROM {run.staging_table} s LEFT JOIN shop_product above ON above.sku = s.parent
            WHERE {where} AND {LET_IN[ImportRun.Mode(run.mode)]}
        ), misplaced AS (
            UPDATE {run.staging_table} s SET same = true FROM judged j
            WHERE s.sku = j.sku AND j.reason IS NOT NULL
            RETURNING s.line, s.sku, s.parent, j.reason, {run.counts} AS counts
        )
        {_REJECT}
        """,
        params | _told(run),
    )
    return cursor.rowcount


def keep_misplaced(run: ImportRun) -> None:
    """Treat the rows of a table that was filled again as `reject_misplaced` and `reject_contested` did: the
    former's stay in it as needing nothing, the latter's do not, and an earlier row of their SKU stands."""
    rejected = f"""
        imports_rejectedrow r WHERE r.run_id = {int(run.pk)} AND r.line = s.line AND {run.counts}
        AND r.code IN {CODES}
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            DELETE FROM {run.staging_table} s USING {run.staging_table} earlier, {rejected}
            AND earlier.sku = s.sku AND earlier.line < s.line
            """
        )
        cursor.execute(f"UPDATE {run.staging_table} s SET same = true FROM {rejected}")


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
            WHERE {is_variant(run)} AND {LET_IN[ImportRun.Mode(run.mode)]}
        ), misplaced AS (
            DELETE FROM {run.staging_table} s USING judged j WHERE s.sku = j.sku AND j.reason IS NOT NULL
            RETURNING s.line, s.sku, s.parent, j.reason, {run.counts} AS counts
        ) {_REJECT}
        """,
        {"run": run.pk, **_told(run)},
    )
    return cursor.rowcount


def reject_contested(cursor: CursorWrapper, run: ImportRun) -> int:
    """Where a SKU comes several times, reject and remove the last row if it is a variant that can't be one:
    then the one before it stands. Returns how many lines.

    Done until nothing is left to do, because the row that stands now may be another one's parent.
    """
    rejected = 0
    while "parent" in run.written and (count := _reject_last(cursor, run)):
        rejected += count
    return rejected


def _reject_last(cursor: CursorWrapper, run: ImportRun) -> int:
    let_in = LET_IN[ImportRun.Mode(run.mode)]
    cursor.execute(
        _CONTESTED.format(table=run.staging_table, counts=run.counts, let_in=let_in, reject=_REJECT),
        {"run": run.pk, "mode": run.mode, **_told(run)},
    )
    return cursor.rowcount


def _told(run: ImportRun) -> dict[str, Any]:
    """What is said of rejected rows."""
    return {"column": run.header_of("parent")[:255], "reasons": [_NESTED, _NO_PARENT, _HAS_VARIANTS]}


def _lock_parents(cursor: CursorWrapper, run: ImportRun, where: str, params: dict[str, Any]) -> None:
    """Keep parents from being deleted or becoming variants: inserts go past the triggers that would see.

    The products of the rows themselves are locked with them, all in the order of their SKUs: one after the
    other could wait in a circle with a sale of a parent and its variant.
    """
    cursor.execute(
        f"""
        WITH wanted AS MATERIALIZED (
            SELECT sku FROM {run.staging_table} s WHERE {where}
            UNION SELECT parent FROM {run.staging_table} s WHERE {where}
        ), locked AS MATERIALIZED (
            SELECT 1 FROM wanted w JOIN shop_product p ON p.sku = w.sku ORDER BY p.sku FOR UPDATE OF p
        ) SELECT count(*) FROM locked
        """,
        params,
    )
