"""What follows from sample orders, set by set: the ledger, history, shipments, uses of codes, popularity."""

from __future__ import annotations

# Everything is of the orders in the temporary table sample_order.
_PARTS = """
INSERT INTO reports_refundpart (refund_id, line_id, amount, tax)
SELECT s.refund_id, l.id, s.amount, s.tax
FROM sample_part s LEFT JOIN shop_orderline l ON l.order_id = s.order_id AND l.sku = s.sku
"""
_EVENTS = """
INSERT INTO shop_orderevent (order_id, kind, state, details, by, at)
SELECT o.id, e.kind, e.state, '{}', '', e.at
FROM sample_order s JOIN shop_order o ON o.id = s.order_id
LEFT JOIN LATERAL (SELECT r.done_at FROM shop_payment p JOIN shop_refund r ON r.payment_id = p.id
                   WHERE p.order_id = o.id) r ON true
CROSS JOIN LATERAL (VALUES
    (1, 'placed', 'pending', o.placed_at),
    (2, 'expired', 'expired', CASE WHEN o.state = 'expired' THEN o.ended_at END),
    (3, 'paid', 'paid', o.paid_at),
    (4, 'shipped', 'fulfilled', o.fulfilled_at),
    (5, 'delivered', 'delivered', o.delivered_at),
    (6, 'refunded', o.state, r.done_at)
) AS e(step, kind, state, at)
WHERE e.at IS NOT NULL ORDER BY o.placed_at, o.id, e.step
"""
_SHIPMENTS = """
INSERT INTO shop_shipment (order_id, number, carrier, tracking_code, tracking_url, shipped_at)
SELECT o.id, 1, 'Post', '', '', o.fulfilled_at FROM sample_order s JOIN shop_order o ON o.id = s.order_id
WHERE o.fulfilled_at IS NOT NULL
"""
_SHIPMENT_LINES = """
INSERT INTO shop_shipmentline (shipment_id, line_id, quantity)
SELECT t.id, l.id, l.shipped FROM sample_order s JOIN shop_shipment t ON t.order_id = s.order_id
JOIN shop_orderline l ON l.order_id = s.order_id
"""
_CODES = """
INSERT INTO shop_discountcode (code, percent, active, minimum, used, created_at, updated_at)
SELECT c.code, c.percent, false, 0, 0, now(), now()
FROM unnest(%(codes)s::text[], %(percents)s::int[]) AS c(code, percent)
ON CONFLICT (code) DO NOTHING
"""
_USES = """
WITH used AS (
    INSERT INTO shop_discountuse (code_id, order_id, email, returned_at)
    SELECT c.id, o.id, o.email, CASE WHEN o.state = 'expired' THEN o.ended_at END
    FROM sample_order s JOIN shop_order o ON o.id = s.order_id
    JOIN shop_discountcode c ON c.code = o.discount_code
    RETURNING code_id, returned_at
)
UPDATE shop_discountcode c SET used = c.used + u.uses
FROM (SELECT code_id, count(*) AS uses FROM used WHERE returned_at IS NULL GROUP BY code_id) u
WHERE u.code_id = c.id
"""
# What was sold had arrived before; some of each is left. The stock is brought to what the ledger comes to
# by a statement that announces that its movements are written already.
_MOVEMENTS = """
INSERT INTO shop_stockmovement (product_id, quantity, balance, kind, reference, note, by, at)
SELECT m.product_id, m.quantity,
       p.stock + sum(m.quantity) OVER (PARTITION BY m.product_id ORDER BY m.at, m.step, m.number), m.kind,
       CASE WHEN m.number > 0 THEN 'order/' || m.number ELSE '' END,
       CASE WHEN m.number > 0 THEN '' ELSE 'goods received (sample)' END, '', m.at
FROM (
    SELECT l.product_id, -l.quantity AS quantity, 'sale' AS kind, o.number, o.placed_at AS at, 1 AS step
    FROM sample_order s JOIN shop_order o ON o.id = s.order_id JOIN shop_orderline l ON l.order_id = o.id
    UNION ALL
    SELECT l.product_id, l.restocked, 'return', o.number, coalesce(r.done_at, o.ended_at), 2
    FROM sample_order s JOIN shop_order o ON o.id = s.order_id JOIN shop_orderline l ON l.order_id = o.id
    LEFT JOIN shop_payment p ON p.order_id = o.id LEFT JOIN shop_refund r ON r.payment_id = p.id
    WHERE l.restocked > 0
    UNION ALL
    SELECT l.product_id, sum(l.quantity) + (abs(hashtext(l.sku)) %% 90), 'correction', 0, %(since)s, 0
    FROM sample_order s JOIN shop_orderline l ON l.order_id = s.order_id GROUP BY l.product_id, l.sku
) m JOIN shop_product p ON p.id = m.product_id
ORDER BY m.at, m.step, m.number
"""
_STOCK = """
UPDATE shop_product p SET stock = p.stock + m.moved
FROM (SELECT product_id, sum(quantity) AS moved FROM shop_stockmovement WHERE id > %(last)s
      AND product_id IN (SELECT id FROM shop_product WHERE starts_with(sku, 'SAMPLE-')) GROUP BY product_id) m
WHERE m.product_id = p.id
"""
_POPULARITY = """
INSERT INTO shop_popularity AS p (product_id, pieces, counted_at)
SELECT l.product_id, sum(l.counted), now()
FROM sample_order s JOIN shop_orderline l ON l.order_id = s.order_id
GROUP BY l.product_id
ON CONFLICT (product_id) DO UPDATE SET pieces = p.pieces + excluded.pieces, counted_at = now()
"""
MARKS = """
INSERT INTO reports_change (at)
SELECT min(o.paid_at) FROM sample_order s JOIN shop_order o ON o.id = s.order_id WHERE o.paid_at IS NOT NULL
GROUP BY (o.paid_at AT TIME ZONE %(zone)s)::date
UNION ALL
SELECT min(r.done_at) FROM sample_part s JOIN shop_refund r ON r.id = s.refund_id
GROUP BY (r.done_at AT TIME ZONE %(zone)s)::date
"""
FIGURES = (_PARTS, MARKS)
HISTORY = (_EVENTS, _SHIPMENTS, _SHIPMENT_LINES, _CODES, _USES, _MOVEMENTS, _STOCK, _POPULARITY)
TEMPORARY = """
CREATE TEMPORARY TABLE sample_order (order_id uuid PRIMARY KEY);
CREATE TEMPORARY TABLE sample_part (refund_id uuid, order_id uuid, sku text, amount numeric, tax numeric)
"""
