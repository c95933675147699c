"""The stock ledger and the versions of products, at the database: whoever writes, they are right."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Sum

from shop import stock
from shop.models import Product, ProductImage, StockMovement
from tests.shop.factories import a_category, a_product

pytestmark = pytest.mark.django_db
SALE = StockMovement.Kind.SALE


def ledger(product: Product) -> list[tuple[int, int, str]]:
    """Its movements, oldest first: (quantity, balance, kind)."""
    return list(product.stock_movements.order_by("pk").values_list("quantity", "balance", "kind"))


def balances() -> list[bool]:
    """Of every product, whether its stock is its opening and its movements."""
    products = Product.objects.annotate(moved=Sum("stock_movements__quantity", default=0))
    return [product.stock == product.opening_stock + product.moved for product in products]


def test_stock_of_a_new_product_opens_its_ledger() -> None:
    product = a_product(stock=7)

    product.refresh_from_db()

    assert product.opening_stock == 7
    assert ledger(product) == []


def test_stock_changed_by_a_sale_has_a_movement_with_its_reference() -> None:
    product = a_product(sku="A", stock=7)

    stock.move({"A": -2}, kind=SALE, reference="order/1", by="kim")

    product.refresh_from_db()
    assert (product.stock, ledger(product)) == (5, [(-2, 5, "sale")])
    movement = product.stock_movements.get()
    assert (movement.reference, movement.by) == ("order/1", "kim")


def test_stock_changed_by_sql_is_a_correction() -> None:
    product = a_product(stock=7)

    with connection.cursor() as cursor:
        cursor.execute("UPDATE shop_product SET stock = 9")

    assert ledger(product) == [(2, 9, "correction")]


def test_stock_announced_for_one_change_is_not_said_of_the_next() -> None:
    product = a_product(sku="A", stock=7)

    with transaction.atomic():
        stock.move({"A": -2}, kind=SALE)
        Product.objects.update(stock=F("stock") + 1)

    assert ledger(product) == [(-2, 5, "sale"), (1, 6, "correction")]


def test_stock_that_is_too_low_moves_nothing_of_the_order() -> None:
    a_product(sku="A", stock=7)
    a_product(sku="B", stock=1)

    with pytest.raises(stock.OutOfStock) as refused:
        stock.move({"A": -2, "B": -2, "C": -1}, kind=SALE)

    assert refused.value.left == {"B": 1, "C": 0}
    assert list(Product.objects.order_by("sku").values_list("stock", flat=True)) == [7, 1]
    assert not StockMovement.objects.exists()


def test_ledger_equals_stock_whoever_wrote() -> None:
    products = [a_product(sku=f"S-{number}", stock=number) for number in range(3)]
    stock.move({"S-2": -1, "S-0": 4}, kind=SALE)
    products[1].stock = 12
    products[1].save()
    Product.objects.filter(sku="S-0").update(stock=0)

    assert balances() == [True, True, True]


def test_ledger_refuses_to_be_rewritten() -> None:
    a_product(sku="A", stock=7)
    stock.move({"A": -2}, kind=SALE)

    with pytest.raises(IntegrityError), transaction.atomic():
        StockMovement.objects.update(quantity=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        StockMovement.objects.all().delete()


def test_opening_stock_can_not_be_changed() -> None:
    product = a_product(stock=7)

    Product.objects.update(opening_stock=3)

    product.refresh_from_db()
    assert product.opening_stock == 7


def version(product: Product) -> int:
    product.refresh_from_db()
    return product.version


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Other"}, {"description": "Other"}, {"price": 1}, {"published": False}, {"featured": True},
        {"metadata": {"a": 1}}, {"options": {"Size": "M"}}, {"slug": "other"}, {"sku": "OTHER"},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_version_is_new_when_content_changes(change: dict[str, Any]) -> None:
    product = a_product()
    before = version(product)

    Product.objects.update(**change)

    assert version(product) > before


def test_version_is_new_when_the_category_changes() -> None:
    product = a_product()
    before = version(product)

    Product.objects.update(category=a_category("Home"))

    assert version(product) > before


def test_version_stays_when_only_stock_changes() -> None:
    product = a_product(stock=3)
    before = version(product)

    Product.objects.update(stock=2)

    assert version(product) == before


def test_version_is_new_when_an_image_comes_changes_or_goes() -> None:
    product = a_product()
    versions = [version(product)]
    image = ProductImage.objects.create(product=product, source_url="https://example.com/a.jpg")
    versions.append(version(product))
    image.alt = "A board"
    image.save()
    versions.append(version(product))
    image.delete()
    versions.append(version(product))

    assert versions == sorted(set(versions))


def test_version_does_not_come_back_with_a_stale_copy() -> None:
    product = a_product()
    stale = Product.objects.get(pk=product.pk)
    Product.objects.update(name="Other")
    changed = version(product)

    stale.stock = 5
    stale.save()

    assert version(product) > changed > stale.version
