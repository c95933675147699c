"""The catalogue as a file, and that file back into the catalogue."""

from __future__ import annotations

import pytest

from shop.models import Product, ProductImage
from tests.imports.exports import catalogue, content, empty_catalogue, exported, imported, stamps, table
from tests.imports.running import outcomes
from tests.shop.factories import a_category, a_product

pytestmark = pytest.mark.django_db(transaction=True)


def a_shirt() -> Product:
    """A product with an image and two variants."""
    shirt = a_product(sku="shirt", name="Shirt", slug="shirt", category=a_category("Clothes > Shirts"))
    ProductImage.objects.create(product=shirt, source_url="https://example.com/a.jpg", position=1)
    ProductImage.objects.create(product=shirt, source_url="https://example.com/b.jpg", position=0)
    for size in "SM":
        a_product(sku=f"shirt-{size}", parent=shirt, options={"Size": size}, name=f"Shirt {size}")
    return shirt


def test_an_export_has_our_columns_one_row_a_product() -> None:
    a_shirt()

    run = exported()

    assert table(run)[:2] == [
        {
            "sku": "shirt",
            "name": "Shirt",
            "description": "",
            "price": "9.99",
            "stock": "0",
            "category": "Clothes > Shirts",
            "published": "true",
            "featured": "false",
            "metadata": "{}",
            "parent": "",
            "options": "",
            "images": "https://example.com/b.jpg | https://example.com/a.jpg",
        },
        {
            "sku": "shirt-M",
            "name": "Shirt M",
            "description": "",
            "price": "9.99",
            "stock": "0",
            "category": "",
            "published": "true",
            "featured": "false",
            "metadata": "{}",
            "parent": "shirt",
            "options": "Size: M",
            "images": "",
        },
    ]
    assert (run.state, run.rows, run.products, run.size) == ("completed", 3, 3, len(content(run)))


def test_an_export_comes_back_as_it_was() -> None:
    a_shirt()
    before, changed = catalogue(), stamps()
    data = content(exported())

    again = imported(data)
    assert (outcomes(again), stamps()) == ({"unchanged": 3}, changed)

    empty_catalogue()
    anew = imported(data)
    assert (outcomes(anew), catalogue()) == ({"created": 3}, before)
