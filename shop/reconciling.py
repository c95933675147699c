"""Does everything add up? Stock and ledger, orders and lines, money, events, keys, shipments, codes.

Each check is one statement over whole tables, so it sees one moment and may run beside the shop; each of its
rows is a sentence about something that is off. What constraints hold is not
asked again.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from shop import stock

_LINES = """
SELECT format('Order %s: its lines and delivery come to %s net and %s tax; the order says %s and %s.',
              o.number, coalesce(l.net, 0) + d.net, coalesce(l.tax, 0) + o.delivery_tax, o.net, o.tax)
FROM shop_order o
CROSS JOIN LATERAL (SELECT o.delivery - o.prices_include_tax::int * o.delivery_tax AS net) d
LEFT JOIN (SELECT order_id, sum(subtotal) AS subtotal, sum(discount) AS discount, sum(net) AS net,
                  sum(tax) AS tax FROM shop_orderline GROUP BY order_id) l ON l.order_id = o.id
WHERE (o.subtotal, o.discount, o.net, o.tax)
      IS DISTINCT FROM (l.subtotal, l.discount, l.net + d.net, l.tax + o.delivery_tax)
"""
_MONEY = """
SELECT format('Order %s: its payments come to %s and its refunds to %s; the order says %s and %s.', o.number,
              coalesce(p.taken, 0), coalesce(r.given, 0), o.paid, o.refunded)
FROM shop_order o
LEFT JOIN (SELECT order_id, sum(amount) AS taken FROM shop_payment WHERE state IN ('captured', 'stray')
           GROUP BY order_id) p ON p.order_id = o.id
LEFT JOIN (SELECT p.order_id, sum(r.amount) AS given
           FROM shop_refund r JOIN shop_payment p ON p.id = r.payment_id
           WHERE r.state = 'done' GROUP BY p.order_id) r ON r.order_id = o.id
WHERE o.paid <> coalesce(p.taken, 0) OR o.refunded <> coalesce(r.given, 0)
"""
_OWED = """
SELECT format('Order %s is %s, and %s %s of it must still be given back.', number, state, paid - refunded,
              currency)
FROM shop_order WHERE state IN ('cancelled', 'expired') AND paid > refunded
UNION ALL
SELECT format('Order %s: %s %s came twice and must still be given back.', o.number,
              p.amount - p.refund_reserved, p.currency)
FROM shop_payment p JOIN shop_order o ON o.id = p.order_id
WHERE p.state = 'stray' AND p.refund_reserved < p.amount AND o.state NOT IN ('cancelled', 'expired')
"""
_REFUNDS = """
SELECT format('Payment %s of order %s: refunds take %s of it, it has set aside %s.', p.id, o.number,
              coalesce(r.amount, 0), p.refund_reserved)
FROM shop_payment p JOIN shop_order o ON o.id = p.order_id
LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM shop_refund WHERE state <> 'failed'
           GROUP BY payment_id) r ON r.payment_id = p.id
WHERE p.refund_reserved <> coalesce(r.amount, 0)
"""
# A product that was deleted has no row to compare with, and its pieces can't come back.
_STOCK = """
SELECT format('Order %s: %s pieces of %s left the stock for it, its lines say %s.',
              coalesce(l.number, m.number), coalesce(m.taken, 0), coalesce(l.sku, p.sku),
              coalesce(l.taken, 0))
FROM (SELECT o.number, l.product_id, min(l.sku) AS sku, sum(l.quantity - l.restocked) AS taken
      FROM shop_orderline l JOIN shop_order o ON o.id = l.order_id WHERE l.product_id IS NOT NULL
      GROUP BY o.number, l.product_id) l
FULL JOIN (SELECT substr(reference, 7)::bigint AS number, product_id, -sum(quantity) AS taken
           FROM shop_stockmovement WHERE kind IN ('sale', 'return') AND reference ~ '^order/[0-9]{1,18}$'
           GROUP BY reference, product_id) m ON m.number = l.number AND m.product_id = l.product_id
LEFT JOIN shop_product p ON p.id = coalesce(l.product_id, m.product_id)
WHERE p.id IS NOT NULL AND coalesce(l.taken, 0) <> coalesce(m.taken, 0)
"""
_HELD = """
SELECT format('Order %s is %s and still holds %s pieces of %s.', o.number, o.state,
              l.quantity - l.restocked, l.sku)
