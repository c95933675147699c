"""Write one key range of the staging table into the catalogue, in one transaction with journal and counts.

Ranges are disjoint and sorted, so they neither conflict nor deadlock with each other; existing products are
locked in SKU order, as orders do, and the parents of a range of variants among them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from imports import (
    adjusting,
    binding,
    checking,
    differing,
    parents,
    pictures,
    pipeline,
    removing,
    staging,
)
from imports.key_range import ANNOUNCED, BY_INDEX, KeyRange, new_version
from imports.models import ImportRun
from imports.recognising import source_hash
from tasks.claiming import Claim


def load(claim: Claim) -> None:
    """Merge the claim's range, after filling the staging table again if a crash emptied it."""
    run = ImportRun.objects.get(pk=claim.payload["run"])
    pipeline.must_be(run, ImportRun.State.LOADING)
    if staging.is_lost(run):
        checking.rebuild(run)
    # The first attempt may have failed over a category deleted since.
    checking.resolve_categories(run, anew=claim.job.attempts > 1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{BY_INDEX}; {ANNOUNCED}; SET LOCAL work_mem = '64MB'")
        if run.removes:
            pipeline.loaded(claim, run_id=run.pk, **removing.remove(cursor, run, claim.payload))
            return
        if claim.job.attempts > 1:
            checking.separate_slugs(cursor, run)  # or over a slug that was taken since
        work = _Merge(cursor, run, claim.payload)
        # A product that staff made meanwhile breaks the unique SKU, and the next attempt looks.
        outcomes = work.merge(fresh=claim.payload["fresh"] and claim.job.attempts == 1)
        pipeline.loaded(claim, run_id=run.pk, stock_kept=work.stock_kept, **outcomes)


class _Merge(KeyRange):
    """One range, merged."""

    def merge(self, *, fresh: bool) -> dict[str, int]:
        """Write the range; returns the outcomes of its rows. `fresh`: none of the SKUs exists yet."""
        self.params["version"] = new_version(self.cursor)
        misplaced = self._reject_misplaced() if self.variants else 0
        found = 0 if fresh else self._lock_existing()
        outdated, outdated_same = self._set_aside_outdated() if self.run.preview and not fresh else (0, 0)
        impossible = self._reject_impossible() if self.run.adjusts_stock else 0
        if outdated or impossible:
            found = self._lock_existing()
        self.rows = self._count()
        counted = self._count(self.run.counts) if self.run.is_shaped else self.rows
        skipped = self._skip(found)
        updates = self.run.mode != ImportRun.Mode.CREATE
        updated = self._update() if found and updates else 0
        creates = self.run.mode != ImportRun.Mode.UPDATE and found < self.rows
        created = self._create(found) if creates else 0
        rejected = self._reject_incomplete() if creates and created + found < self.rows else 0
        return {
            "created": created,
            "updated": updated,
            "skipped": skipped + outdated + outdated_same,
            "rejected": rejected + misplaced + impossible,
            "unchanged": counted - created - updated - skipped - rejected - outdated_same,
        }

    def _reject_misplaced(self) -> int:
        return parents.reject_misplaced(self.cursor, self.run, self.where, self.params)

    def _reject_impossible(self) -> int:
        return adjusting.reject_impossible(self.cursor, self.run, self.where, self.params)

    def _lock_existing(self) -> int:
        return self._execute(
            f"""
            WITH locked AS MATERIALIZED (
                SELECT 1 FROM {self.run.staging_table} s JOIN shop_product p ON p.sku = s.sku
                WHERE {self.where} ORDER BY p.sku FOR UPDATE OF p
            ) SELECT count(*) FROM locked
            """
        )

    def _set_aside_outdated(self) -> tuple[int, int]:
        """Set aside what was changed since the preview: lines to be written, and lines counted as unchanged
        (all of those with the range's keys, so that each is looked at once)."""
        outdated = binding.set_aside(self.cursor, self.run, self.where, self.params)
        if self.variants:
            return outdated, 0
        return outdated, binding.list_unchanged(self.cursor, self.run, self.keys, self.params)

    def _skip(self, found: int) -> int:
        """List the rows that the mode leaves out."""
        exists = "EXISTS (SELECT FROM shop_product p WHERE p.sku = s.sku)"
        if self.run.mode == ImportRun.Mode.CREATE and found:
            condition, code, reason = exists, "exists", checking.EXISTS
        elif self.run.mode == ImportRun.Mode.UPDATE and found < self.rows:
            condition, code, reason = f"NOT {exists}", "exists_not", checking.EXISTS_NOT
        else:
            return 0
        self.params |= {"code": code, "reason": reason}
        return self._execute(
            f"""
            INSERT INTO imports_setasiderow (run_id, line, sku, outcome, code, reason)
            SELECT %(run)s, s.line, s.sku, 'skipped', %(code)s, %(reason)s FROM {self.run.staging_table} s
            WHERE {self.where} AND {self.run.counts} AND {condition}
            """
        )

    def _update(self) -> int:
        """Update the products that differ and journal the columns that changed, before and after."""
        written, fields = self.run.written, differing.content(self.run)
        assignments = [f"{field.name} = {field.value}" for field in fields]
        differs = [field.differs for field in fields]
        names = [field.name for field in fields]
        if "images" in written:
            differs.append(pictures.DIFFER)
        content = " OR ".join(differs) or "false"
        stock = self._stock() if "stock" in written else "p.stock"
        if "stock" in written:
            names.append("stock")
            differs.append(f"p.stock <> {stock}")
        if self.run.source:
            names.append("source")
            assignments.append("source = %(source)s")
            differs.append("p.source <> %(source)s")
        if not differs:
            return 0
        before, after = _changed("old", names), _changed("new", names)
        if "images" in written:
            before, after = f"{before} || {pictures.BEFORE}", f"{after} || {pictures.AFTER}"
        assignments += [
            f"stock = {stock}",
            f"version = CASE WHEN {content} THEN %(version)s ELSE p.version END",
            f"source_hash = {self._source_hash(updating=True)}",
        ]
        return self._execute(
            f"""
            WITH changed AS (
                UPDATE shop_product p SET {", ".join(assignments)}, updated_at = now()
                FROM {self.source}
                WHERE p.sku = s.sku AND {self.where} AND ({" OR ".join(differs)})
                RETURNING s.line, new.id, {before} AS before, {after} AS after, {self.run.counts} AS counts,
                          old.version AS version_before, new.version AS version_after,
                          new.stock - old.stock AS moved, new.stock
            ), journaled AS (
                INSERT INTO imports_rowchange (run_id, product_id, line, before, after, version_before,
                                               version_after)
                SELECT %(run)s, id, line, before, after, version_before, version_after FROM changed
            ) {_MOVED if "stock" in written else ""} {pictures.REPLACED if "images" in written else ""}
            SELECT count(*) FILTER (WHERE counts) FROM changed
            """
        )

    @contextmanager
    def _categories_held(self) -> Iterator[None]:
        """Do what the foreign key to the categories does, once for each category and not for each row.

        The key's trigger takes a quarter of an insert's time to find and share-lock the row's category. Here
        all are found and locked beforehand, so none can go before the transaction ends, and the trigger is
        left out. It works where the database role may not do that, where a category is gone already, and
        where there are more categories than rows.
        """
        table = f"{self.run.staging_table}_categories"
        self.cursor.execute(
            f"""
            WITH held AS MATERIALIZED (
                SELECT 1 FROM shop_category c JOIN {table} m ON m.category_id = c.id
                WHERE (SELECT count(category_id) FROM {table}) <= %(rows)s
                ORDER BY c.id FOR KEY SHARE OF c
            )
            SELECT has_parameter_privilege('session_replication_role', 'SET')
               AND (SELECT count(*) FROM held) = (SELECT count(category_id) FROM {table})
            """,
            {"rows": self.rows},
        )
        [held] = self.cursor.fetchone()
        if held:
            self.cursor.execute("SET LOCAL session_replication_role = 'replica'")
        yield
        if held:
            self.cursor.execute("SET LOCAL session_replication_role = 'origin'")

    def _create(self, found: int) -> int:
        """Insert the products that are not there yet and journal them.

        In the order of their slugs and so, nearly, of their names: inside a range of SKUs that keeps all of
        the large indexes' pages warm.
        """
        absent = "AND NOT EXISTS (SELECT FROM shop_product p WHERE p.sku = s.sku)" if found else ""
        self.params |= _key_parts()
        written = self.run.written
        more = {
            "parent_id": "above.id",
            "options": "coalesce(s.options, '{}')",
            "compare_at_price": "nullif(s.compare_at_price, 0)",
        }
        more = {name: value for name, value in more.items() if name.removesuffix("_id") in written}
        metadata = "coalesce(s.metadata, '{}')"
        if self.run.keep_unknown:
            metadata += " || coalesce(s.extra, '{}')"
        if self.run.source:
            more["source"] = "%(source)s"
        has_images, is_shaped = "images" in written, self.run.is_shaped
        counted = f"JOIN {self.run.staging_table} s USING (sku) WHERE s.counts" if is_shaped else ""
        statement = f"""
            WITH made AS (
                INSERT INTO shop_product ({"".join(f"{name}, " for name in more)}
                                          id, sku, slug, name, description, price, stock, category_id,
                                          published, featured, metadata, created_at, updated_at, source_hash,
                                          version, opening_stock)
                SELECT {"".join(f"{value}, " for value in more.values())}
                       (%(time)s || lpad(to_hex(row_number() OVER (ORDER BY s.slug)), 6, '0')
                        || %(random)s)::uuid,
                       s.sku, coalesce(s.slug, uuidv7()::text), s.name, coalesce(s.description, ''), s.price,
                       coalesce(s.stock, 0), m.category_id, coalesce(s.published, true),
                       coalesce(s.featured, false), {metadata},
                       now(), now(), {self._source_hash()}, %(version)s, coalesce(s.stock, 0)
                FROM {self.source}
                WHERE {self.where} AND s.name IS NOT NULL AND s.price IS NOT NULL {absent} ORDER BY s.slug
                RETURNING id {", sku" if has_images or is_shaped else ""}
            ), journaled AS (
                INSERT INTO imports_createdproducts (run_id, at, version, product_ids)
                SELECT %(run)s, now(), %(version)s, array_agg(id) FROM made HAVING count(*) > 0
            ) {pictures.added(self.run) if has_images else ""}
            SELECT count(*) FROM made {counted}
            """
        with self._categories_held():
            if not found:  # only the categories are joined, of which there are few
                self.cursor.execute("SET LOCAL enable_hashjoin = on")
            created = self._execute(statement)
            self.cursor.execute("SET LOCAL enable_hashjoin = off")
            return created

    def _source_hash(self, *, updating: bool = False) -> str:
        if "category" not in self.run.written:
            return source_hash("NULL")
        stored = source_hash("nullif(s.category, '')")
        if not updating:
            return stored
        # The row leaves the category alone, so its text does not tell what the product's is.
        return f"CASE WHEN s.category IS NULL AND p.category_id IS NOT NULL THEN NULL ELSE {stored} END"

    def _reject_incomplete(self) -> int:
        """Rows for products that were deleted since staging, and that say too little to make them anew."""
        return self._execute(
            f"""
            INSERT INTO imports_rejectedrow (run_id, line, sku, "column", value, code, message, more)
            SELECT %(run)s, s.line, s.sku, '', '', 'product_gone',
                   'The product was deleted while the import ran, and the row lacks the name or price that a'
                   ' new one needs. Add them and upload the row again.', '[]'
            FROM {self.run.staging_table} s
            WHERE {self.where} AND (s.name IS NULL OR s.price IS NULL) AND {self.run.counts}
              AND NOT EXISTS (SELECT FROM shop_product p WHERE p.sku = s.sku)
            """
        )


_MOVED = """
, stock_moved AS (
    INSERT INTO shop_stockmovement (product_id, quantity, balance, kind, reference, note, by, at)
    SELECT id, moved, stock, 'import', %(reference)s, '', '', now() FROM changed WHERE moved <> 0
)
"""


def _key_parts() -> dict[str, str]:
    """Hexadecimal digits around a counter of 6 that make time-ordered keys: UUIDs of version 7 whose random
    bits are drawn once a range (RFC 9562, section 6.2, method 1). One by one they would cost a fifteenth of
    the load.
    """
    milliseconds, random = time.time_ns() // 1_000_000, secrets.token_hex(6)
    return {"time": f"{milliseconds:012x}7{random[:3]}8{random[3:6]}", "random": random[6:]}


def _changed(side: str, names: Iterable[str]) -> str:
    """SQL for a JSON object of those columns that differ between old and new, as `side` has them."""
    return " || ".join(
        f"CASE WHEN old.{name} IS DISTINCT FROM new.{name}"
        f" THEN jsonb_build_object('{name}', {side}.{name}) ELSE '{{}}' END"
        for name in names
    )
