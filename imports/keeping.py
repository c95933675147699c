"""What an undo leaves alone, and why: products that were edited, sold or changed by another import since.

Everything here is SQL over the journal of the run that is undone, as `journal` gives it: a relation `j`
beside the products `p` as they are now. The preview asks it of a whole run, the undo itself of one part.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db.models import ManyToOneRel, QuerySet
from django.db.models.functions import Coalesce, Now

from imports.models import ImportRun
from shop import references
from shop.models import CartLine, Popularity, Product, ProductImage, SearchDocument, StockMovement

# In which order things must be taken back, so that a variant always has a parent and none is two levels deep.
# First: variants go or become products of their own, products come back. Second: variants change their
# parent. Third: products become variants, variants come back. Last: products without variants go.
FIRST, SECOND, THIRD, LAST = range(4)
STEP = f"""
CASE WHEN c.before IS NULL THEN CASE WHEN c.after ->> 'parent_id' IS NULL THEN {LAST} ELSE {FIRST} END
     WHEN c.before ->> 'parent_id' IS NULL THEN {FIRST}
     WHEN c.after ->> 'parent_id' IS NULL THEN {THIRD}
     ELSE {SECOND} END
"""

# A product that the run created is removed; of those in the journal's second half, one that it took out comes
# back, one that it brought back is removed, all others are restored.
_CHANGED = """
SELECT c.product_id AS id, c.before, c.after, c.version_after AS version, c.version_before AS old_version,
       CASE WHEN c.before IS NULL THEN 'remove' WHEN c.after IS NULL THEN 'bring back' ELSE 'restore'
       END AS deed
FROM imports_rowchange c WHERE c.run_id = %(undone)s
"""
_CREATED = """
SELECT made.id, NULL::jsonb AS before, NULL::jsonb AS after, c.version, NULL::bigint AS old_version,
       'remove' AS deed
FROM imports_createdproducts c, unnest(c.product_ids) AS made(id) WHERE c.run_id = %(undone)s
"""


def journal(part: dict[str, Any] | None = None) -> str:
    """SQL for a run's journal, or for the part of it that one job of an undo has (see `undoing`)."""
    if part is None:
        return f"{_CHANGED} UNION ALL {_CREATED}"
    if "creations" in part:
        return f"{_CREATED} AND c.id = ANY(%(creations)s)"
    below = "AND c.product_id < %(high)s" if part["high"] else ""
    return f"{_CHANGED} AND c.product_id >= %(low)s {below} AND {STEP} = %(step)s"


def parameters(undone: ImportRun) -> dict[str, Any]:
    """What the SQL of this module needs to know of the run that is undone."""
    others = ImportRun.objects.exclude(pk=undone.pk).filter(started_at__isnull=False)
    later = others.annotate(end=Coalesce("finished_at", Now())).filter(end__gte=undone.started_at)
    return {
        "undone": undone.pk,
        "subject": undone.subject,
        "later": list(later.values_list("pk", flat=True)),
        "stopped": list(_stopped_undos(undone).values_list("pk", flat=True)),
    }


def _stopped_undos(undone: ImportRun) -> QuerySet[ImportRun]:
    """Earlier undos of the run that did not get to their end, and were not themselves taken back."""
    stopped = undone.undone_by.filter(state__in=[ImportRun.State.CANCELLED, ImportRun.State.FAILED])
    return stopped.exclude(undone_by__state=ImportRun.State.COMPLETED)


# Movements of a product's stock after the run's own: by people, as opposed to runs.
_SINCE = """
CASE WHEN j.deed = 'restore' THEN
    (SELECT max(own.id) FROM shop_stockmovement own
     WHERE own.product_id = j.id AND own.reference = %(subject)s)
ELSE coalesce((j.after ->> 'last_movement')::bigint, 0) END
"""
_MOVED = f"shop_stockmovement m WHERE m.product_id = j.id AND m.id > {_SINCE}"
_BY_PEOPLE = f"{_MOVED} AND m.kind NOT IN ('import', 'undo')"
_SOLD = f"{_MOVED} AND m.kind IN ('sale', 'return')"
_CORRECTED = f"{_BY_PEOPLE} AND m.kind NOT IN ('sale', 'return')"
# What stock the run left the product with, or NULL where it did not touch the stock. What imports did to it
# since and undos took back again leaves no trace in the sum.
_STOCK_LEFT = """
CASE WHEN j.deed = 'remove' AND j.after IS NULL THEN p.opening_stock ELSE (j.after ->> 'stock')::int END
"""
_CATEGORY = "(j.before ->> 'category_id')::bigint"
_PARENT = "(j.before ->> 'parent_id')::uuid"


