"""What `reconcile` asks of invoices: numbers without gaps, one invoice for each paid order, credit notes that
equal what was given back."""

from __future__ import annotations

from shop import reconciling

_NUMBERS = """
SELECT format('%ss: the counter is at %s; there are %s, numbered from %s to %s.', replace(kind, '_', ' '),
              coalesce(c.last, 0), coalesce(d.count, 0), coalesce(d.first, 0), coalesce(d.last, 0))
FROM invoices_counter c
FULL JOIN (SELECT kind, count(*), min(number) AS first, max(number) AS last FROM invoices_document
           GROUP BY kind) d USING (kind)
WHERE (coalesce(c.last, 0), coalesce(d.count, 0), coalesce(d.first, 1))
      IS DISTINCT FROM (coalesce(d.last, 0), coalesce(d.last, 0), 1)
"""
_INVOICES = """
SELECT CASE WHEN d.id IS NULL THEN format('Order %s is paid and has no invoice.', o.number)
       ELSE format('Order %s: its invoice %s says %s net and %s tax; the order says %s and %s.', o.number,
                   d.name, d.net, d.tax, o.net, o.tax) END
FROM shop_order o
LEFT JOIN invoices_document d ON d.order_id = o.id AND d.kind = 'invoice'
WHERE (d.id IS NOT NULL OR o.paid_at IS NOT NULL AND o.total > 0 AND o.paid_at >= coalesce(
           (SELECT since FROM invoices_counter WHERE kind = 'invoice'), '-infinity'))
  AND (d.net, d.tax) IS DISTINCT FROM (o.net, o.tax)
"""
_RATES = """
SELECT format('%s: its tax rates come to %s net and %s tax; it says %s and %s.', d.name, r.net, r.tax, d.net,
              d.tax)
FROM invoices_document d
CROSS JOIN LATERAL (SELECT coalesce(sum((line ->> 'net')::numeric), 0) AS net,
                           coalesce(sum((line ->> 'tax')::numeric), 0) AS tax
                    FROM jsonb_array_elements(d.content -> 'taxes') AS line) r
WHERE (r.net, r.tax) IS DISTINCT FROM (d.net, d.tax)
"""
# Of an order that ended unpaid all is taken back; else what was given back of the payment that was owed.
_CREDITS = """
SELECT format('Order %s: its credit notes come to %s with %s tax; %s was to be credited of its invoice %s.',
              o.number, c.total, c.tax, w.total, d.name)
FROM invoices_document d
JOIN shop_order o ON o.id = d.order_id
CROSS JOIN LATERAL (SELECT coalesce(sum(total), 0) AS total, coalesce(sum(tax), 0) AS tax
                    FROM invoices_document WHERE corrects_id = d.id) c
CROSS JOIN LATERAL (SELECT CASE WHEN o.state IN ('cancelled', 'expired') THEN d.total
                           ELSE coalesce(sum(r.amount), 0) END AS total
                    FROM shop_refund r JOIN shop_payment p ON p.id = r.payment_id
                    WHERE p.order_id = o.id AND r.state = 'done' AND p.state = 'captured') w
WHERE d.kind = 'invoice' AND (c.total <> w.total OR c.total = d.total AND c.tax <> d.tax)
"""


def connect() -> None:
    """Have `reconcile` ask for it; called once, when Django is ready."""
    reconciling.register(_NUMBERS, _INVOICES, _RATES, _CREDITS)
