"""Keeps the search documents like the products they are of, in jobs of their own, after the fact.

    catalogue_changed() → shop.index from the first product on → shop.index from where that one stopped → …
    products_changed(…) → shop.index of these products

Each job compares versions by key ranges, writes what is stale, takes out what is no longer sold, and creates
the job that goes on, all in one transaction. So it does not matter who calls how often, or whether a call is
lost: the tick finds whatever was missed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.postgres.indexes import GinIndex
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from shop import caching
from shop.models import Category, Product, SearchDocument
from tasks import claiming
from tasks.claiming import Claim
from tasks.models import Job
from tasks.queueing import NewJob, create

KIND = "shop.index"
_SUBJECT = "search"
_INDEXING = 0x7A11_0005  # key of the advisory lock that lets one transaction at a time write documents
_RANGE = 10_000  # products that are compared at once
_ENOUGH = 10_000  # documents written in one transaction, about; some two seconds' work


def catalogue_changed() -> None:
    """Say that many products may have changed: pages are made anew, and the documents are looked through.

    Call it in the transaction that ends the change. It costs one row and one job, however much changed.
    """
    caching.forget()
    create([_job("comparing all products")])


def products_changed(products: Iterable[UUID]) -> None:
    """Say that these products changed, or are gone; of a variant that is gone, name its product.

    Call it in the transaction of the change.
    """
    if ids := [str(pk) for pk in products]:
        caching.forget()
        create([_job(f"{len(ids):,} changed product{'' if len(ids) == 1 else 's'}", ids=ids)])


def category_changed(category: Category) -> None:
    """Say that a category has another name or place: its products, and those below, are found by its name."""
    caching.forget()
    create([_job(f"products of {category}"[:150], category=category.pk)])


def look_through() -> None:
    """The tick: compare all products, for what no one told of, unless that is going on."""
    if not Job.objects.of(_SUBJECT).unfinished().exists():
        create([_job("comparing all products")])


def _job(what: str, **payload: Any) -> NewJob:
    return NewJob(kind=KIND, subject=_SUBJECT, title=f"Search: {what}", payload=payload)


def index(claim: Claim) -> None:
    """Do what the claim's payload says: some products, a category's, or all from a key on."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Whoever looked earlier must not write later: what it saw may be older than what is there.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_INDEXING])
        if "ids" in claim.payload:
            written = _index_some(cursor, claim.payload["ids"])
        else:
            if "category" in claim.payload:
                _make_stale(claim.payload["category"])
            written = _index_from(cursor, claim.payload.get("low", str(UUID(int=0))))
        if written:
            _count_listed(cursor)
            _tidy(cursor)
            caching.forget()
        claiming.complete(claim)


def _index_some(cursor: CursorWrapper, ids: list[str]) -> int:
    """Variants stand in the document of their product."""
    above = Product.objects.filter(pk__in=ids, parent__isnull=False).values_list("parent_id", flat=True)
    top = [*ids, *map(str, above)]
    return _Part(cursor, "{id} = ANY(%(ids)s::uuid[])", {"ids": top}).index()


def _make_stale(category_id: int) -> None:
    """The category may be gone by now; then its products have another one, and with it another version."""
    for category in Category.objects.filter(pk=category_id):
        below = Category.objects.below(category).values("pk")
        SearchDocument.objects.filter(category__in=below).update(version=0)


def _index_from(cursor: CursorWrapper, low: str | None) -> int:
    """Go through the products from this key on, until enough is written; the rest is another job's."""
    written = 0
    while low is not None and written < _ENOUGH:
        high = _end_of_range(low)
        within = "{id} >= %(low)s" + (" AND {id} < %(high)s" if high else "")
        written += _Part(cursor, within, {"low": low, "high": high}).index()
        low = high
    if low is not None:
        create([_job("comparing more products", low=low)])
    return written


def _end_of_range(low: str) -> str | None:
    """The key at which the next range begins; None where this is the last one."""
    later = Product.objects.filter(pk__gte=low).order_by("pk").values_list("pk", flat=True)
    following = later[_RANGE : _RANGE + 1].first()
    return str(following) if following else None


# What parts the words of names and SKUs, as it does in what is searched for (`shop.search`): PostgreSQL would
# read the 3 of `AB-3` as a negative number. Descriptions are as PostgreSQL reads them: there it would cost
# more than all else.
PUNCTUATION = "-_./\\,:;'\"()[]{}+*#&@!?=<>|%$^~`"
_SPACED = "translate({}, %(punctuation)s, repeat(' ', length(%(punctuation)s)))"
# In small letters by a collation that knows more of them than those from a to z, whatever the database's is.
_PLAIN = 'lower(unaccent({}) COLLATE "pg_c_utf8")'
_COLUMNS = "version, variants_version, category_id, price, highest_price, available, sort_name, name, words"
_MADE = ", ".join(f"excluded.{name}" for name in _COLUMNS.split(", "))
_DESCRIPTION = "left(regexp_replace(p.description, '<[^>]*>', ' ', 'g'), 20000)"


