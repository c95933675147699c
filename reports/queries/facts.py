"""The facts that reports add up, straight from orders: one row for each order, each line, each refund."""

from __future__ import annotations

from datetime import datetime
from typing import Any

_ORDERS = """
SELECT o.paid_at AS at, 1 AS orders, 0 AS new, 0 AS units,
       o.delivery + (1 - o.prices_include_tax::int) * o.delivery_tax AS gross, 0 AS discounts,
       o.delivery + (1 - o.prices_include_tax::int) * o.delivery_tax AS delivery, 0 AS refunds,
       o.delivery_tax AS tax, o.delivery - o.prices_include_tax::int * o.delivery_tax AS net
FROM shop_order o WHERE o.paid_at >= %(begin)s AND o.paid_at < %(end)s
"""
_LINES = """
SELECT o.paid_at AS at, 0, 0, l.quantity, l.total, l.discount, 0, 0, l.tax, l.net
FROM shop_order o JOIN shop_orderline l ON l.order_id = o.id
WHERE o.paid_at >= %(begin)s AND o.paid_at < %(end)s
"""
_REFUNDS = """
SELECT r.done_at AS at, 0, 0, 0, 0, 0, 0, r.amount, -round(r.amount * o.tax / o.total, 2),
       round(r.amount * o.tax / o.total, 2) - r.amount
FROM shop_refund r JOIN shop_payment p ON p.id = r.payment_id JOIN shop_order o ON o.id = p.order_id
WHERE r.done_at >= %(begin)s AND r.done_at < %(end)s AND p.state = 'captured' AND o.paid_at IS NOT NULL
"""


def facts(begin: datetime, end: datetime) -> tuple[str, dict[str, Any]]:
    """SQL of the facts of a time, and its parameters."""
    return f"{_ORDERS} UNION ALL {_LINES} UNION ALL {_REFUNDS}", {"begin": begin, "end": end}
