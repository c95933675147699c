"""Whatever the catalogue holds, an export of it changes nothing when it is imported, and makes it anew."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from imports.models import RowChange
from shop.models import Category, Product, ProductImage
from tests.imports.exports import catalogue, content, empty_catalogue, exported, imported, stamps
from tests.imports.running import outcomes, rejections

pytestmark = pytest.mark.django_db(transaction=True)

_PIECES = [
    " ", "  ", "\n", "\r\n", "\t", "\x1f", "\x1e", "\x0b", "\xa0", "\u2028", "\u200d", "\ufeff", '"', "'",
    ",", ";", "|", "\\", "\\n", "\\N", "#", "=", "+", "-", "@", "＝", "＋", "－", "＠", "{", "[", ":", ">",
    " > ", "__clear__", "#N/A", "Total", "sku", "sku,name,description,price,stock,category,published",
    "12.50", "1", "true", "http://a.example/1.jpg", "https://a.example/2.jpg", "a", "Ab", "ß", "日本", "😀",
    "'\"", "<p>x</p>", "_x0041_", "a,b,c,d,e,f,g,h,i,j,k,l\n", "SKU-1", "2024-01-01",
]  # fmt: skip
_CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])


def texts(most: int, least: int = 0) -> st.SearchStrategy[str]:
    """Texts of odd pieces, of any characters, and plain ones."""
    odd = st.lists(st.sampled_from(_PIECES), max_size=6).map("".join)
    return (
        (odd | st.text(_CHARACTERS, max_size=12) | st.sampled_from(["plain", "Oak board", ""]))
        .map(lambda text: text[:most])
        .filter(lambda text: len(text) >= least)
    )


_NUMBERS = (
    st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False) | st.just(10**400)
)
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | texts(20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(10), inner, max_size=3),
    max_leaves=6,
)
_METADATA = st.just({}) | st.dictionaries(texts(10), _VALUES, max_size=3)
_OPTIONS = st.dictionaries(texts(12), texts(12), max_size=3) | st.just({"Size": "M"})
_IMAGES = st.lists(
    st.sampled_from(["https://a.example/1.jpg", "https://a.example/a,b.jpg", "http://a.example/x | y"])
    | texts(40, least=1),
    max_size=4,
)
# Names as `Category.clean` lets them in.
_NAMES = (
    texts(40).map(lambda text: " ".join(text.replace(">", "").split())).filter(bool)
    | st.sampled_from(["Home", "=Sale", "C++"])
)  # fmt: skip
_PRODUCTS = st.lists(
    st.fixed_dictionaries(
        {
            "sku": texts(100, least=1),
            "name": texts(255),
            "description": texts(5_000),
            "price": st.decimals(0, Decimal("9999999999.99"), places=2) | st.just(Decimal(0)),
            "stock": st.integers(0, 2_147_483_647) | st.just(0),
            "published": st.booleans(),
            "featured": st.booleans(),
            "metadata": _METADATA,
            "path": st.lists(_NAMES, max_size=3),
            "images": _IMAGES,
            "above": st.none() | st.integers(0, 3),
            "options": _OPTIONS,
        }
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda product: product["sku"],
)


def store(products: list[dict[str, Any]]) -> None:
    """Put products straight into the tables. Those that name another one `above` are its variants."""
    tops = [product for product in products if product["above"] is None]
    stored: dict[str, Product] = {}
    for number, one in enumerate([*tops, *(one for one in products if one["above"] is not None)]):
        above = tops[one["above"] % len(tops)] if one["above"] is not None and tops else None
        fields = {name: one[name] for name in ("sku", "name", "description", "price", "stock")}
        stored[one["sku"]] = made = Product.objects.create(
            **fields,
            slug=f"product-{number}",
            published=one["published"],
            featured=one["featured"],
            category=category(one["path"]),
            parent=stored[above["sku"]] if above else None,
            options=one["options"] if above else {},
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE shop_product SET metadata = %s WHERE id = %s", [Jsonb(one["metadata"]), made.pk]
            )
        ProductImage.objects.bulk_create(
            ProductImage(product=made, source_url=url, position=at) for at, url in enumerate(one["images"])
        )


def category(names: list[str]) -> Category | None:
    """The category of this path, made if it is not there."""
    above = None
    for name in names:
        made = Category(name=name, parent=above)
        made.derive_paths()
        found = Category.objects.filter(key=made.key).first()
        if found is None:
            clash = Category.objects.filter(path=made.path).exists()
            made.slug = f"c-{Category.objects.count()}" if clash else made.slug
            made.save()
        above = found or made
    return above


def check(products: list[dict[str, Any]], format: str) -> None:
    empty_catalogue()
    store(products)
    before, changed = catalogue(), stamps()
    data = content(exported(format=format))

    again = imported(data)
    assert rejections(again) == []
    assert outcomes(again) == {"unchanged": len(products)}
    assert (stamps(), RowChange.objects.count(), again.repaired) == (changed, 0, 0)

    empty_catalogue()
    anew = imported(data)
    assert rejections(anew) == []
    assert (outcomes(anew), catalogue()) == ({"created": len(products)}, before)


_EXAMPLES = int(os.environ.get("TALLYMAN_EXAMPLES", "20"))


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_any_catalogue_comes_back_as_it_was(format: str) -> None:
    @settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_PRODUCTS)
    def holds(products: list[dict[str, Any]]) -> None:
        check(products, format)

    holds()
