"""What is in stock now, and what of it sold: each product that is sold by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from reports.periods import Period
from reports.queries.dimensions import SKU
from reports.queries.facts import Facts
from reports.queries.rolled import source, table_for

_LOOK_BACK = 365  # days: what sold before that counts as never
_BATCH = 1000


class Item(NamedTuple):
    """A product: `sold` in the period, `value` of its stock at its price, `age` in days since it last sold,
    or since it came into the catalogue if it did not sell in a year."""

    sku: str
    name: str
    category: str
    stock: int
    value: Decimal
    sold: int
    last_sold: date | None
    age: int


class Shelf(NamedTuple):
    """Products together: those of an age, or of a category."""

    name: str
    products: int
    stock: int
    value: Decimal
    sold: int


def _items(period: Period, filters: Mapping[str, str], wanted: str) -> tuple[str, dict[str, Any]]:
    """SQL of items in stock, or sold, of the catalogue as it is now."""
    looked = Period(min(period.first, period.last - timedelta(days=_LOOK_BACK)), period.last, period.zone)
    facts = Facts((SKU,))
    sold = source(looked, table_for((SKU,), (), counts=False)).sql(facts)
    first, last = facts.parameter(period.first), facts.parameter(period.last)
    facts.parameters.update(filters, low=settings.LOW_STOCK)
    if "category" in filters:
        wanted += (
            " AND (lower(c.full_name) = lower(%(category)s)"
            " OR starts_with(lower(c.full_name), lower(%(category)s) || ' > '))"
        )
    if "sku" in filters:
        wanted += " AND (p.sku = %(sku)s OR p.parent_id = (SELECT id FROM shop_product WHERE sku = %(sku)s))"
    sql = f"""
        SELECT p.sku, p.name, coalesce(c.full_name, '') AS category, p.stock,
               (p.stock * p.price)::numeric(20, 2) AS value, coalesce(s.sold, 0)::bigint AS sold, s.last_sold,
               greatest(0, {last}::date - coalesce(s.last_sold, p.created_at::date)) AS age
        FROM shop_product p
        LEFT JOIN shop_product a ON a.id = p.parent_id
        LEFT JOIN shop_category c ON c.id = coalesce(p.category_id, a.category_id)
        LEFT JOIN (SELECT sku, sum(units) FILTER (WHERE day >= {first}) AS sold,
                          max(day) FILTER (WHERE units > 0) AS last_sold
                   FROM ({sold}) f WHERE sku IS NOT NULL GROUP BY sku) s ON s.sku = p.sku
        WHERE {wanted}"""  # noqa: S608 - no values in it
    return sql, facts.parameters


_THERE = "(p.stock > 0 OR s.sold > 0)"
_LOW = "p.published AND p.stock <= %(low)s AND s.sold > 0"


def low(period: Period, filters: Mapping[str, str]) -> Iterator[Item]:
    """What sold in the period and has little left, the best seller first."""
    sql, parameters = _items(period, filters, _LOW)
    return _each(f"{sql} ORDER BY sold DESC, p.sku", parameters)


def all_items(period: Period, filters: Mapping[str, str]) -> Iterator[Item]:
    """Everything that is in stock or sold in the period, the best seller first."""
    sql, parameters = _items(period, filters, _THERE)
    return _each(f"{sql} ORDER BY sold DESC, p.sku", parameters)


def _each(sql: str, parameters: Mapping[str, Any]) -> Iterator[Item]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(_BATCH):
            yield from (Item(*row) for row in rows)


OLDER = "older"
_AGES = f"""CASE WHEN age <= 30 THEN '30' WHEN age <= 90 THEN '90' WHEN age <= 180 THEN '180'
                 WHEN age <= 365 THEN '365' ELSE '{OLDER}' END"""


def by_age(period: Period, filters: Mapping[str, str]) -> list[Shelf]:
    """What is in stock, by how many days it has not sold: at most those that the shelf is called after,
    or OLDER. The freshest first."""
    sql, parameters = _items(period, filters, "p.stock > 0")
    return _shelves(sql, parameters, _AGES, "min(age)")


def by_category(period: Period, filters: Mapping[str, str]) -> list[Shelf]:
    """What is in stock or sold, by the category that it is in now; the largest value first."""
    sql, parameters = _items(period, filters, _THERE)
    return _shelves(sql, parameters, "category", "value DESC, 1")


def _shelves(sql: str, parameters: Mapping[str, Any], key: str, order: str) -> list[Shelf]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {key}, count(*), sum(stock)::bigint, sum(value)::numeric(20, 2) AS value, sum(sold)::bigint
            FROM ({sql}) i GROUP BY 1 ORDER BY {order}
            """,  # noqa: S608 - no values in it
            parameters,
        )
        return [Shelf(*row) for row in cursor.fetchall()]


def count_low(period: Period, filters: Mapping[str, str]) -> int:
    """How many products `low` has."""
    sql, parameters = _items(period, filters, _LOW)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({sql}) i", parameters)  # noqa: S608 - no values in it
        count: int = cursor.fetchone()[0]
    return count
