"""Products and categories for tests, with everything filled in that a test does not care about."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

from shop import categories
from shop.models import Category, Product

_numbers = count(1)


def a_product(**fields: Any) -> Product:
    """Store a product; SKU, slug, name and price are made up unless given."""
    number = next(_numbers)
    made_up = {"sku": f"SKU-{number}", "slug": f"product-{number}", "name": f"Product {number}"}
    return Product.objects.create(**{**made_up, "price": Decimal("9.99"), **fields})


def a_category(path: str) -> Category:
    """Store the category `A > B` and what is above it; returns the last one."""
    names = categories.split_path(path)
    return Category.objects.get(pk=categories.ensure([names])[categories.key_of(names)])
