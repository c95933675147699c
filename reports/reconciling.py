"""What `reconcile` asks of reports: refunds that are shared out to the cent."""

from __future__ import annotations

from shop import reconciling

_PARTS = """
SELECT format('Order %s: %s was given back; reports share %s of it out, with %s tax.', o.number, r.amount,
              coalesce(s.amount, 0), coalesce(s.tax, 0))
FROM shop_refund r
JOIN shop_payment p ON p.id = r.payment_id AND p.state = 'captured'
JOIN shop_order o ON o.id = p.order_id AND o.paid_at IS NOT NULL
LEFT JOIN (SELECT refund_id, sum(amount) AS amount, sum(tax) AS tax FROM reports_refundpart
           GROUP BY refund_id) s ON s.refund_id = r.id
WHERE r.state = 'done' AND s.amount IS DISTINCT FROM r.amount
UNION ALL
SELECT format('Order %s was given back in full; reports have %s of its tax of %s back.', o.number, s.tax,
              o.tax)
FROM shop_order o
JOIN (SELECT p.order_id, sum(s.amount) AS amount, sum(s.tax) AS tax FROM reports_refundpart s
      JOIN shop_refund r ON r.id = s.refund_id JOIN shop_payment p ON p.id = r.payment_id
      GROUP BY p.order_id) s ON s.order_id = o.id
WHERE s.amount = o.total AND s.tax <> o.tax
"""


def connect() -> None:
    """Have `reconcile` ask for it; called once, when Django is ready."""
    reconciling.register(_PARTS)