def _is_there(query: str) -> str:
    """SQL that tells whether there is such a row; EXISTS might read the whole table to tell it for a part."""
    return f"coalesce((SELECT true FROM {query} LIMIT 1), false)"


# A variant that the same undo takes away or gives another parent is none that its product would lose.
_GOES_TOO = """
(EXISTS (SELECT FROM imports_createdproducts made WHERE made.run_id = %(undone)s AND made.version = v.version)
 OR EXISTS (SELECT FROM imports_rowchange c WHERE c.run_id = %(undone)s AND c.product_id = v.id
            AND c.version_after = v.version))
"""
_COMES_TOO = (
    f"EXISTS (SELECT FROM imports_rowchange c WHERE c.run_id = %(undone)s AND c.product_id = {_PARENT})"
)


def verdict(*, ahead: bool = False) -> str:
    """SQL for the code of why a product is kept; 'done' for one that an earlier undo, which was stopped, took
    back already, and NULL for one that is to be taken back. `ahead`: a preview asks, before anything is.
    """
    unless = f"AND NOT {_GOES_TOO}" if ahead else ""
    has_variants = _is_there(f"shop_product v WHERE v.parent_id = j.id {unless}")
    has_parent = _is_there(f"shop_product above WHERE above.id = {_PARENT} AND above.parent_id IS NULL")
    comes_too = _COMES_TOO if ahead else "false"
    has_category = _is_there(f"shop_category c WHERE c.id = {_CATEGORY}")
    done = _is_there("imports_rowchange d WHERE d.run_id = ANY(%(stopped)s) AND d.product_id = j.id")
    sku_taken, slug_taken = (
        _is_there(f"shop_product o WHERE o.{name} = (j.before ->> '{name}') COLLATE \"C\"")
        for name in ("sku", "slug")
    )
    return f"""
    CASE
    WHEN {done} THEN 'done'
    WHEN j.deed = 'bring back' AND p.id IS NOT NULL THEN 'exists'
    WHEN j.deed <> 'bring back' AND p.id IS NULL THEN 'gone'
    WHEN p.version IS DISTINCT FROM j.version THEN 'edited'
    WHEN {_STOCK_LEFT} IS NOT NULL AND {_is_there(_BY_PEOPLE)} THEN
        CASE WHEN {_is_there(_SOLD)} THEN 'sold' ELSE 'edited' END
    WHEN p.stock <> {_STOCK_LEFT} THEN 'later_import'
    WHEN j.deed = 'remove' THEN CASE WHEN {has_variants} THEN 'has_variants' {_referenced()} END
    WHEN {_CATEGORY} IS NOT NULL AND NOT {has_category} THEN 'no_category'
    WHEN {_PARENT} IS NOT NULL AND NOT {has_parent} AND NOT {comes_too} THEN 'no_parent'
    WHEN j.deed = 'restore' THEN CASE WHEN {_PARENT} IS NOT NULL AND p.parent_id IS NULL AND {has_variants}
        THEN 'has_variants' END
    WHEN {sku_taken} THEN 'sku_taken'
    WHEN {slug_taken} THEN 'slug_taken'
    END
    """


def _referenced() -> str:
    return " ".join(f"WHEN {condition} THEN 'referenced'" for condition, _ in _references())


def _references() -> list[tuple[str, str]]:
    """Whatever refers to products: by a foreign key, or as it has registered itself with the shop."""
    of_row = "shop_product p WHERE p.id = j.id AND ({})"
    return _related() + [
        (_is_there(of_row.format(condition)), what) for what, condition in references.kinds()
    ]


@cache
def _related() -> list[tuple[str, str]]:
    """Whatever has a foreign key to products, lines of orders for one, keeps those that it names.

    For each: SQL that tells whether it names `j`, and what it is called. Variants, images and the
    stock ledger have rules of their own; carts and popularity keep nothing, search
    documents follow by themselves.
    """
    fields = Product._meta.get_fields(include_hidden=True)
    relations = [field for field in fields if isinstance(field, ManyToOneRel)]
    known = (Product, ProductImage, SearchDocument, StockMovement, CartLine, Popularity)
    return [
        (
            _is_there(f'"{model._meta.db_table}" x WHERE x."{relation.field.column}" = j.id'),
            str(model._meta.verbose_name).replace("'", "’"),
        )
        for relation in relations
        if not issubclass(model := relation.related_model, known)
    ]


def _user_of() -> str:
    cases = " ".join(f"WHEN {condition} THEN '{name}'" for condition, name in _references())
    return f"CASE {cases} END" if cases else "NULL"


