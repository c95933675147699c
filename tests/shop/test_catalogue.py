"""Products: filters that chain, and states that can't be stored."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from shop.models import Product, ProductImage, StockLevel, new_key
from tests.shop.factories import a_category, a_product

pytestmark = pytest.mark.django_db


def skus(products: Any) -> set[str]:
    return set(products.values_list("sku", flat=True))


def test_filters_chain_and_each_narrows() -> None:
    knives = a_category("Home > Knives")
    a_product(sku="all", published=True, featured=True, stock=3, category=knives)
    a_product(sku="hidden", published=False, featured=True, stock=3, category=knives)
    a_product(sku="plain", published=True, featured=False, stock=3, category=knives)
    a_product(sku="sold-out", published=True, featured=True, stock=0, category=knives)
    a_product(sku="elsewhere", published=True, featured=True, stock=3)

    assert skus(Product.objects.published().featured().in_stock().by_category(knives)) == {"all"}


def test_by_category_includes_subcategories_but_not_namesakes() -> None:
    home = a_category("Home")
    a_product(sku="home", category=home)
    a_product(sku="kitchen", category=a_category("Home > Kitchen"))
    a_product(sku="knives", category=a_category("Home > Kitchen > Knives"))
    a_product(sku="office", category=a_category("Home Office"))
    a_product(sku="nested", category=a_category("Garden > Home"))

    assert skus(Product.objects.by_category(home)) == {"home", "kitchen", "knives"}


def test_newest_lists_the_latest_first() -> None:
    old, new = a_product(sku="old"), a_product(sku="new")
    Product.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=1))

    assert list(Product.objects.newest()) == [new, old]


@pytest.mark.parametrize(
    ("stock", "level"),
    [(0, StockLevel.OUT), (1, StockLevel.LOW), (5, StockLevel.LOW), (6, StockLevel.IN)],
)
def test_stock_level_and_its_filter_agree_at_the_edges(stock: int, level: StockLevel) -> None:
    product = a_product(stock=stock)

    assert product.stock_level == level
    assert [one for one in StockLevel if Product.objects.at_stock_level(one).exists()] == [level]


def test_stock_level_follows_the_setting(settings: Any) -> None:
    settings.LOW_STOCK = 10

    assert a_product(stock=10).stock_level == StockLevel.LOW


def test_sku_begins_finds_any_case_and_nothing_from_the_middle() -> None:
    for sku in ("AB-1", "AB-12", "ab-1x", "XAB-1", "AB_1"):
        a_product(sku=sku)

    assert skus(Product.objects.sku_begins("ab-1")) == {"AB-1", "AB-12", "ab-1x"}
    assert skus(Product.objects.sku_begins("AB_")) == {"AB_1"}


def test_sku_begins_uses_the_unique_index() -> None:
    Product.objects.bulk_create(
        Product(sku=f"SKU-{n:05}", slug=f"p-{n}", name="Knife", price=1) for n in range(2000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE shop_product")

    assert "product_sku_unique" in Product.objects.sku_begins("sku-0012").order_by().explain()


def test_switch_changes_only_what_differs_and_counts_it() -> None:
    was, other = a_product(published=True), a_product(published=False)
    before = Product.objects.get(pk=was.pk).updated_at

    assert Product.objects.switch("published", on=True) == 1
    assert Product.objects.published().count() == 2
    assert Product.objects.get(pk=was.pk).updated_at == before
    assert Product.objects.get(pk=other.pk).updated_at > other.updated_at


def test_new_products_get_time_ordered_keys() -> None:
    first, second = a_product(), a_product()

    assert (first.pk.version, second.pk.version) == (7, 7)
    assert first.pk < second.pk < new_key()


@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ("product_price_not_negative", {"price": Decimal("-0.01")}),
        ("product_stock_not_negative", {"stock": -1}),
        ("product_sku_not_blank", {"sku": ""}),
        ("product_sku_unique", {"sku": "taken"}),
        ("product_slug_unique", {"slug": "taken"}),
    ],
)
def test_impossible_product_is_refused_by_the_database(constraint: str, fields: dict[str, Any]) -> None:
    a_product(sku="taken", slug="taken")

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        a_product(**fields)


def test_product_that_is_its_own_parent_is_refused_by_the_database() -> None:
    product = a_product()
    product.parent = product

    with pytest.raises(IntegrityError, match="product_not_own_parent"), transaction.atomic():
        product.save()


def test_skus_that_differ_in_case_are_two_products() -> None:
    a_product(sku="ab-1")
    a_product(sku="AB-1")

    assert Product.objects.count() == 2


def test_image_without_file_and_address_is_refused() -> None:
    image = ProductImage(product=a_product())

    with pytest.raises(ValidationError, match="Give a file or an address"):
        image.full_clean()
    with pytest.raises(IntegrityError, match="product_image_has_source"), transaction.atomic():
        image.save()


def test_variants_go_with_their_product() -> None:
    parent = a_product()
    a_product(parent=parent)
    parent.delete()

    assert not Product.objects.exists()


# Variants


def family() -> tuple[Product, Product]:
    shirt = a_product(sku="shirt")
    return shirt, a_product(sku="shirt-M", name="Medium", parent=shirt, options={"Size": "M"})


def test_variants_and_products_of_their_own_are_told_apart() -> None:
    shirt, _ = family()
    a_product(sku="cap")

    assert skus(Product.objects.top_level()) == {"shirt", "cap"}
    assert skus(Product.objects.variants()) == {"shirt-M"}
    assert skus(Product.objects.variants_of(shirt)) == {"shirt-M"}
    assert skus(Product.objects.with_variants()) == {"shirt"}


@pytest.mark.parametrize("by_update", [True, False])
def test_variant_of_a_variant_cannot_be_stored(by_update: bool) -> None:
    _, medium = family()

    other = a_product()

    with pytest.raises(IntegrityError, match="a variant has no variants"):
        Product.objects.filter(pk=other.pk).update(parent=medium) if by_update else a_product(parent=medium)


def test_product_with_variants_cannot_become_one() -> None:
    shirt, _ = family()

    with pytest.raises(IntegrityError, match="a variant has no variants"):
        Product.objects.filter(pk=shirt.pk).update(parent=a_product())


def test_variant_that_stays_one_can_be_saved() -> None:
    _, medium = family()
    medium.name = "Another"
    medium.full_clean()
    medium.save()

    assert Product.objects.get(sku="shirt-M").name == "Another"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"parent": "shirt-M"},
            {
                "parent": [
                    "“Medium (shirt-M)” is a variant itself. Choose the product that it is a variant of."
                ]
            },
        ),
        (
            {"parent": "shirt", "options": {"Size": "M"}},
            {"options": ["shirt-M has the same options. Say what sets this one apart."]},
        ),
        ({"options": {"Size": 4}}, {"options": ['Options are names with texts, such as {"Colour": "red"}.']}),
        ({"options": ["red"]}, {"options": ['Options are names with texts, such as {"Colour": "red"}.']}),
    ],
)
def test_variant_that_cannot_be_is_refused_with_words(fields: dict[str, Any], expected: Any) -> None:
    family()
    above = Product.objects.filter(sku=fields.get("parent", "")).first()
    product = Product(pk=new_key(), sku="new", slug="new", name="New", price=1, **{**fields, "parent": above})

    with pytest.raises(ValidationError) as refused:
        product.full_clean()

    assert refused.value.message_dict == expected


def test_product_with_variants_is_refused_as_one_with_words() -> None:
    shirt, _ = family()
    shirt.parent = a_product()

    with pytest.raises(ValidationError) as refused:
        shirt.full_clean()

    assert refused.value.message_dict == {
        "parent": [f"“{shirt.name}” has variants itself, so it can't be one. Move them first."]
    }


def test_options_read_as_a_line() -> None:
    assert Product(options={"Colour": "red", "Size": "M"}).options_text == "Colour: red, Size: M"