class _Part:
    """Some products by their key, and the statements over them. `within` is SQL over `{id}`."""

    def __init__(self, cursor: CursorWrapper, within: str, params: dict[str, Any]) -> None:
        self.cursor, self.within = cursor, within
        self.params = params | {"punctuation": PUNCTUATION}

    def index(self) -> int:
        """Write what is stale, take out what is not sold any more; returns how many documents that were."""
        return self._take_out() + self._write()

    def _is_in(self, column: str) -> str:
        """Said of both sides of a join, so that neither is read as a whole."""
        return self.within.format(id=column)

    def _execute(self, statement: str) -> int:
        self.cursor.execute(statement, self.params)
        return int(self.cursor.rowcount)

    def _take_out(self) -> int:
        return self._execute(
            f"""
            DELETE FROM shop_searchdocument d WHERE {self._is_in("d.product_id")}
               AND NOT EXISTS (SELECT FROM shop_product p
                               WHERE p.id = d.product_id AND p.published AND p.parent_id IS NULL
                                 AND {self._is_in("p.id")})
            """  # noqa: S608 - made of our own columns
        )

    def _write(self) -> int:
        """A product that has variants is sold as these: it costs what they cost, is there while one is."""
        return self._execute(
            f"""
            WITH family AS MATERIALIZED (
                SELECT v.parent_id AS id,
                       hashtextextended(string_agg(v.version::text, ',' ORDER BY v.id), 0) AS version,
                       min(v.price) FILTER (WHERE v.published) AS lowest,
                       max(v.price) FILTER (WHERE v.published) AS highest,
                       coalesce(bool_or(v.stock > 0) FILTER (WHERE v.published), false) AS available,
                       string_agg(v.sku, ' ') FILTER (WHERE v.published) AS skus,
                       string_agg(v.name || ' ' || (SELECT coalesce(string_agg(o.value, ' '), '')
                                                    FROM jsonb_each_text(v.options) o), ' ')
                           FILTER (WHERE v.published) AS names
                FROM shop_product v WHERE {self._is_in("v.parent_id")} GROUP BY v.parent_id
            )
            INSERT INTO shop_searchdocument (product_id, {_COLUMNS})
            SELECT p.id, p.version, coalesce(f.version, 0), p.category_id, coalesce(f.lowest, p.price),
                   coalesce(f.highest, p.price), coalesce(f.available, p.stock > 0),
                   left({_PLAIN.format("p.name")}, 100), {_PLAIN.format("concat_ws(' ', p.name, c.name)")},
                   setweight({_words("p.name || ' ' || p.sku || ' ' || coalesce(f.skus, '')")}, 'A')
                   || setweight({_words("left(coalesce(f.names, ''), 20000)")}, 'B')
                   || setweight({_words("coalesce(c.full_name, '')")}, 'C')
                   || setweight(to_tsvector('shop_search', {_PLAIN.format(_DESCRIPTION)}), 'D')
            FROM shop_product p
            LEFT JOIN family f ON f.id = p.id
            LEFT JOIN shop_category c ON c.id = p.category_id
            LEFT JOIN shop_searchdocument s ON s.product_id = p.id AND {self._is_in("s.product_id")}
            WHERE {self._is_in("p.id")} AND p.published AND p.parent_id IS NULL
              AND (s.version, s.variants_version, s.available)
                  IS DISTINCT FROM (p.version, coalesce(f.version, 0), coalesce(f.available, p.stock > 0))
            ON CONFLICT (product_id) DO UPDATE SET ({_COLUMNS}) = ({_MADE})
            """  # noqa: S608 - made of our own columns
        )


def _tidy(cursor: CursorWrapper) -> None:
    """Put new entries of the indexes in their places. They wait in lists that every search reads through, so
    until PostgreSQL does that by itself, long after an import, a search for a SKU takes as long as ten."""
    for index in SearchDocument._meta.indexes:
        if isinstance(index, GinIndex):
            cursor.execute("SELECT gin_clean_pending_list(%s::regclass)", [index.name])


def _words(text: str) -> str:
    return f"to_tsvector('shop_search', {_PLAIN.format(_SPACED.format(text))})"


def _count_listed(cursor: CursorWrapper) -> None:
    """Count each category's own products, so that no page has to."""
    cursor.execute(
        """
        WITH counted AS (SELECT category_id AS id, count(*) AS number FROM shop_searchdocument GROUP BY 1),
        those AS (
            SELECT c.id, coalesce(n.number, 0) AS number FROM shop_category c LEFT JOIN counted n USING (id)
            WHERE c.listed <> coalesce(n.number, 0) ORDER BY c.id
        )
        UPDATE shop_category c SET listed = t.number FROM those t WHERE t.id = c.id
        """
    )
