"""What sells: pieces ordered of each product, counted in batches from the lines of orders."""

from __future__ import annotations

from django.db import connection

# Lines remember what was counted of them, so a batch that is lost or done twice counts nothing wrong, and
# pieces that come back are taken off. Products in one order, so that two counters don't wait in a circle.
_COUNT = """
WITH due AS MATERIALIZED (
    SELECT id, product_id, quantity - restocked - counted AS pieces FROM shop_orderline
    WHERE NOT (counted = quantity - restocked) ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
), marked AS (
    UPDATE shop_orderline l SET counted = l.quantity - l.restocked FROM due WHERE l.id = due.id
), added AS (
    INSERT INTO shop_popularity AS p (product_id, pieces, counted_at)
    SELECT product_id, sum(pieces), now() FROM due WHERE product_id IS NOT NULL
    GROUP BY product_id ORDER BY product_id
    ON CONFLICT (product_id) DO UPDATE SET pieces = p.pieces + excluded.pieces, counted_at = now()
)
SELECT count(*) FROM due
"""


def count(*, batch: int = 5000) -> int:
    """Count the lines that are not counted yet, a batch in each transaction; returns how many."""
    counted = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_COUNT, [batch])
            [lines] = cursor.fetchone()
            counted += lines
            if lines < batch:
                return counted
