"""The facts that reports add up: one for each order that was paid, each line of it, each part of a refund.

They come from orders, or, for days that are summed up already, from the roll-up, whose rows add up to the
same. The fact of an order counts it and has its delivery; where only some lines are asked for, it counts the
orders that have any, and the delivery, which belongs to none, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from reports.queries.dimensions import LINE_FILTERS, ORDER_FILTERS, Dimension, condition
from reports.sums import Sums

type Span = tuple[datetime, datetime]  # from the first moment to the one that is past it

_FEE = "o.delivery + CASE WHEN o.prices_include_tax THEN 0 ELSE o.delivery_tax END"
_FEE_NET = "o.delivery - CASE WHEN o.prices_include_tax THEN o.delivery_tax ELSE 0 END"
_PAYMENT = "LEFT JOIN shop_payment p ON p.order_id = o.id AND p.state = 'captured'"
_COUNTED = "1 AS orders, o.is_first::int AS new, 0 AS units"
_ORDER = f"""{_COUNTED}, {_FEE} AS gross, 0 AS discounts, {_FEE} AS delivery, 0 AS refunds,
    o.delivery_tax AS tax, {_FEE_NET} AS net"""
_ORDER_ALONE = f"""{_COUNTED}, 0 AS gross, 0 AS discounts, 0 AS delivery, 0 AS refunds, 0 AS tax, 0 AS net"""
_LINE = """0 AS orders, 0 AS new, l.quantity AS units, l.total AS gross, l.discount AS discounts,
    0 AS delivery, 0 AS refunds, l.tax AS tax, l.net AS net"""
_REFUND = """0 AS orders, 0 AS new, 0 AS units, 0 AS gross, 0 AS discounts, 0 AS delivery,
    s.amount AS refunds, -s.tax AS tax, s.tax - s.amount AS net"""

# Names of columns are those of the first part.
_DELIVERY_LINE = f"""
    SELECT o.number, o.paid_at AS at, lower(o.email),
           replace(%(said_delivery)s, '%%(name)s', o.delivery_name), '' AS sku,
           NULL::integer, o.delivery, {_FEE}"""
_EACH_LINE = """
    SELECT o.number, o.paid_at AS at, lower(o.email), l.name::text, l.sku, l.quantity, l.price, l.total"""
_REFUND_LINE = """
    SELECT o.number, r.done_at AS at, lower(o.email),
           replace(%(said_refund)s, '%%(name)s', coalesce(l.name, %(said_fee)s)),
           coalesce(l.sku, ''), NULL::integer, NULL::numeric, -s.amount"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is asked for: facts with these dimensions that pass these filters. `parameters` are those of the
    SQL so far; what is built adds to them."""

    dimensions: Sequence[Dimension]
    filters: Mapping[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)

    def of_spans(self, spans: Sequence[Span]) -> str:
        """SQL of the facts of these times from the orders themselves: `at`, dimensions, sums."""
        of_order = _listed([f"{one.of_order} AS {one.name}" for one in self.dimensions])
        of_line = _listed([f"{one.of_line} AS {one.name}" for one in self.dimensions])
        order = _ORDER_ALONE if self.has_line_filters else _ORDER
        return f"""
            SELECT o.paid_at AS at, {of_order} {order} {self._orders(spans)} UNION ALL
            SELECT o.paid_at AS at, {of_line} {_LINE} {self._lines(spans)} UNION ALL
            SELECT r.done_at AS at, {of_line} {_REFUND} {self._refunds(spans)}"""

    def each_line(self, span: Span) -> str:
        """SQL of all that was sold and given back in a time, as reports.lines.COLUMNS, in its order.
        What is no product is named in the language that is active."""
        self.parameters.update(
            said_delivery=_("Delivery: %(name)s"), said_refund=_("Refund: %(name)s"), said_fee=_("Delivery")
        )
        delivery = f"{_DELIVERY_LINE} {self._orders([span])} AND {_FEE} <> 0 UNION ALL"
        return f"""
            SELECT * FROM ({"" if self.has_line_filters else delivery}
                {_EACH_LINE} {self._lines([span])} UNION ALL {_REFUND_LINE} {self._refunds([span])}
            ) f ORDER BY at, number, sku"""  # noqa: S608

    @property
    def has_line_filters(self) -> bool:
        return bool(LINE_FILTERS & self.filters.keys())

    def _orders(self, spans: Sequence[Span]) -> str:
        wanted = self._conditions(ORDER_FILTERS)
        if of_lines := self._conditions(LINE_FILTERS):
            line = f"SELECT FROM shop_orderline l WHERE l.order_id = o.id {_and(of_lines)}"
            wanted.append(f"EXISTS ({line})")
        return f"FROM shop_order o {self._payment} WHERE {self._when('o.paid_at', spans)} {_and(wanted)}"

    def _lines(self, spans: Sequence[Span]) -> str:
        wanted = self._conditions(ORDER_FILTERS | LINE_FILTERS)
        return f"""
            FROM shop_order o JOIN shop_orderline l ON l.order_id = o.id {self._payment}
            WHERE {self._when("o.paid_at", spans)} {_and(wanted)}"""

    def _refunds(self, spans: Sequence[Span]) -> str:
        wanted = self._conditions(ORDER_FILTERS | LINE_FILTERS)
        return f"""
            FROM shop_refund r JOIN reports_refundpart s ON s.refund_id = r.id
            JOIN shop_payment p ON p.id = r.payment_id JOIN shop_order o ON o.id = p.order_id
            LEFT JOIN shop_orderline l ON l.id = s.line_id
            WHERE {self._when("r.done_at", spans)} {_and(wanted)}"""

    @property
    def _payment(self) -> str:
        needed = "payment" in self.filters or any(one.needs_payment for one in self.dimensions)
        return _PAYMENT if needed else ""

    def _conditions(self, among: frozenset[str], *, rolled: bool = False) -> list[str]:
        self.parameters.update(self.filters)
        return [condition(name, rolled=rolled) for name in sorted(among & self.filters.keys())]

    def _when(self, column: str, spans: Sequence[Span]) -> str:
        self.parameters["currency"] = settings.STORE_CURRENCY
        either = [
            f"({column} >= {self.parameter(begin)} AND {column} < {self.parameter(end)})"
            for begin, end in spans
        ]
        return f"({' OR '.join(either)}) AND o.currency = %(currency)s"

    def of_days(self, table: str, days: str) -> str:
        """SQL of the facts of days that are summed up in this table; `days` is a condition on `day`."""
        wanted = self._conditions(ORDER_FILTERS | LINE_FILTERS, rolled=True)
        return f"SELECT day, {self.names} FROM {table} WHERE {days} {_and(wanted)}"  # noqa: S608

    @property
    def names(self) -> str:
        """The columns that all facts have, in their order."""
        return ", ".join([*(one.name for one in self.dimensions), *Sums._fields])

    def parameter(self, value: Any) -> str:
        """The place of a value in the SQL."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"%({name})s"


def _listed(columns: Sequence[str]) -> str:
    return "".join(f"{column}, " for column in columns)


def _and(conditions: Sequence[str]) -> str:
    return "".join(f" AND {condition}" for condition in conditions)
