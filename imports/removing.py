"""Take out the products that a file lists: unpublish or delete them, range by range, each journaled whole.

A product can't go before its variants. So a deletion goes through its ranges twice: first over all others,
then over the products with variants. A row that had its turn is marked `same` meanwhile.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.utils import CursorWrapper

from imports import binding
from imports.models import Chunk, ImportRun
from imports.variant_columns import IMAGE_ROWS, IMAGES, UPLOADS
from shop import references
from shop.models import Product

HAS_VARIANTS = "EXISTS (SELECT FROM shop_product v WHERE v.parent_id = p.id)"
_UNKNOWN = "No product has this SKU."
_IN_USE = "“{sku}” can’t be deleted: {what} refer to it. Take its row out; to hide the product, unpublish it."
_STAYS = (
    "“{sku}” can’t be deleted: its variant “{what}” stays. List all of its variants as well, or give that one"
    " another parent first."
)
# In the journal of a deleted product: the addresses of its images, their rows where these say more, and the
# rows of those that were uploaded.
WITH_IMAGES = f"jsonb_build_object('images', {IMAGES}, 'uploads', {UPLOADS}) || {IMAGE_ROWS}"


def remove(cursor: CursorWrapper, run: ImportRun, payload: dict[str, Any]) -> dict[str, int]:
    """Take out the products of a range, in the transaction of its job; returns the outcomes of its rows."""
    return _Removal(cursor, run, payload).outcomes()


def goes_twice(run: ImportRun) -> bool:
    """Whether a second turn is needed: where there are no variants, nothing waits for any."""
    return run.mode == ImportRun.Mode.DELETE and Product.objects.variants().exists()


def foresee(cursor: CursorWrapper, run: ImportRun) -> int:
    """Reject, before anything is deleted, the rows whose product can't be; returns how many lines.

    Needed where broken rows stop an import; else the load finds them, in the state that the catalogue is in.
    """
    if run.mode != ImportRun.Mode.DELETE:
        return 0
    cursor.execute(
        f"""
        WITH {_judged(run, "true", foreseen=True)}, {_REJECTED}, gone AS (
            DELETE FROM {run.staging_table} s USING judged j WHERE s.sku = j.sku AND j.message IS NOT NULL
        )
        SELECT count(*) FROM judged WHERE counts AND message IS NOT NULL
        """,
        {"run": run.pk, "column": run.header_of("sku")[:255], "in_use": _IN_USE, "stays": _STAYS},
    )
    return int(cursor.fetchone()[0])


def lines_done(run: ImportRun, chunk: Chunk) -> set[int]:
    """Lines of a chunk that a deletion has dealt with, when its staging table is filled again."""
    if run.mode != ImportRun.Mode.DELETE:
        return set()
    within = {"line__gte": chunk.first_line, "line__lt": chunk.first_line + chunk.lines}
    skipped = run.set_aside.filter(**within).values_list("line", flat=True)
    return {*run.changes.filter(**within).values_list("line", flat=True), *filter(None, skipped)}


def _judged(run: ImportRun, where: str, *, foreseen: bool = False) -> str:
    """A query named `judged`: the rows whose product is there, each with why it can't be deleted, or NULL.

    What is `foreseen` is that a variant stays; in the end that is seen.
    """
    used = references.in_use()
    stays = "v.parent_id = p.id"
    if foreseen:
        listed = f"SELECT FROM {run.staging_table} n WHERE n.sku = v.sku"
        v_used = f"(SELECT {used} FROM shop_product p WHERE p.id = v.id)"
        stays += f" AND (NOT EXISTS ({listed}) OR {v_used} IS NOT NULL)"
    return f"""
        judged AS MATERIALIZED (
            SELECT s.line, s.sku, {run.counts} AS counts, p.id, coalesce(
                replace(replace(%(in_use)s, '{{what}}', {used}), '{{sku}}', p.sku),
                replace(replace(%(stays)s, '{{what}}', (SELECT min(v.sku) FROM shop_product v WHERE {stays})),
                        '{{sku}}', p.sku)) AS message, {used} IS NOT NULL AS is_used
            FROM {run.staging_table} s JOIN shop_product p ON p.sku = s.sku WHERE {where}
        )
    """


_REJECTED = """
rejected AS (
    INSERT INTO imports_rejectedrow (run_id, line, sku, "column", value, code, message, more)
    SELECT %(run)s, line, sku, %(column)s, sku, CASE WHEN is_used THEN 'in_use' ELSE 'has_variants' END,
           message, '[]'
    FROM judged WHERE counts AND message IS NOT NULL
)
"""


class _Removal:
    """One range at work."""

    def __init__(self, cursor: CursorWrapper, run: ImportRun, payload: dict[str, Any]) -> None:
        self.cursor, self.run = cursor, run
        self.params = {
            "run": run.pk,
            "low": payload["low"],
            "high": payload["high"],
            "reason": _UNKNOWN,
            "column": run.header_of("sku")[:255],
            "in_use": _IN_USE,
            "stays": _STAYS,
        }
        self.range = "s.sku >= %(low)s" + (" AND s.sku < %(high)s" if payload["high"] is not None else "")
        self.where = f"NOT s.same AND {self.range}"

    def outcomes(self) -> dict[str, int]:
        self._lock()
        outdated = (
            binding.set_aside(self.cursor, self.run, self.where, self.params) if self.run.preview else 0
        )
        if self.run.variant_ranges:  # there is a second turn
            self._defer_parents()
        counted = self._execute(
            f"SELECT count(*) FROM {self.run.staging_table} s WHERE {self.where} AND {self.run.counts}"
        )
        skipped = self._skip() + outdated
        if self.run.mode == ImportRun.Mode.UNPUBLISH:
            removed = self._unpublish()
            unchanged = counted - removed - skipped + outdated
            return {"removed": removed, "skipped": skipped, "unchanged": unchanged}
        removed = self._delete()
        rejected = counted - removed - skipped + outdated
        return {"removed": removed, "skipped": skipped, "rejected": rejected}

    def _execute(self, statement: str) -> int:
        """Run it; returns its first value for a SELECT, else how many rows it wrote."""
        self.cursor.execute(statement, self.params)
        return int(self.cursor.fetchone()[0] if self.cursor.description else self.cursor.rowcount)

    def _lock(self) -> None:
        self._execute(
            f"""
            WITH locked AS MATERIALIZED (
                SELECT 1 FROM {self.run.staging_table} s JOIN shop_product p ON p.sku = s.sku
                WHERE {self.where} ORDER BY p.sku FOR UPDATE OF p
            ) SELECT count(*) FROM locked
            """
        )

    def _defer_parents(self) -> None:
        """Take on all rows but those whose products have variants, which may be deleted at this moment."""
        self._execute(
            f"""
            UPDATE {self.run.staging_table} s SET same = true WHERE {self.where}
               AND NOT EXISTS (SELECT FROM shop_product p WHERE p.sku = s.sku AND {HAS_VARIANTS})
            """
        )
        self.where = f"s.same AND {self.range}"

    def _skip(self) -> int:
        return self._execute(
            f"""
            INSERT INTO imports_setasiderow (run_id, line, sku, outcome, code, reason)
            SELECT %(run)s, s.line, s.sku, 'skipped', 'exists_not', %(reason)s
            FROM {self.run.staging_table} s
            WHERE {self.where} AND {self.run.counts}
              AND NOT EXISTS (SELECT FROM shop_product p WHERE p.sku = s.sku)
            """
        )

    def _unpublish(self) -> int:
        self.params["version"] = self._execute("SELECT nextval('shop_content_version')")
        return self._execute(
            f"""
            WITH {
                unpublished(
                    "SELECT s.line, s.sku, " + self.run.counts + f" AS counts"
                    f" FROM {self.run.staging_table} s WHERE {self.where}"
                )
            }
            SELECT count(*) FILTER (WHERE counts) FROM changed
            """
        )

    def _delete(self) -> int:
        return self._execute(
            f"""
            WITH {_judged(self.run, self.where)}, {_REJECTED}, going AS MATERIALIZED (
                SELECT j.line, j.counts, p.id, p.version, to_jsonb(p) || {WITH_IMAGES} AS before
                FROM judged j JOIN shop_product p ON p.id = j.id WHERE j.message IS NULL
            ), images AS (
                DELETE FROM shop_productimage i USING going g WHERE i.product_id = g.id
            ), deleted AS (
                DELETE FROM shop_product p USING going g WHERE p.id = g.id
            ), journaled AS (
                INSERT INTO imports_rowchange (run_id, product_id, line, before, after, version_before,
                                               version_after)
                SELECT %(run)s, id, line, before, NULL, version, NULL FROM going
            )
            SELECT count(*) FILTER (WHERE counts) FROM going
            """
        )


def unpublished(rows: str) -> str:
    """Queries, the last one named `changed`, that unpublish products and journal it with %(run)s; their
    content gets %(version)s. `rows` is a query of (line, sku, counts) of locked products."""
    return f"""
        rows AS MATERIALIZED ({rows}), changed AS (
            UPDATE shop_product p
            SET published = false, version = %(version)s, source_hash = NULL, updated_at = now()
            FROM rows r WHERE p.sku = r.sku AND p.published
            RETURNING r.line, r.counts, new.id, old.version AS version_before, new.version AS version_after
        ), journaled AS (
            INSERT INTO imports_rowchange (run_id, product_id, line, before, after, version_before,
                                           version_after)
            SELECT %(run)s, id, line, '{{"published": true}}', '{{"published": false}}', version_before,
                   version_after
            FROM changed
        )
    """
