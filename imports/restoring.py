"""Take one part of a run's journal back, in one transaction with the undo's own journal and counts.

The products of a part are locked in SKU order, as imports and orders do. Foreign keys are looked after for
all of them at once, so the triggers that would do so for each row are left out, as in a load.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from imports import keeping, pictures, pipeline, removing
from imports.models import ImportRun
from imports.variant_columns import IMAGES
from shop.models import Product
from tasks.claiming import Claim

_MAY_LEAVE_OUT = "SELECT has_parameter_privilege('session_replication_role', 'SET')"
# What is the undo's own affair; everything else of a product is its content, or its stock.
_OWN = {"id", "created_at", "updated_at", "version", "source_hash", "opening_stock"}
_COLUMNS = [str(field.column) for field in Product._meta.concrete_fields]
_CONTENT = [name for name in _COLUMNS if name not in _OWN]


def restore(claim: Claim) -> None:
    """Take back what the claim's part of the journal says, and count what became of it."""
    run = ImportRun.objects.select_related("undoes", "owner").get(pk=claim.payload["run"])
    pipeline.must_be(run, ImportRun.State.LOADING)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            # A hash join would read the whole catalogue for every part.
            "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL work_mem = '64MB';"
            # Triggers on products clear the hash, draw a version and enter stock in the ledger for others.
            " SET LOCAL tallyman.source_hash = 'kept'; SET LOCAL tallyman.stock_kind = 'written'"
        )
        outcomes = _Part(cursor, run, claim.payload).take_back()
        pipeline.loaded(claim, run_id=run.pk, **outcomes)