# Kept products `j` with what is needed to say why. An import gives all products of a range one version, so
# it is enough to find out for one product of each version which run's it is.
_WITH_CAUSES = """
WITH kept AS MATERIALIZED (
    SELECT j.*, p.sku, p.version AS now_version FROM {judged} j LEFT JOIN shop_product p ON p.id = j.id
    WHERE j.code <> 'done' {limit}
), changed_by AS MATERIALIZED (
    SELECT one.now_version,
           (SELECT max(r.run_id) FROM imports_rowchange r WHERE r.run_id = ANY(%(later)s)
            AND r.product_id = one.id AND r.version_after = one.now_version) AS run_id
    FROM (SELECT DISTINCT ON (now_version) now_version, id FROM kept
          WHERE code = 'edited' AND now_version IS DISTINCT FROM version) one
), caused AS (
    SELECT j.*, CASE
        WHEN j.code = 'edited' AND j.now_version IS DISTINCT FROM j.version THEN
            (SELECT b.run_id FROM changed_by b WHERE b.now_version = j.now_version)
        WHEN j.code = 'later_import' THEN
            (SELECT max(substring(m.reference FROM '^import/([0-9]+)$')::bigint) FROM {moved}
             AND m.kind IN ('import', 'undo'))
        WHEN j.code = 'gone' THEN
            (SELECT max(r.run_id) FROM imports_rowchange r WHERE r.run_id = ANY(%(later)s)
             AND r.product_id = j.id AND r.after IS NULL)
        END AS cause
    FROM kept j
)
"""
_BY = "coalesce(initcap(run.kind) || ' ' || run.id, 'Another import')"
_ON = "coalesce(to_char(coalesce(run.finished_at, run.started_at), '\" on \"FMDD Mon YYYY'), '')"


def kept(judged: str, *, limit: int | None = None) -> str:
    """SQL of the kept among `judged`, the journal with its verdict as `code`: sku, code, reason for people.

    `limit`: as many of them as come first.
    """
    sold = f"(SELECT to_char(-sum(m.quantity), 'FM999,999,990') FROM {_MOVED} AND m.kind = 'sale')"
    returned = f"(SELECT to_char(sum(m.quantity), 'FM999,999,990') FROM {_MOVED} AND m.kind = 'return')"
    corrected = f"(SELECT to_char(sum(m.quantity), 'FMSG999,999,990') FROM {_CORRECTED})"
    return f"""
    {_WITH_CAUSES.format(judged=judged, moved=_MOVED, limit=f"LIMIT {limit}" if limit else "")}
    SELECT coalesce(j.sku, j.before ->> 'sku', j.after ->> 'sku', gone.before ->> 'sku', '') AS sku,
           CASE WHEN j.code = 'edited' AND j.cause IS NOT NULL THEN 'later_import' ELSE j.code END AS code,
           left(CASE
           WHEN j.code = 'gone' AND j.cause IS NOT NULL THEN {_BY} || ' took it out' || {_ON} || '.'
           WHEN j.code = 'gone' THEN 'It was deleted since (its id was ' || j.id || ').'
           WHEN j.code = 'edited' AND j.cause IS NOT NULL THEN {_BY} || ' changed it' || {_ON} || '.'
           WHEN j.code = 'edited' AND j.now_version IS DISTINCT FROM j.version THEN 'It was edited since.'
           WHEN j.code = 'edited' THEN 'Its stock was corrected since: ' || {corrected} || '.'
           WHEN j.code = 'sold' THEN
               concat_ws(', ', {sold} || ' sold', {returned} || ' returned') || ' since.'
           WHEN j.code = 'later_import' THEN {_BY} || ' changed its stock' || {_ON} || '.'
           WHEN j.code = 'has_variants' THEN
               (SELECT CASE count(*) WHEN 1 THEN 'A variant of it stays: ' || min(v.sku)
                       ELSE count(*) || ' variants of it stay.' END
                FROM shop_product v WHERE v.parent_id = j.id)
           WHEN j.code = 'referenced' THEN 'It is in use: ' || {_user_of()} || '.'
           WHEN j.code = 'no_category' THEN 'The category that it was in was deleted since.'
           WHEN j.code = 'no_parent' THEN
               'The product that it was a variant of is gone, or a variant itself now.'
           WHEN j.code = 'sku_taken' THEN 'Another product has its SKU now.'
           WHEN j.code = 'slug_taken' THEN 'Another product has its slug now: ' || (j.before ->> 'slug')
           WHEN j.code = 'exists' THEN 'It is in the catalogue again already.'
           END, 200) AS reason
    FROM caused j LEFT JOIN imports_importrun run ON run.id = j.cause
    LEFT JOIN imports_rowchange gone ON j.code = 'gone' AND gone.run_id = j.cause AND gone.product_id = j.id
    """