FROM shop_orderline l JOIN shop_order o ON o.id = l.order_id
WHERE o.state IN ('cancelled', 'expired') AND l.restocked < l.quantity
"""
_EVENTS = """
SELECT format('Order %s is %s; its history has it %s after %s event(s), %s of them placed, %s paid.',
              o.number, o.state, coalesce(e.state, 'nowhere'), coalesce(e.events, 0), coalesce(e.placed, 0),
              coalesce(e.paid, 0))
FROM shop_order o
LEFT JOIN (SELECT order_id, count(*) AS events, (array_agg(state ORDER BY id DESC))[1] AS state,
                  count(*) FILTER (WHERE kind = 'placed') AS placed,
                  count(*) FILTER (WHERE kind = 'paid') AS paid
           FROM shop_orderevent GROUP BY order_id) e ON e.order_id = o.id
WHERE e.state IS DISTINCT FROM o.state OR e.placed <> 1 OR e.paid <> (o.paid_at IS NOT NULL)::int
"""
_KEYS = """
SELECT format('Order %s: the key of its checkout answers with order %s and %s.', o.number,
              k.answer ->> 'number', k.answer ->> 'total')
FROM shop_checkoutkey k JOIN shop_order o ON o.id = k.order_id
WHERE (k.answer ->> 'order_id', k.answer ->> 'number', k.answer ->> 'token', (k.answer ->> 'total')::numeric)
      IS DISTINCT FROM (o.id::text, o.number::text, o.token::text, o.total)
"""
_SHIPMENTS = """
SELECT format('Order %s: %s pieces of %s are in its shipments, its line says %s.', o.number,
              coalesce(s.quantity, 0), l.sku, l.shipped)
FROM shop_orderline l JOIN shop_order o ON o.id = l.order_id
LEFT JOIN (SELECT line_id, sum(quantity) AS quantity FROM shop_shipmentline GROUP BY line_id) s
       ON s.line_id = l.id
WHERE l.shipped <> coalesce(s.quantity, 0)
"""
_SENT_AND_BACK = """
SELECT format('Order %s: %s pieces of %s were sent while a refund was to put them back into stock.', o.number,
              l.shipped + l.restocked - l.quantity, l.sku)
FROM shop_orderline l JOIN shop_order o ON o.id = l.order_id
WHERE l.shipped + l.restocked > l.quantity AND EXISTS (
    SELECT FROM shop_shipmentline s JOIN shop_shipment t ON t.id = s.shipment_id
    JOIN shop_payment p ON p.order_id = l.order_id JOIN shop_refund r ON r.payment_id = p.id
    WHERE s.line_id = l.id AND r.restock ? l.sku AND t.shipped_at BETWEEN r.created_at AND r.done_at)
"""
_CODES = """
SELECT format('Discount code %s: %s orders have it, it counts %s.', c.code, coalesce(u.uses, 0), c.used)
FROM shop_discountcode c
LEFT JOIN (SELECT code_id, count(*) AS uses FROM shop_discountuse WHERE returned_at IS NULL
           GROUP BY code_id) u ON u.code_id = c.id
WHERE c.used <> coalesce(u.uses, 0)
UNION ALL
SELECT format('Order %s is %s, and its use of the discount code %s was %sgiven back.', o.number, o.state,
              o.discount_code, CASE WHEN u.returned_at IS NULL THEN 'not ' ELSE '' END)
FROM shop_discountuse u JOIN shop_order o ON o.id = u.order_id
WHERE (u.returned_at IS NOT NULL) <> (o.state IN ('cancelled', 'expired'))
"""
CHECKS = (
    _LINES, _MONEY, _OWED, _REFUNDS, _STOCK, _HELD, _EVENTS, _KEYS, _SHIPMENTS, _SENT_AND_BACK, _CODES,
)  # fmt: skip

_more: dict[str, None] = {}  # a set that keeps its order


def register(*checks: str) -> None:
    """Ask for more: statements of apps that know more of orders, each row of theirs a sentence."""
    _more.update(dict.fromkeys(checks))


def findings() -> Iterator[str]:
    """What is off, a sentence each; nothing when all adds up."""
    for one in stock.mismatches():
        yield f"{one.sku}: the stock is {one.stock:,}, its ledger comes to {one.ledger:,}."
    with connection.cursor() as cursor:
        for check in (*CHECKS, *_more):
            cursor.execute(check)
            while rows := cursor.fetchmany(1000):
                yield from (row[0] for row in rows)
