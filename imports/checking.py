"""Decide, set-based on the staging table, what each line will do. Writes nothing to the products.

Later lines of a SKU supersede earlier ones, clashing slugs get a suffix made from the SKU (never from the
order of arrival), and the rest is cut into key ranges. The categories are found side by side with that.
"""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F

from imports import parents, pipeline, removing, staging
from imports.models import ImportRun
from imports.pipeline import Range, State
from shop import categories
from shop.models import Category
from tasks import claiming
from tasks.claiming import Claim

_FEW = 3_000  # rows: smaller ranges take longer to hand out than to load
_SAMPLED = 3_000  # rows looked at for each range; those of a page are neighbours
_STAGED = (State.CHECKING, State.PREVIEWED, State.WAITING, State.LOADING)


def check(claim: Claim) -> None:
    """Settle the staging table and create the load jobs."""
    run = ImportRun.objects.get(pk=claim.payload["run"])
    pipeline.must_be(run, ImportRun.State.CHECKING)
    with connection.cursor() as cursor:
        rows = _count(cursor, run)
    if rows.all != run.rows_staged:
        staging.rebuild(run, state=ImportRun.State.CHECKING)
        with connection.cursor() as cursor:
            rows = _count(cursor, run)
    variant = f"({parents.is_variant(run)})"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'; SET LOCAL maintenance_work_mem = '128MB'")
        superseded, rejected = _settle_duplicates(cursor, run)
        rejected += _foresee(cursor, run)
        if superseded or rejected:
            rows = _count(cursor, run)
        skipped = _skip_same(cursor, run) if rows.same and run.mode == ImportRun.Mode.CREATE else 0
        _prepare_for_loading(cursor, run, rows)
        pipeline.checked(
            claim,
            run_id=run.pk,
            ranges=_ranges(cursor, run, rows.changed - rows.variants, f"NOT {variant}"),
            variant_ranges=_ranges(cursor, run, rows.variants, variant),
            fresh=not rows.found,
            superseded=superseded,
            rejected=rejected,
            unchanged=rows.unchanged - skipped,
            skipped=skipped,
        )


def _foresee(cursor: CursorWrapper, run: ImportRun) -> int:
    """Where broken rows stop the import: reject those that the load would, before anything is written."""
    if run.errors == ImportRun.Errors.LAND:
        return 0
    return removing.foresee(cursor, run) + parents.foresee(cursor, run)


