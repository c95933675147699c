"""Run exports in this process, by the real engine and handler, and compare catalogues."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.db import connection

from imports import exporting
from imports.models import ExportRun, ImportRun
from shop.models import Product
from tasks.models import Job
from tests.imports.running import do, import_rows

_TABLES = "shop_product, shop_productimage, shop_category, imports_rowchange, imports_createdproducts"


def exported(chosen: dict[str, Any] | None = None, **options: Any) -> ExportRun:
    """An export done from beginning to end."""
    return work(exporting.start(chosen=chosen or {}, **options))


def work(run: ExportRun) -> ExportRun:
    """Do the export's job."""
    do(Job.objects.get(subject=run.subject))
    run.refresh_from_db()
    return run


def content(run: ExportRun) -> bytes:
    """The bytes of the run's file."""
    with run.file.open("rb") as file:
        data: bytes = file.read()
    return data


def table(run: ExportRun) -> list[dict[str, str]]:
    """The rows of the run's CSV file, as any reader of CSV has them."""
    text = content(run).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def imported(data: bytes) -> ImportRun:
    """An import of these bytes with everything as guessed."""
    return import_rows(data)


def empty_catalogue() -> None:
    """Remove all products and categories."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {_TABLES} CASCADE")


def catalogue() -> list[dict[str, Any]]:
    """All that the catalogue says of its products but ids, times and slugs, by SKU."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.sku, p.name, p.description, p.price, p.stock, c.full_name AS category, p.published,
                   p.featured, p.metadata::text, q.sku AS parent, p.options::text,
                   array(SELECT i.source_url FROM shop_productimage i WHERE i.product_id = p.id
                         ORDER BY i.position, i.id) AS images
            FROM shop_product p LEFT JOIN shop_category c ON c.id = p.category_id
            LEFT JOIN shop_product q ON q.id = p.parent_id ORDER BY p.sku
            """
        )
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def stamps() -> dict[str, Any]:
    """When each product was last changed, by SKU."""
    return dict(Product.objects.values_list("sku", "updated_at"))
