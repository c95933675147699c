"""Ways to import a file with the ORM in one process, each as its users would write it well.

In their favour, the categories are there already and are asked for once.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from itertools import batched
from pathlib import Path
from typing import Any

import tablib
from import_export import fields, resources, widgets
from import_export.instance_loaders import CachedInstanceLoader

from bench.catalogue import Case
from imports.columns import slugs_for
from shop import categories
from shop.models import Category, Product

_BATCH = 1000
_UPDATED = (
    "name", "description", "price", "stock", "category", "published", "featured", "metadata", "updated_at",
)  # fmt: skip


def per_row(path: Path, case: Case) -> None:
    """One `create` or `update_or_create` a row, each committed by itself."""
    for values in _rows(path):
        if case == Case.FIRST:
            Product.objects.create(**values, slug=_slug(values["name"], values["sku"]))
        else:
            sku = values.pop("sku")
            Product.objects.update_or_create(
                sku=sku, defaults=values, create_defaults={**values, "slug": _slug(values["name"], sku)}
            )


def bulk_create(path: Path, case: Case) -> None:
    """`bulk_create` in batches of 1,000; a re-import updates on conflict."""
    options: dict[str, Any] = (
        {}
        if case == Case.FIRST
        else {"update_conflicts": True, "unique_fields": ["sku"], "update_fields": _UPDATED}
    )
    for batch in batched(_rows(path), _BATCH):
        products = [Product(**values, slug=_slug(values["name"], values["sku"])) for values in batch]
        Product.objects.bulk_create(products, **options)


def import_export(path: Path, case: Case) -> None:
    """django-import-export at its fastest: bulk, instances cached, unchanged rows skipped, no report."""
    dataset = tablib.Dataset().load(path.read_text(), format="csv")
    ProductResource().import_data(dataset, raise_errors=True)


WAYS: dict[str, Callable[[Path, Case], None]] = {
    "per-row": per_row,
    "bulk-create": bulk_create,
    "import-export": import_export,
}


class CategoryWidget(widgets.Widget):
    """From a category's path to its id."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int:
        return _category(value)


class ProductResource(resources.ModelResource):
    """Our columns for django-import-export."""

    category = fields.Field(attribute="category_id", column_name="category", widget=CategoryWidget())

    class Meta:
        model = Product
        fields = tuple(name for name in ("sku", *_UPDATED) if name != "updated_at")
        import_id_fields = ("sku",)
        instance_loader_class = CachedInstanceLoader
        use_bulk = True
        batch_size = _BATCH
        skip_unchanged = True
        skip_html_diff = True
        report_skipped = False

    def before_save_instance(self, instance: Product, row: Any, **kwargs: Any) -> None:
        instance.slug = instance.slug or _slug(instance.name, instance.sku)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows as values of the model's fields; raises ValueError at the first that is broken."""
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            yield {
                "sku": row["sku"],
                "name": row["name"],
                "description": row["description"],
                "price": Decimal(row["price"]),
                "stock": int(row["stock"]),
                "category_id": _category(row["category"]),
                "published": row["published"] == "true",
                "featured": row["featured"] == "true",
                "metadata": json.loads(row["metadata"]),
            }


def _category(path: str) -> int:
    return _category_ids()[categories.key_of(categories.split_path(path))]


@cache
def _category_ids() -> dict[str, int]:
    return dict(Category.objects.values_list("key", "pk"))


def _slug(name: str, sku: str) -> str:
    return f"{slugs_for([name])[0]}-{sku.lower()}"