class _Part:
    """One part of the journal at work: parameters and the statements over it."""

    def __init__(self, cursor: CursorWrapper, run: ImportRun, payload: dict[str, Any]) -> None:
        undone = cast(ImportRun, run.undoes)  # a constraint says that there is one
        self.cursor = cursor
        self.journal = keeping.journal(payload)
        self.is_redo = undone.kind == ImportRun.Kind.UNDO
        self.moves_under = payload["step"] in (keeping.SECOND, keeping.THIRD)
        self.params = {
            **keeping.parameters(undone),
            **payload,
            "reference": run.subject,
            "by": run.owner.get_username() if run.owner else "",
        }

    def take_back(self) -> dict[str, int]:
        """Lock, judge, list what is kept, write the rest; returns the outcomes of the part's products."""
        self._lock()
        self._judge()
        skipped = self._list_kept()
        with self._without_triggers() as are_out:
            removed = self._remove()
            updated = self._restore()
            created = self._bring_back(opens_stock=not are_out)
        total = self._execute("SELECT count(*) FROM judged")
        self._execute("DROP TABLE judged")
        return {
            "updated": updated,
            "removed": removed,
            "created": created,
            "skipped": skipped,
            "unchanged": total - updated - removed - created - skipped,
        }

    def _execute(self, statement: str) -> int:
        """Run it; returns its first value for a SELECT, else how many rows it wrote."""
        self.cursor.execute(statement, self.params)
        if self.cursor.description:
            return int(self.cursor.fetchone()[0])
        return int(self.cursor.rowcount)

    def _lock(self) -> None:
        """The products and, unless they only go, the parents and categories that they return to.

        By an array of keys: where an emptied table is filled again, its statistics still say that there is
        hardly a row, and a join would read all of them, and for each of them the journal.
        """
        parents = "UNION SELECT (j.before ->> 'parent_id')::uuid FROM j" if self.moves_under else ""
        self._execute(
            f"""
            WITH j AS ({self.journal}), locked AS MATERIALIZED (
                SELECT 1 FROM shop_product p WHERE p.id = ANY(ARRAY(SELECT j.id FROM j {parents}))
                ORDER BY p.sku FOR UPDATE OF p
            ) SELECT count(*) FROM locked
            """
        )
        if "creations" in self.params:
            return
        self._execute(
            f"""
            WITH j AS ({self.journal}), locked AS MATERIALIZED (
                SELECT 1 FROM shop_category c
                WHERE c.id = ANY(ARRAY(SELECT DISTINCT (j.before ->> 'category_id')::bigint FROM j))
                ORDER BY c.id FOR KEY SHARE OF c
            ) SELECT count(*) FROM locked
            """
        )

    def _judge(self) -> None:
        """In a statement of its own: it must see what was committed while the lock was waited for."""
        self._execute(
            f"""
            CREATE TEMPORARY TABLE judged AS
            SELECT j.*, {keeping.verdict()} AS code
            FROM ({self.journal}) j LEFT JOIN shop_product p ON p.id = j.id
            """
        )

    def _list_kept(self) -> int:
        return self._execute(
            f"""
            INSERT INTO imports_setasiderow (run_id, line, sku, outcome, code, reason)
            SELECT %(run)s, NULL, sku, 'skipped', code, reason FROM ({keeping.kept("judged")}) k
            """
        )

    @contextmanager
    def _without_triggers(self) -> Iterator[bool]:
        """Leave the triggers out where the database role may do that; yields whether they are out."""
        self.cursor.execute(_MAY_LEAVE_OUT)
        [may] = self.cursor.fetchone()
        if may:
            self.cursor.execute("SET LOCAL session_replication_role = 'replica'")
        yield bool(may)
        if may:
            self.cursor.execute("SET LOCAL session_replication_role = 'origin'")

    def _remove(self) -> int:
        """Take products out with their images; the journal gets all that they were.

        Only what a redo takes out, because an undo had brought it back, can have uploaded images or texts
        beside them: any other product with one was changed since and is kept.
        """
        images = removing.WITH_IMAGES if self.is_redo else f"jsonb_build_object('images', {IMAGES})"
        self._execute(
            f"""
            INSERT INTO imports_rowchange
                (run_id, product_id, line, before, after, version_before, version_after)
            SELECT %(run)s, p.id, 0, to_jsonb(p) || {images}, NULL, p.version, NULL
            FROM judged j JOIN shop_product p ON p.id = j.id WHERE j.code IS NULL AND j.deed = 'remove'
            """
        )
        going = "SELECT j.id FROM judged j WHERE j.code IS NULL AND j.deed = 'remove'"
        self._execute(f"DELETE FROM shop_productimage i USING ({going}) j WHERE i.product_id = j.id")
        return self._execute(f"DELETE FROM shop_product p USING ({going}) j WHERE p.id = j.id")

    def _restore(self) -> int:
        """Give products their content and stock back; the journal gets the run's own, turned round."""
        values = ", ".join(_populated(name) for name in _CONTENT)
        restored = self._execute(
            f"""
            WITH restored AS (
                UPDATE shop_product p SET
                    ({", ".join(_CONTENT)}) = (SELECT {values} FROM jsonb_populate_record(p, j.before) r),
                    version = j.old_version, source_hash = NULL, updated_at = now()
                FROM judged j WHERE p.id = j.id AND j.code IS NULL AND j.deed = 'restore'
                RETURNING p.id, j.before, j.after, j.version, j.old_version, new.stock,
                          new.stock - old.stock AS moved
            ), journaled AS (
                INSERT INTO imports_rowchange
                    (run_id, product_id, line, before, after, version_before, version_after)
                SELECT %(run)s, id, 0, after, before, version, old_version FROM restored
            ), stock_moved AS (
                INSERT INTO shop_stockmovement (product_id, quantity, balance, kind, reference, note, by, at)
                SELECT id, moved, stock, 'undo', %(reference)s, '', %(by)s, now() FROM restored
                WHERE moved <> 0
            ) SELECT count(*) FROM restored
            """
        )
        if restored:
            self._restore_images()
        return restored

    def _restore_images(self) -> None:
        """By their addresses; where the journal has the rows, these replace what is there."""
        with_rows = "jsonb_exists(j.before, 'image_rows')"
        restored = "FROM judged j WHERE j.code IS NULL AND j.deed = 'restore'"
        self._execute(
            f"""
            WITH changed AS MATERIALIZED (
                SELECT j.id, j.before AS after {restored}
                AND jsonb_exists(j.before, 'images') AND NOT {with_rows}
            ) {pictures.REPLACED} SELECT count(*) FROM changed
            """
        )
        by_row = f"(SELECT j.id, j.before {restored} AND {with_rows})"
        # In two statements: one would not see that the rows with the same ids are gone.
        self._execute(
            f"""
            DELETE FROM shop_productimage i USING {by_row} j
            WHERE i.product_id = j.id AND i.source_url <> ''
            """
        )
        self._execute(pictures.AS_BEFORE.format(restored=by_row))

    def _bring_back(self, *, opens_stock: bool) -> int:
        """Insert products as they were, in the order of their slugs, which keeps the indexes' pages warm.

        Their ledger is still there, so it opens with what its movements leave of the stock. A trigger makes
        the stock of a new product its opening where that is none (`opens_stock`), so there it comes after.
        """
        values = {name: _populated(name) for name in _COLUMNS} | {
            "opening_stock": "r.stock - j.moved",
            "updated_at": "now()",
        }
        if opens_stock:
            values["stock"] = "CASE WHEN r.stock = j.moved THEN 0 ELSE r.stock END"
        brought = self._execute(
            f"""
            WITH back AS MATERIALIZED (
                SELECT j.*, coalesce(m.moved, 0) AS moved, coalesce(m.last, 0) AS last
                FROM judged j, LATERAL (
                    SELECT sum(m.quantity)::int AS moved, max(m.id) AS last FROM shop_stockmovement m
                    WHERE m.product_id = j.id
                ) m WHERE j.code IS NULL AND j.deed = 'bring back'
            ), made AS (
                INSERT INTO shop_product ({", ".join(values)}) SELECT {", ".join(values.values())}
                FROM back j, jsonb_populate_record(NULL::shop_product, j.before) r ORDER BY r.slug
            ), images AS (
                INSERT INTO shop_productimage (product_id, source_url, file, alt, position)
                SELECT j.id, a.url, '', '', a.number - 1
                FROM back j, jsonb_array_elements_text(j.before -> 'images') WITH ORDINALITY AS a(url, number)
                WHERE NOT jsonb_exists(j.before, 'image_rows')
            ), image_rows AS (
                {pictures.AS_BEFORE.format(restored="back")}
            ), journaled AS (
                INSERT INTO imports_rowchange
                    (run_id, product_id, line, before, after, version_before, version_after)
                SELECT %(run)s, j.id, 0, NULL, j.before || jsonb_build_object('last_movement', j.last), NULL,
                       j.old_version
                FROM back j
            ) SELECT count(*) FROM back
            """
        )
        if opens_stock and brought:
            self._execute(
                """
                UPDATE shop_product p SET stock = (j.before ->> 'stock')::int FROM judged j
                WHERE p.id = j.id AND j.code IS NULL AND j.deed = 'bring back'
                  AND p.stock <> (j.before ->> 'stock')::int
                """
            )
        return brought


def _populated(name: str) -> str:
    """A column of a record made of JSON, where a document that is just `null` has become none."""
    return f"coalesce(r.{name}, 'null')" if name in ("metadata", "options") else f"r.{name}"