def rebuild(run: ImportRun) -> None:
    """Fill the staging table again as the check left it, after PostgreSQL crashed and emptied it.

    Counts nothing: what was counted stays so, and the ranges that are still to be loaded find their rows.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        pipeline.hold(run.pk, *_STAGED)
        if staging.count_rows(run):
            return  # another worker was faster
        staging.rebuild(run)
        _settle_duplicates(cursor, run)
        _prepare_for_loading(cursor, run, _count(cursor, run))
        if run.state == State.LOADING:
            resolve_categories(run)


class _Rows(NamedTuple):
    """Rows in the staging table: whose SKU the catalogue has, whose product is just so (and how many of those
    count), all others, and how many of those are variants."""

    found: int
    same: int
    unchanged: int
    changed: int
    variants: int

    @property
    def all(self) -> int:
        return self.same + self.changed


def _count(cursor: CursorWrapper, run: ImportRun) -> _Rows:
    cursor.execute(
        f"""
        SELECT count(*) FILTER (WHERE found), count(*) FILTER (WHERE same),
               count(*) FILTER (WHERE same AND {run.counts}), count(*) FILTER (WHERE NOT same),
               count(*) FILTER (WHERE NOT same AND {parents.is_variant(run)})
        FROM {run.staging_table} s
        """
    )
    return _Rows(*cursor.fetchone())


def _prepare_for_loading(cursor: CursorWrapper, run: ImportRun, rows: _Rows) -> None:
    """Index the rows to be written and make the slugs of new ones unique. No preview shows those, so there
    that is done when the load begins."""
    if rows.same and rows.changed:  # else the index on all SKUs serves as well
        cursor.execute(f"CREATE INDEX ON {run.staging_table} (sku) WHERE NOT same")
    if run.preview and 0 < rows.found < rows.all:  # the page of new products, however few among how many
        cursor.execute(f"CREATE INDEX ON {run.staging_table} (sku) WHERE version IS NULL")
    # Good enough to choose the index, in a tenth of the time of the default sample.
    cursor.execute("SET LOCAL default_statistics_target = 10")
    cursor.execute(f"ANALYZE {run.staging_table} (sku, slug, found, same)")
    if rows.found < rows.all and not run.removes and not run.preview:
        separate_slugs(cursor, run)


def find_categories(claim: Claim) -> None:
    """The categories, beside the check and ahead of the load, which would otherwise find them itself."""
    run = ImportRun.objects.get(pk=claim.payload["run"])
    pipeline.must_be(run, ImportRun.State.CHECKING, ImportRun.State.LOADING)
    with transaction.atomic():
        resolve_categories(run)
        claiming.complete(claim)


_RESOLVED = ""  # the path of no category: its row says that the table is complete


def resolve_categories(run: ImportRun, *, anew: bool = False) -> None:
    """Find or create the categories that rows to be written name, and count those made, in one transaction.

    After a preview, also make the slugs of new products unique. Does nothing when that was done before,
    unless `anew`.
    """
    table = f"{run.staging_table}_categories"
    with connection.cursor() as cursor:
        if not anew and _are_resolved(cursor, table):
            return
        with transaction.atomic():
            cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
            if not anew and _are_resolved(cursor, table):
                return  # somebody did it while we waited
            texts = set[str]().union(*run.chunks.values_list("categories", flat=True))
            known = categories.known(texts)
            paths = {text: categories.split_path(text) for text in texts - known.keys()}
            before = Category.objects.count()
            ids = categories.ensure(filter(None, paths.values()))
            known |= {text: ids.get(categories.key_of(names)) for text, names in paths.items()}
            cursor.execute(
                f"INSERT INTO {table} SELECT * FROM unnest(%s::text[], %s::bigint[])"
                " ON CONFLICT (path) DO UPDATE SET category_id = excluded.category_id",
                [[_RESOLVED, *known], [None, *known.values()]],
            )
            if run.forecast.get("create"):
                separate_slugs(cursor, run)
            if made := Category.objects.count() - before:
                ImportRun.objects.filter(pk=run.pk).update(categories_created=F("categories_created") + made)


def _are_resolved(cursor: CursorWrapper, table: str) -> bool:
    cursor.execute(f"SELECT EXISTS (SELECT FROM {table} WHERE path = %s)", [_RESOLVED])
    return bool(cursor.fetchone()[0])


def _settle_duplicates(cursor: CursorWrapper, run: ImportRun) -> tuple[int, int]:
    """Leave one row a SKU in the staging table and index it; returns how many lines were superseded, and how
    many rejected because they would have superseded one without being sound.

    Most files have no SKU twice: building the unique index, which is needed anyway, finds that out.
    """
    index = f"CREATE UNIQUE INDEX ON {run.staging_table} (sku)"
    try:
        with transaction.atomic():
            cursor.execute(index)
        return 0, 0
    except IntegrityError:
        # Once counted, they are not in a table that is filled again.
        rejected = 0 if run.ranges_total else parents.reject_contested(cursor, run)
        superseded = _set_aside_superseded(cursor, run)
        cursor.execute(index)
        return superseded, rejected


def _set_aside_superseded(cursor: CursorWrapper, run: ImportRun) -> int:
    """The last line of a SKU wins; the earlier ones leave the staging table and are listed."""
    cursor.execute(
        f"""
        WITH winner AS (
            SELECT sku, max(line) AS line FROM {run.staging_table} GROUP BY sku HAVING count(*) > 1
        ), loser AS (
            DELETE FROM {run.staging_table} s USING winner w WHERE s.sku = w.sku AND s.line < w.line
            RETURNING s.line, s.sku, w.line AS winner, {run.counts} AS counts
        )
        INSERT INTO imports_setasiderow (run_id, line, sku, outcome, code, reason)
        SELECT %s, line, sku, 'superseded', 'superseded',
               'Line ' || winner || ' has the same SKU and comes later.'
        FROM loser WHERE counts ON CONFLICT DO NOTHING
        """,
        [run.pk],
    )
    return cursor.rowcount


def _skip_same(cursor: CursorWrapper, run: ImportRun) -> int:
    """List the rows whose product is already just so, in an import that only creates."""
    cursor.execute(
        f"""
        INSERT INTO imports_setasiderow (run_id, line, sku, outcome, code, reason)
        SELECT %s, line, sku, 'skipped', 'exists', %s FROM {run.staging_table} s WHERE same AND {run.counts}
        """,
        [run.pk, EXISTS],
    )
    return cursor.rowcount


EXISTS = "The product exists already, and this import only creates new ones."
EXISTS_NOT = "No product has this SKU, and this import only updates existing ones."

# No slug of a name has two hyphens in a row, so a suffix after them makes it like no other one.
# Lower-casing keeps plain SKUs apart; others could become alike, so theirs carries a digest too.
_SUFFIX = """
CASE WHEN s.sku ~ '^[A-Z0-9]+(-[A-Z0-9]+)*$' THEN lower(left(s.sku, 100))
     ELSE lower(trim('-' from regexp_replace(s.sku, '[^A-Za-z0-9]+', '-', 'g'))) || '-' || left(md5(s.sku), 8)
