"""Compare key ranges of the staging table with the catalogue: what a load would do, and nothing of it done.

The rules are the load's own (`key_range`, `differing`); only categories and parents that it would make first
have stand-ins here. Figures go to the run's forecast, changes of products to PlannedChange; products
that would be created are in the staging table.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from imports import adjusting, checking, differing, parents, pictures, pipeline, staging
from imports.key_range import BY_INDEX, KeyRange
from imports.models import ImportRun
from imports.variant_columns import IMAGES
from shop import categories
from shop.models import Category
from tasks.claiming import Claim

_NAMED = 10  # categories that a forecast names
_SUFFICES = "s.name IS NOT NULL AND s.price IS NOT NULL"  # for a new product
_NOT_YET = "'00000000-0000-0000-0000-000000000000'::uuid"  # key of a parent that the import would create
# How people read what the product's row has as keys: SQL for before and after. `c` and `q` are the product's
# category and parent.
_READABLE = {
    "category_id": (
        "c.full_name",
        "CASE WHEN s.category = '' THEN NULL ELSE coalesce(m.full_name, c.full_name) END",
    ),
    "parent_id": ("q.sku", "CASE WHEN s.parent = '' THEN NULL ELSE coalesce(s.parent, q.sku) END"),
}
_WHOLE = {
    **{name: f"p.{name}" for name in ("name", "price", "stock", "published")},
    "category": "c.full_name",
}


def compare(claim: Claim) -> None:
    """Forecast the claim's range, after filling the staging table again if a crash emptied it."""
    run = ImportRun.objects.get(pk=claim.payload["run"])
    pipeline.must_be(run, ImportRun.State.CHECKING)
    if staging.is_lost(run):
        checking.rebuild(run)
    _find_categories(run)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{BY_INDEX}; SET LOCAL work_mem = '64MB'")
        part = Comparison(cursor, run, claim.payload).forecast(fresh=claim.payload["fresh"])
        pipeline.compared(claim, run_id=run.pk, part=part)


class _Change(NamedTuple):
    """One field that may change: how people call it, and SQL for before, after and whether they differ."""

    field: str
    before: str
    after: str
    differs: str


