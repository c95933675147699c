"""Mirror: unpublish what the file no longer has, within a category or a source, after all rows are loaded.

A product counts as listed when any row of the file has its SKU, rejected ones as well; one that has a listed
variant is listed too. Where the file does not say which rows are variants, they go with their product.
"""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from imports import checking, key_range, pipeline, removing, staging
from imports.models import ImportRun
from imports.pipeline import Range
from shop.models import Category
from tasks.claiming import Claim


def obstacle(run: ImportRun) -> str:
    """Why it is not certain what the file lacks, so that nothing is unpublished; "" if it is."""
    if not run.mirror:
        return ""
    if run.mirror == ImportRun.Mirror.CATEGORY and run.mirror_category is None:
        return "The category whose products were to be unpublished is gone, so none was."
    if not run.rows_staged:
        return "The file has no sound row, so no product was unpublished for being absent from it."
    # A row of several products' making tells no more than one of their SKUs.
    untold = run.rejected if run.is_shaped else run.rejected_rows.filter(sku="").count()
    if untold:
        rows = "1 row" if untold == 1 else f"{untold:,} rows"
        return (
            f"{rows} could not be read, so it is not known what the file lacks, and no product was"
            " unpublished for being absent from it. Mend the file and import it again."
        )
    return ""


def told(run: ImportRun) -> str:
    """What a mirror came to, as a sentence; "" while that is open, and for all other imports."""
    if run.unlisted:
        them = "1 product was" if run.unlisted == 1 else f"{run.unlisted:,} products were"
        return f"{them} unpublished, because the file lacks {'it' if run.unlisted == 1 else 'them'}."
    if not run.mirror or run.state != ImportRun.State.COMPLETED or run.purged_at:
        return ""
    return obstacle(run) or "The file lacks no published product, so none was unpublished."


_EVERYWHERE = {"bounds": "", "variants": "", "parents": ""}


def unlisted(run: ImportRun) -> tuple[str, dict[str, Any]]:
    """SQL that tells whether a product `p` is published, in the mirror's scope and not listed, with its
    parameters; to be formatted with what binds it to a key range. The staging table has to be there."""
    scope, params = _scope(run)
    conditions = ["p.published", scope]
    for listed in _listed(run):
        conditions += [
            f"NOT EXISTS (SELECT FROM {listed} l WHERE l.sku = p.sku {{bounds}})",
            f"NOT EXISTS (SELECT FROM shop_product v JOIN {listed} l ON l.sku = v.sku"
            " WHERE v.parent_id = p.id {variants})",
        ]
        if "parent" not in run.written:
            conditions.append(
                f"NOT EXISTS (SELECT FROM shop_product above JOIN {listed} l ON l.sku = above.sku"
                " WHERE above.id = p.parent_id {parents})"
            )
    return " AND ".join(conditions), params


def _listed(run: ImportRun) -> list[str]:
    """SQL for the tables that have the file's SKUs."""
    rejected = f"(SELECT sku FROM imports_rejectedrow WHERE run_id = {int(run.pk)})"
    return [run.staging_table, *([rejected] if run.rejected else [])]


def _scope(run: ImportRun) -> tuple[str, dict[str, Any]]:
    """The products that the file speaks for: a variant without a category or a source has its product's."""
    above = "SELECT FROM shop_product above WHERE above.id = p.parent_id AND"
    if run.mirror == ImportRun.Mirror.SOURCE:
        condition = f"(p.source = %(source)s OR p.source = '' AND EXISTS ({above} above.source = %(source)s))"
        return condition, {"source": run.source}
    category = cast("Category", run.mirror_category)
    ids = list(Category.objects.below(category).values_list("pk", flat=True))
    inside = "category_id = ANY(%(categories)s)"
    return f"(p.{inside} OR p.category_id IS NULL AND EXISTS ({above} above.{inside}))", {"categories": ids}


def count_unlisted(run: ImportRun) -> int:
    """How many products would be unpublished now; 0 where an obstacle forbids it."""
    if not run.mirror or obstacle(run):
        return 0
    condition, params = unlisted(run)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM shop_product p WHERE {condition.format(**_EVERYWHERE)}", params)
        return int(cursor.fetchone()[0])


def find(claim: Claim) -> None:
    """Cut what is to be unpublished into key ranges, one job each."""
    run = ImportRun.objects.get(pk=claim.payload["run"])
    pipeline.must_be(run, ImportRun.State.LOADING)
    ranges: list[Range] = []
    if not obstacle(run):
        _restore_staging(run)
        with connection.cursor() as cursor:
            ranges = _ranges(cursor, run)
    with transaction.atomic():
        pipeline.found_unlisted(claim, run_id=run.pk, ranges=ranges)


def unpublish(claim: Claim) -> None:
    """Unpublish the unlisted products of a key range."""
    run = ImportRun.objects.get(pk=claim.payload["run"])
    pipeline.must_be(run, ImportRun.State.LOADING)
    _restore_staging(run)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(key_range.ANNOUNCED)
        count = _unpublish(cursor, run, low=claim.payload["low"], high=claim.payload["high"])
        pipeline.mirrored(claim, run_id=run.pk, unlisted=count)


def _restore_staging(run: ImportRun) -> None:
    if staging.is_lost(run):
        checking.rebuild(run)


def _ranges(cursor: CursorWrapper, run: ImportRun) -> list[Range]:
    condition, params = unlisted(run)
    cursor.execute(
        f"""
        SELECT sku FROM (SELECT p.sku, row_number() OVER (ORDER BY p.sku) AS number
                         FROM shop_product p WHERE {condition.format(**_EVERYWHERE)}) p
        WHERE (number - 1) %% %(size)s = 0 ORDER BY sku
        """,
        params | {"size": settings.IMPORT_RANGE_ROWS},
    )
    lows = [sku for (sku,) in cursor]
    return list(zip(lows, [*lows[1:], None], strict=True)) if lows else []


def _unpublish(cursor: CursorWrapper, run: ImportRun, *, low: str, high: str | None) -> int:
    condition, params = unlisted(run)
    within = "{0}.sku >= %(low)s" + (" AND {0}.sku < %(high)s" if high is not None else "")
    # The same bounds for the file's rows and for the family, or each range would look at all of them.
    condition = condition.format(
        bounds=f"AND {within.format('l')}",
        variants=f"AND v.parent_id IN (SELECT r.id FROM shop_product r WHERE {within.format('r')})",
        parents=f"AND above.id IN (SELECT r.parent_id FROM shop_product r WHERE {within.format('r')})",
    )
    cursor.execute(
        f"""
        CREATE TEMPORARY TABLE unlisted AS
        SELECT p.sku FROM shop_product p WHERE {within.format("p")} AND {condition}
        ORDER BY p.sku FOR UPDATE OF p
        """,
        params | {"low": low, "high": high},
    )
    cursor.execute(key_range.BY_INDEX)
    cursor.execute(
        f"""
        WITH {removing.unpublished("SELECT 0 AS line, sku, true AS counts FROM unlisted")}
        SELECT count(*) FROM changed
        """,
        {"run": run.pk, "version": key_range.new_version(cursor)},
    )
    [count] = cursor.fetchone()
    cursor.execute("DROP TABLE unlisted")
    return int(count)