END
"""


def separate_slugs(cursor: CursorWrapper, run: ImportRun) -> None:
    """Give new products whose slug is not theirs alone a suffix made from their SKU.

    A product keeps the slug that only its variants would have as well.
    """
    table, variant = run.staging_table, f"({parents.is_variant(run)})"
    also = f"OR {variant} AND s.slug IN (SELECT slug FROM clashing)" if "parent" in run.written else ""
    # A hash join would read the whole catalogue. Unlike INSERT, this statement may be shared by processes of
    # PostgreSQL, and during the check a core is idle.
    cursor.execute("SET LOCAL work_mem = '64MB'")
    cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
    cursor.execute(
        f"""
        CREATE TEMPORARY TABLE clashing AS
        SELECT slug, count(*) FILTER (WHERE NOT {variant}) = 1 AS has_owner
        FROM {table} s WHERE NOT found GROUP BY slug HAVING count(*) > 1
        UNION ALL
        SELECT s.slug, false FROM {table} s JOIN shop_product p ON p.slug = s.slug AND p.sku <> s.sku
        WHERE NOT s.found AND EXISTS (SELECT FROM shop_product)
        """
    )
    cursor.execute("SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on")
    cursor.execute(
        f"""
        UPDATE {table} s SET slug = left(s.slug, 60) || '--' || {_SUFFIX}
        WHERE NOT s.found AND (s.slug IN (SELECT slug FROM clashing WHERE NOT has_owner) {also})
        """
    )
    cursor.execute("DROP TABLE clashing")


def _ranges(cursor: CursorWrapper, run: ImportRun, rows: int, condition: str) -> list[Range]:
    """Cut the rows to be written that meet the condition into ranges of keys: `(first, next range's first or
    None)`; `rows` is their number.

    The cuts come from a sample: sorting all keys would cost more than ranges of somewhat different size.
    """
    if not rows:
        return []
    # At least a handful of ranges, so that two workers end at about the same time.
    size = min(settings.IMPORT_RANGE_ROWS, max(_FEW, -(-rows // 4)))
    count = -(-rows // size)
    if 1 < count < rows:
        count += count % 2  # an even number, so that they do
    percent = min(100.0, 100 * count * _SAMPLED / rows)
    cursor.execute(
        f"""
        SELECT percentile_disc(%s::float[]) WITHIN GROUP (ORDER BY sku)
        FROM {run.staging_table} s TABLESAMPLE SYSTEM (%s) WHERE NOT same AND {condition}
        """,
        # Just past the share: a range begins at the key after those that belong to the ones before it.
        [[number / count + 1e-9 for number in range(1, count)], percent],
    )
    lows = ["", *sorted(set(cursor.fetchone()[0] or ()))]
    return list(zip(lows, [*lows[1:], None], strict=True))