class Comparison(KeyRange):
    """One range, compared."""

    def _categories(self) -> str:
        return f" LEFT JOIN {self.run.staging_table}_paths m ON m.path = s.category"

    def _parents(self) -> str:
        """The parent as it will be when variants are loaded, after all other rows."""
        can_create = self.run.mode in (ImportRun.Mode.UPSERT, ImportRun.Mode.CREATE)
        return f"""
            LEFT JOIN LATERAL (
                SELECT coalesce(q.id, {_NOT_YET}) AS id,
                       CASE WHEN n.parent = '' THEN NULL ELSE q.parent_id END AS parent_id
                FROM (SELECT s.parent AS sku) named LEFT JOIN shop_product q ON q.sku = named.sku
                LEFT JOIN {self.run.staging_table} n
                  ON n.sku = named.sku AND (q.id IS NOT NULL OR {can_create})
                WHERE q.id IS NOT NULL OR n.sku IS NOT NULL
            ) above ON s.parent <> ''
        """

    @property
    def _is_refused(self) -> str:
        """SQL for whether the load would reject the row for what the catalogue has: a variant for its parent,
        pieces to take away for too few that are there."""
        if self._takes_out:
            return "false"
        reasons = [f"({parents.reason(self.run)}) IS NOT NULL"] if self.variants else []
        reasons += [f"coalesce({adjusting.IMPOSSIBLE}, false)"] if self.run.adjusts_stock else []
        let_in = {
            ImportRun.Mode.CREATE: "s.version IS NULL AND ",
            ImportRun.Mode.UPDATE: "s.version IS NOT NULL AND ",
        }
        return f"({let_in.get(ImportRun.Mode(self.run.mode), '')}({' OR '.join(reasons) or 'false'}))"

    @property
    def _takes_out(self) -> bool:
        return self.run.mode in (ImportRun.Mode.UNPUBLISH, ImportRun.Mode.DELETE)

    @property
    def would_create(self) -> str:
        """SQL for whether the row would make a product, where the mode creates any."""
        return f"{self.where} AND s.version IS NULL AND {_SUFFICES} AND NOT {self._is_refused}"

    def forecast(self, *, fresh: bool) -> dict[str, Any]:
        """Note what would change and return the range's figures. `fresh`: none of the SKUs existed yet."""
        if not fresh:
            self._bind()
        found, missing, lacking, refused = self._counted()
        planned = self._plan() if found and self.run.mode != ImportRun.Mode.CREATE else {}
        changed = planned.pop("changed", 0)
        part = {"reject": refused, "remove" if self._takes_out else "update": changed, **planned}
        if self.run.mode == ImportRun.Mode.CREATE:
            part["skip"] = found
        else:
            part["unchanged"] = found - changed
        if self.run.mode in (ImportRun.Mode.UPSERT, ImportRun.Mode.CREATE):
            part["create"], part["reject"] = missing - lacking, refused + lacking
        else:
            part["skip"] = missing
        return part

    def _bind(self) -> None:
        """Have the staging table remember the products as they are now, before they are compared: what
        happens to one in between shows as a change since the preview. Staging has noted most of them."""
        self._execute(
            f"""
            UPDATE {self.run.staging_table} s SET version = o.now FROM (
                SELECT s.sku, p.version AS now
                FROM {self.run.staging_table} s LEFT JOIN shop_product p ON p.sku = s.sku
                WHERE {self.where} AND s.version IS DISTINCT FROM p.version
            ) o WHERE o.sku = s.sku
            """
        )

    def _counted(self) -> tuple[int, int, int, int]:
        """Rows whose product is there, whose is not (how many of those lack what a new one needs), and that
        would be refused."""
        missing, lacking = f"NOT {self._is_refused} AND s.version IS NULL", f"NOT ({_SUFFICES})"
        self.cursor.execute(
            f"""
            SELECT count(*) FILTER (WHERE NOT {self._is_refused} AND s.version IS NOT NULL),
                   count(*) FILTER (WHERE {missing}),
                   count(*) FILTER (WHERE {missing} AND {lacking}),
                   count(*) FILTER (WHERE {self._is_refused})
            FROM {self.source if self.variants else f"{self.run.staging_table} s"}
            WHERE {self.where} AND {self.run.counts}
            """,
            self.params,
        )
        found, absent, incomplete, refused = self.cursor.fetchone()
        return found, absent, incomplete, refused

    def _plan(self) -> dict[str, Any]:
        """Write down the products that would change; returns the figures about them."""
        changes = self._changes()
        if not changes:
            return {}
        differs = " OR ".join(change.differs for change in changes)
        after = "NULL::jsonb" if self.run.mode == ImportRun.Mode.DELETE else _object(changes, "after")
        values = {change.field: change.after for change in changes} if not self._takes_out else {}
        self.cursor.execute(
            f"""
            WITH compared AS MATERIALIZED (
                SELECT s.sku, s.line, {self.run.counts} AS counts,
                       array_remove(ARRAY[{", ".join(_named(change) for change in changes)}], NULL) AS fields,
                       {_object(changes, "before")} AS before, {after} AS after, {_alarms(values)}
                FROM {self.source} JOIN shop_product p ON p.sku = s.sku
                LEFT JOIN shop_category c ON c.id = p.category_id
                LEFT JOIN shop_product q ON q.id = p.parent_id
                WHERE {self.where} AND s.version IS NOT NULL AND NOT {self._is_refused} AND ({differs})
            ), planned AS (
                INSERT INTO imports_plannedchange (run_id, sku, line, fields, before, after)
                SELECT %(run)s, sku, line, fields, before, after FROM compared
            )
            SELECT count(*) FILTER (WHERE counts), count(*) FILTER (WHERE price_jumps),
                   count(*) FILTER (WHERE price_leaps), count(*) FILTER (WHERE to_zero),
                   count(*) FILTER (WHERE unpublished),
                   (SELECT coalesce(jsonb_object_agg(field, times), '{{}}') FROM (
                       SELECT field, count(*) AS times FROM compared, unnest(fields) AS field GROUP BY field
                   ) t)
            FROM compared
            """,
            self.params | _leap(),
        )
        *figures, fields = self.cursor.fetchone()
        names = ("changed", "price_jumps", "price_leaps", "to_zero", "unpublished")
        return {**dict(zip(names, figures, strict=True)), "fields": json.loads(fields)}

    def _changes(self) -> list[_Change]:
        """What the rows of this import may change."""
        if self.run.mode == ImportRun.Mode.UNPUBLISH:
            return [_Change("published", "p.published", "false", "p.published")]
        if self.run.mode == ImportRun.Mode.DELETE:
            return [_Change(name, before, "NULL", "true") for name, before in _WHOLE.items()]
        changes = [
            _Change(
                field.name.removesuffix("_id"),
                *_READABLE.get(field.name, (f"p.{field.name}", field.value)),
                field.differs,
            )
            for field in differing.content(self.run)
        ]
        if "stock" in self.run.written:
            stock = self._stock()
            changes.append(_Change("stock", "p.stock", stock, f"p.stock <> {stock}"))
        if self.run.source:
            changes.append(_Change("source", "p.source", "%(source)s", "p.source <> %(source)s"))
        if "images" in self.run.written:
            changes.append(_Change("images", IMAGES, "s.images", pictures.DIFFER))
        return changes


