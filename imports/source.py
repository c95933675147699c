"""The catalogue as rows of texts, from one consistent snapshot and without holding more than a few."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.contrib.postgres.aggregates import JSONBAgg
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, OuterRef, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Coalesce
from psycopg import IsolationLevel

from shop.models import Category, Product, ProductImage

_AT_ONCE = 1_000  # rows: more would only take memory


type Texts = tuple[str, ...]


class Row(NamedTuple):
    """A product in the texts of our columns, as PostgreSQL writes them; "" for none."""

    sku: str
    name: str
    description: str
    price: str
    compare_at_price: str
    stock: str
    category: str
    published: str
    featured: str
    metadata: str
    parent: str
    options: str
    images: str
    slug: str


def _text(name: str) -> Cast:
    return Cast(name, TextField())


def _yes_no(name: str) -> Case:
    return Case(When(**{name: True}, then=Value("true")), default=Value("false"), output_field=TextField())


def _rows(products: QuerySet[Product]) -> QuerySet[Any, Any]:
    """One value for each field of Row. Subqueries and not joins: these a planner may hash, and then it must
    sort a million wide rows."""
    category = Category.objects.filter(pk=OuterRef("category_id")).values("full_name")
    parent = Product.objects.filter(pk=OuterRef("parent_id")).order_by().values("sku")
    with_address = ProductImage.objects.filter(product=OuterRef("pk")).exclude(source_url="")
    in_order = JSONBAgg("source_url", order_by=["position", "pk"])
    images = with_address.order_by().values("product").annotate(all=in_order).values("all")
    return products.values_list(
        "sku",
        "name",
        "description",
        _text("price"),
        Coalesce(_text("compare_at_price"), Value(""), output_field=TextField()),
        _text("stock"),
        Coalesce(Subquery(category.order_by()), Value("")),
        _yes_no("published"),
        _yes_no("featured"),
        _text("metadata"),
        Coalesce(Subquery(parent), Value("")),
        _text("options"),
        Coalesce(Cast(Subquery(images), TextField()), Value("[]"), output_field=TextField()),
        "slug",
    )


_MOST_OPTIONS = """
SELECT max(count) FROM (
    SELECT count(DISTINCT name) + bool_or(name IS NULL)::int AS count
    FROM ({}) AS p LEFT JOIN LATERAL jsonb_object_keys(
        CASE jsonb_typeof(p.options) WHEN 'object' THEN p.options ELSE '{{}}' END) AS name ON true
    GROUP BY p.parent_id
) AS families
"""


class Snapshot:
    """A read-only transaction of its own, so that progress can be written meanwhile."""

    def __init__(self, side: BaseDatabaseWrapper) -> None:
        self._side = side

    def count(self, products: QuerySet[Product]) -> int:
        """How many products these are."""
        return self._one("SELECT count(*) FROM ({}) AS p", products.order_by().values("pk"))

    def most_options(self, products: QuerySet[Product]) -> int:
        """By how many options the variants of one product are told apart at most."""
        return self._one(
            _MOST_OPTIONS, products.order_by().exclude(parent=None).values("parent_id", "options")
        )

    def rows(self, products: QuerySet[Product]) -> Iterator[list[Texts]]:
        """The products in their order, some at once; each as the fields of a Row."""
        try:
            statement, parameters = _rows(products).query.sql_with_params()
        except EmptyResultSet:
            return
        with self._side.chunked_cursor() as cursor:
            cursor.execute(statement, parameters)
            # While PostgreSQL makes the next rows, these are written.
            with ThreadPoolExecutor(1) as ahead:
                coming = ahead.submit(cursor.fetchmany, _AT_ONCE)
                while batch := coming.result():
                    coming = ahead.submit(cursor.fetchmany, _AT_ONCE)
                    yield batch

    def _one(self, statement: str, query: QuerySet[Any, Any]) -> int:
        """The number that a statement over the query has; 0 for none."""
        try:
            inner, parameters = query.query.sql_with_params()
        except EmptyResultSet:
            return 0
        with self._side.cursor() as cursor:
            cursor.execute(statement.format(inner), parameters)
            return cursor.fetchone()[0] or 0


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    """The catalogue as it is now, whatever happens to it meanwhile."""
    side = connection.copy()
    try:
        side.ensure_connection()
        side.connection.isolation_level = IsolationLevel.REPEATABLE_READ
        side.connection.read_only = True
        side.set_autocommit(False)
        yield Snapshot(side)
    finally:
        side.close()
