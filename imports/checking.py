"""Decide, set-based on the staging table, what each line will do. Writes nothing to the products.

Later lines of a SKU supersede earlier ones, categories are resolved, clashing slugs get a suffix made from
the SKU (never from the order of arrival), and the rest is cut into key ranges.
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from imports import pipeline
from imports.models import ImportRun
from shop import categories
from shop.models import Category
from tasks import claiming
from tasks.claiming import Claim

type Range = tuple[str, str | None, int]


def check(claim: Claim) -> None:
    """Settle the staging table and create the load jobs; stages again if a crash emptied the table."""
    run = ImportRun.objects.get(pk=claim.payload["run"])
    pipeline.must_be(run, ImportRun.State.CHECKING)
    if _staged_rows(run) != run.rows_staged:
        with transaction.atomic():
            pipeline.restage(run_id=run.pk)
            claiming.complete(claim)
        return
    made = resolve_categories(run)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        superseded = _set_aside_superseded(cursor, run)
        unchanged, skipped = _settle_same(cursor, run)
        cursor.execute(f"CREATE UNIQUE INDEX ON {run.staging_table} (sku) WHERE NOT same")
        cursor.execute(f"ANALYZE {run.staging_table}")
        separate_slugs(cursor, run)
        pipeline.checked(
            claim,
            run_id=run.pk,
            ranges=_ranges(cursor, run),
            categories=made,
            superseded=superseded,
            unchanged=unchanged,
            skipped=skipped,
        )


def _staged_rows(run: ImportRun) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {run.staging_table}")
        return int(cursor.fetchone()[0])


def resolve_categories(run: ImportRun) -> int:
    """Create the categories that rows to be written name, in a short transaction of their own.

    Returns how many were new.
    """
    table = run.staging_table
    wanted = {"create": "NOT found", "update": "found"}.get(run.mode, "true")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT category FROM {table} WHERE NOT same AND category IS NOT NULL AND {wanted}"
        )
        paths = {text: categories.split_path(text) for (text,) in cursor.fetchall()}
    with transaction.atomic(), connection.cursor() as cursor:
        before = Category.objects.count()
        ids = categories.ensure(paths.values())
        cursor.executemany(
            f"INSERT INTO {table}_categories VALUES (%s, %s)"
            " ON CONFLICT (path) DO UPDATE SET category_id = excluded.category_id",
            [(text, ids[categories.key_of(names)]) for text, names in paths.items()],
        )
        return Category.objects.count() - before


def _set_aside_superseded(cursor: CursorWrapper, run: ImportRun) -> int:
    """The last line of a SKU wins; the earlier ones leave the staging table and are listed."""
    cursor.execute(
        f"""
        WITH winner AS (
            SELECT sku, max(line) AS line FROM {run.staging_table} GROUP BY sku HAVING count(*) > 1
        ), loser AS (
            DELETE FROM {run.staging_table} s USING winner w WHERE s.sku = w.sku AND s.line < w.line
            RETURNING s.line, s.sku, w.line AS winner
        )
        INSERT INTO imports_setasiderow (run_id, line, sku, outcome, reason)
        SELECT %s, line, sku, 'superseded', 'Line ' || winner || ' has the same SKU and comes later.'
        FROM loser
        """,
        [run.pk],
    )
    return cursor.rowcount


def _settle_same(cursor: CursorWrapper, run: ImportRun) -> tuple[int, int]:
    """Count the rows whose product is already just so: unchanged, or skipped when only creating."""
    if run.mode == ImportRun.Mode.CREATE:
        cursor.execute(
            f"""
            INSERT INTO imports_setasiderow (run_id, line, sku, outcome, reason)
            SELECT %s, line, sku, 'skipped', %s FROM {run.staging_table} WHERE same
            """,
            [run.pk, EXISTS],
        )
        return 0, cursor.rowcount
    cursor.execute(f"SELECT count(*) FROM {run.staging_table} WHERE same")
    return int(cursor.fetchone()[0]), 0


EXISTS = "The product exists already, and this import only creates new ones."
EXISTS_NOT = "No product has this SKU, and this import only updates existing ones."

# Taken in this order until a slug is free; the last can't clash but by an accident of hashing.
_SUFFIXES = (
    "lower(trim('-' from regexp_replace(s.sku, '[^A-Za-z0-9]+', '-', 'g')))",
    "lower(trim('-' from regexp_replace(s.sku, '[^A-Za-z0-9]+', '-', 'g'))) || '-' || left(md5(s.sku), 8)",
)


def separate_slugs(cursor: CursorWrapper, run: ImportRun) -> None:
    """Give new products whose slug is not theirs alone a suffix made from their SKU."""
    table = run.staging_table
    cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
    for suffix in _SUFFIXES:
        cursor.execute(
            f"""
            WITH twice AS MATERIALIZED (
                SELECT slug FROM {table} WHERE NOT found GROUP BY slug HAVING count(*) > 1
            )
            UPDATE {table} s SET slug = left(s.slug, 60) || '-' || {suffix}
            WHERE NOT s.found AND (
                s.slug IN (SELECT slug FROM twice)
                OR EXISTS (SELECT FROM shop_product p WHERE p.slug = s.slug AND p.sku <> s.sku)
            )
            """
        )
    cursor.execute("SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on")


def _ranges(cursor: CursorWrapper, run: ImportRun) -> list[Range]:
    """Cut the rows to be written into ranges of keys: `(first, next range's first or None, rows)`."""
    table, size = run.staging_table, settings.IMPORT_RANGE_ROWS
    cursor.execute(f"SELECT count(*) FROM {table} WHERE NOT same")
    rows = int(cursor.fetchone()[0])
    if not rows:
        return []
    # At least a handful of ranges, so that two workers end at about the same time.
    size = min(size, max(2_000, -(-rows // 8)))
    cursor.execute(
        f"""
        SELECT sku FROM (
            SELECT sku, row_number() OVER (ORDER BY sku) AS n FROM {table} WHERE NOT same
        ) numbered WHERE n %% %s = 1 ORDER BY sku
        """,
        [size],
    )
    lows = [sku for (sku,) in cursor.fetchall()]
    highs: list[str | None] = [*lows[1:], None]
    last = rows - size * (len(lows) - 1)
    return [(low, high, last if high is None else size) for low, high in zip(lows, highs, strict=True)]