def _named(change: _Change) -> str:
    return f"CASE WHEN {change.differs} THEN '{change.field}' END"


def _object(changes: list[_Change], side: str) -> str:
    """SQL for a JSON object of the fields that change, as they are on that side."""
    return " || ".join(
        f"CASE WHEN {change.differs} THEN jsonb_build_object('{change.field}', {getattr(change, side)})"
        " ELSE '{}' END"
        for change in changes
    )


def _alarms(values: dict[str, str]) -> str:
    """SQL for what of an update calls for attention; `values` has the new ones."""
    price, stock, published = (values.get(name) for name in ("price", "stock", "published"))
    leaps = f"p.price > 0 AND ({price} > p.price * %(leap)s OR {price} * %(leap)s < p.price)"
    return f"""
        {f"abs({price} - p.price) > p.price * %(jump)s" if price else "false"} AS price_jumps,
        {leaps if price else "false"} AS price_leaps,
        {f"p.stock > 0 AND {stock} = 0" if stock else "false"} AS to_zero,
        {f"p.published AND NOT {published}" if published else "false"} AS unpublished
    """


def _leap() -> dict[str, float]:
    jump = settings.IMPORT_WARN_PRICE_PERCENT / 100
    return {"jump": jump, "leap": 1 + jump * settings.IMPORT_SECOND_PERSON_FACTOR}


def _find_categories(run: ImportRun) -> None:
    """Note once for all ranges which category each path is, with a negative number and the name that it would
    get for one that is still to be created; and in the forecast, which those are."""
    table = f"{run.staging_table}_paths"
    with transaction.atomic(), connection.cursor() as cursor:
        if _is_filled(cursor, table):
            return
        cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        if _is_filled(cursor, table):
            return  # somebody did it while we waited
        texts = set[str]().union(*run.chunks.values_list("categories", flat=True))
        paths = {text: categories.split_path(text) for text in texts}
        known, new = _sorted_out(paths.values())
        held = pipeline.hold(run.pk, ImportRun.State.CHECKING)
        held.forecast["categories"] = {"count": len(new), "first": list(new.values())[:_NAMED]}
        held.save(update_fields=["forecast"])
        made = {key: (-number, name) for number, (key, name) in enumerate(new.items(), start=1)}
        found = [(known | made)[categories.key_of(names)] for names in paths.values()]
        cursor.execute(
            f"INSERT INTO {table} SELECT * FROM unnest(%s::text[], %s::bigint[], %s::text[])",
            [["", *paths], [None, *(pk for pk, _ in found)], [None, *(name for _, name in found)]],
        )


def _is_filled(cursor: Any, table: str) -> bool:
    cursor.execute(f"SELECT EXISTS (SELECT FROM {table} WHERE path = '')")
    return bool(cursor.fetchone()[0])


def _sorted_out(paths: Any) -> tuple[dict[str, tuple[int, str]], dict[str, str]]:
    """Categories that are there (key → id and name), and that would be created (key → name), those above
    them included."""
    wanted: dict[str, str] = {}
    for path in sorted(set(paths)):
        for depth in range(1, len(path) + 1):
            wanted.setdefault(categories.key_of(path[:depth]), categories.SEPARATOR.join(path[:depth]))
    rows = Category.objects.filter(key__in=list(wanted)).values_list("key", "pk", "full_name")
    known = {key: (pk, name) for key, pk, name in rows}
    return known, {key: name for key, name in wanted.items() if key not in known}
