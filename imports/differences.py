"""The differences that a preview found, page by page in the order of their SKUs.

Products that would change or go come from the planned changes, those that would be created from the staging
table. Both are read along their index from a SKU on, so a page costs the same wherever it begins.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import connection

from imports import contrasting
from imports.columns import BY_NAME
from imports.contrasting import Contrast
from imports.dry_run import Comparison
from imports.models import ImportRun, PlannedChange
from shop.models import Product

PER_PAGE = 50
_LAST = "\U0010ffff"  # sorts behind whatever a SKU may go on with
CREATED, UPDATED, REMOVED = "created", "updated", "removed"
ACTIONS = (CREATED, UPDATED, REMOVED)
_TAKES_OUT = (ImportRun.Mode.UNPUBLISH, ImportRun.Mode.DELETE)
# What of a new product is shown, in this order; the slug and the like follow from them.
_OF_NEW = tuple(name for name in BY_NAME if name not in ("sku", "name"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which differences: those of an action, a field, SKUs that begin so; blank for all. The page is the one
    behind the SKU `after` or the one that ends before `before`."""

    action: str = ""
    field: str = ""
    sku: str = ""
    after: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One product: what would happen to it, and its fields before and after. `line` is 0 where no line of the
    file makes the difference."""

    sku: str
    name: str
    line: int
    action: str
    fields: list[Contrast]


@dataclass(frozen=True, slots=True)
class Page:
    """Differences in the order of their SKUs, and whether there are more on either side."""

    rows: list[Difference]
    has_earlier: bool
    has_later: bool

    @property
    def first(self) -> str:
        return self.rows[0].sku if self.rows else ""

    @property
    def last(self) -> str:
        return self.rows[-1].sku if self.rows else ""


def page_of(run: ImportRun, wanted: Wanted, size: int = PER_PAGE) -> Page:
    """Read one page of the differences of a run that was previewed; call it while its tables are there."""
    found = _read(run, wanted, size + 1)
    more, found = len(found) > size, found[:size]
    if wanted.before:
        found.reverse()
        return Page(_named(found), has_earlier=more, has_later=True)
    return Page(_named(found), has_earlier=bool(wanted.after), has_later=more)


def _read(run: ImportRun, wanted: Wanted, limit: int) -> list[Difference]:
    """The first of both sources together; the last ones, backwards, for a page `before`."""
    found: list[Difference] = []
    if wanted.action != CREATED and not (wanted.action == REMOVED and not _takes_out(run)):
        found += _planned(run, wanted, limit)
    if wanted.action in ("", CREATED) and not wanted.field and _creates(run):
        found += _created(run, wanted, limit)
    found.sort(key=lambda one: one.sku.encode(), reverse=bool(wanted.before))
    return found[:limit]


def _bounds(wanted: Wanted) -> tuple[str, str]:
    """The SKUs between which the page lies, neither of them on it, but for a prefix that is one itself."""
    low, high = wanted.sku, f"{wanted.sku}{_LAST}"
    return max(low, wanted.after), min(high, wanted.before) if wanted.before else high


def _planned(run: ImportRun, wanted: Wanted, limit: int) -> list[Difference]:
    low, high = _bounds(wanted)
    order = "DESC" if wanted.before else ""
    between = f"p.run_id = %(run)s AND p.sku {'>' if wanted.after else '>='} %(low)s AND p.sku < %(high)s"
    if condition := _by_action(run, wanted):
        between += f" AND {condition}"
    skus = f"SELECT p.sku FROM imports_plannedchange p WHERE {between} ORDER BY p.sku {order} LIMIT %(limit)s"
    if wanted.field:
        skus = f"{_COMBINATIONS} {_OF_COMBINATION.format(between=between, order=order)}"
    with connection.cursor() as cursor:
        cursor.execute(skus, {"run": run.pk, "low": low, "high": high, "field": wanted.field, "limit": limit})
        found = [sku for (sku,) in cursor]
    changes = run.planned_changes.filter(sku__in=found)
    return [_of_planned(run, change) for change in changes]


# The sets of fields that occur, found by jumping from one to the next in the index.
_COMBINATIONS = """
WITH RECURSIVE combinations AS (
    (SELECT p.fields FROM imports_plannedchange p WHERE p.run_id = %(run)s ORDER BY p.fields LIMIT 1)
    UNION ALL
    SELECT (SELECT p.fields FROM imports_plannedchange p WHERE p.run_id = %(run)s AND p.fields > c.fields
            ORDER BY p.fields LIMIT 1)
    FROM combinations c WHERE c.fields IS NOT NULL
)
"""
_OF_COMBINATION = """
SELECT n.sku FROM combinations c CROSS JOIN LATERAL (
    SELECT p.sku FROM imports_plannedchange p
    WHERE p.fields = c.fields AND {between} ORDER BY p.sku {order} LIMIT %(limit)s
) n
WHERE %(field)s = ANY (c.fields) ORDER BY n.sku {order} LIMIT %(limit)s
"""


def _by_action(run: ImportRun, wanted: Wanted) -> str:
    """SQL for planned changes of the action: in a mode that takes products out all of them do so, in others
    those that no line of the file makes."""
    if not wanted.action:
        return ""
    if run.mode in _TAKES_OUT:
        return "" if wanted.action == REMOVED else "false"
    return "p.line = 0 AND p.fields = '{published}'" if wanted.action == REMOVED else "p.line <> 0"


def _of_planned(run: ImportRun, change: PlannedChange) -> Difference:
    goes = run.mode in _TAKES_OUT or not change.line
    after = change.after  # None: the whole product goes
    fields = (
        [contrasting.contrast(name, change.before.get(name), after.get(name)) for name in change.fields]
        if after is not None
        else []
    )
    return Difference(change.sku, "", change.line, REMOVED if goes else UPDATED, fields)


def _takes_out(run: ImportRun) -> bool:
    """Whether any product goes: none is looked for in vain among a million changes."""
    return run.mode in _TAKES_OUT or run.mirror != ImportRun.Mirror.OFF


def _creates(run: ImportRun) -> bool:
    return run.mode in (ImportRun.Mode.UPSERT, ImportRun.Mode.CREATE)


def _created(run: ImportRun, wanted: Wanted, limit: int) -> list[Difference]:
    """Plain products and variants by their own rules: those that would be rejected are not among them."""
    kinds = (False, True) if "parent" in run.written else (False,)
    return [one for variants in kinds for one in _created_of(run, wanted, limit, variants=variants)]


def _created_of(run: ImportRun, wanted: Wanted, limit: int, *, variants: bool) -> list[Difference]:
    low, high = _bounds(wanted)
    with connection.cursor() as cursor:
        rows = Comparison(cursor, run, {"low": low, "high": high, "variants": variants})
        cursor.execute(
            f"""
            SELECT s.sku, s.name, s.line, jsonb_build_object({_values(run)})::text FROM {rows.source}
            WHERE {rows.would_create} AND s.sku {">" if wanted.after else ">="} %(low)s
            ORDER BY s.sku {"DESC" if wanted.before else ""} LIMIT %(limit)s
            """,
            rows.params | {"limit": limit},
        )
        found = cursor.fetchall()
    return [
        Difference(sku, name, line, CREATED, _new(json.loads(cells, parse_float=Decimal)))
        for sku, name, line, cells in found
    ]


def _values(run: ImportRun) -> str:
    """SQL for names and values of a new product's fields."""
    values = {name: f"s.{name}" for name in _OF_NEW if name in run.written}
    if "compare_at_price" in values:
        values["compare_at_price"] = "nullif(s.compare_at_price, 0)"
    if "category" in values:
        values["category"] = "coalesce(m.full_name, s.category)"
    if "metadata" in values or run.keep_unknown:
        values["metadata"] = "coalesce(s.metadata, '{}') || coalesce(s.extra, '{}')"
    return ", ".join(f"'{name}', {value}" for name, value in values.items())


def _new(cells: dict[str, Any]) -> list[Contrast]:
    given = {name: cells.get(name) for name in _OF_NEW}
    return [contrasting.value(name, new) for name, new in given.items() if new not in (None, "", {}, [])]


def _named(found: list[Difference]) -> list[Difference]:
    """With the names that the products have now."""
    skus = [one.sku for one in found if one.action != CREATED]
    names = dict(Product.objects.filter(sku__in=skus).values_list("sku", "name"))
    return [one if one.action == CREATED else replace(one, name=names.get(one.sku, "")) for one in found]
