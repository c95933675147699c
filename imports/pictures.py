"""The images of products, as addresses in their order. Uploaded files are left alone.

Parts of the statements that write products, so that the images come with them or not at all.
"""

from __future__ import annotations

from imports.models import ImportRun
from imports.variant_columns import IMAGE_ROWS, IMAGES

DIFFER = f"(s.images IS NOT NULL AND s.images <> {IMAGES})"
# What the journal says of them: {"images": [addresses]}, or nothing where they stay. Before, there may be
# their rows as well; after, an image that stayed has what it had, and a new one has nothing but its address.
BEFORE = f"CASE WHEN {DIFFER} THEN jsonb_build_object('images', {IMAGES}) || {IMAGE_ROWS} ELSE '{{}}' END"
AFTER = f"CASE WHEN {DIFFER} THEN jsonb_build_object('images', s.images) ELSE '{{}}' END"

_ANOTHER_HAS_IT = """
EXISTS (SELECT FROM shop_productimage e
        WHERE e.product_id = i.product_id AND e.source_url = i.source_url AND e.id < i.id)
"""

# After `changed (id, after)`, the products that were updated. Hash joins are off in a load, so each of these
# goes from a product to its images by index.
REPLACED = f"""
, wanted AS MATERIALIZED (
    SELECT c.id, a.url, a.number - 1 AS position
    FROM changed c, jsonb_array_elements_text(c.after -> 'images') WITH ORDINALITY AS a(url, number)
), removed AS (
    DELETE FROM shop_productimage i USING changed c
    WHERE i.product_id = c.id AND i.source_url <> ''
      AND (NOT jsonb_exists(c.after -> 'images', i.source_url)
           OR c.after -> 'images' IS NOT NULL AND {_ANOTHER_HAS_IT})
), moved AS (
    UPDATE shop_productimage i SET position = w.position, updated_at = now() FROM wanted w
    WHERE i.product_id = w.id AND i.source_url = w.url AND i.position <> w.position AND NOT {_ANOTHER_HAS_IT}
), added AS (
    INSERT INTO shop_productimage (product_id, source_url, file, alt, position)
    SELECT w.id, w.url, '', '', w.position FROM wanted w
    WHERE NOT EXISTS (SELECT FROM shop_productimage i WHERE i.product_id = w.id AND i.source_url = w.url)
)
"""

# The rows that an undo puts back as they were: those that `before` has of products `j`.
AS_BEFORE = """
INSERT INTO shop_productimage (id, product_id, source_url, file, alt, position)
SELECT i.id, j.id, i.source_url, i.file, i.alt, i.position
FROM {restored} j, jsonb_populate_recordset(
    NULL::shop_productimage, coalesce(j.before -> 'image_rows', '[]') || coalesce(j.before -> 'uploads', '[]')
) i
"""


def added(run: ImportRun) -> str:
    """After `made (id, sku)`, the products that were created: their images."""
    return f"""
    , added AS (
        INSERT INTO shop_productimage (product_id, source_url, file, alt, position)
        SELECT made.id, a.url, '', '', a.number - 1
        FROM made JOIN {run.staging_table} s ON s.sku = made.sku,
             jsonb_array_elements_text(s.images) WITH ORDINALITY AS a(url, number)
    )
    """
