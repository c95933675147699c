"""Carts: what may be put in, what became of it, and what happens at login."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from shop import carts
from shop.models import MAX_QUANTITY, Cart, Product
from shop.problems import Code, Refused
from tests.shop.factories import a_product
from tests.shop.orders import a_cart, place

pytestmark = pytest.mark.django_db


def pieces(cart: Cart) -> dict[str, int]:
    return dict(cart.lines.values_list("sku", "quantity"))


@pytest.mark.parametrize("quantity", [0, -1, MAX_QUANTITY + 1, 10**9, 10**30])
def test_quantity_that_nobody_can_order_is_refused(quantity: int) -> None:
    product, cart = a_product(), a_cart()

    with pytest.raises(Refused) as refused:
        carts.put(cart=cart, product=product, quantity=quantity)

    assert [problem.code for problem in refused.value.problems] == [Code.QUANTITY]
    assert pieces(cart) == {}


def test_product_put_in_again_has_the_new_quantity_and_added_has_the_sum() -> None:
    product, cart = a_product(sku="A"), a_cart()

    carts.put(cart=cart, product=product, quantity=5)
    carts.put(cart=cart, product=product, quantity=2)
    carts.add(cart=cart, product=product)

    assert pieces(cart) == {"A": 3}


def test_cart_takes_no_more_lines_than_an_order_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carts, "MAX_LINES", 1)
    a_product(sku="A")
    cart = a_cart({"A": 1})

    with pytest.raises(Refused):
        carts.put(cart=cart, product=a_product(sku="B"), quantity=1)

    assert pieces(cart) == {"A": 1}


def test_review_says_what_became_of_each_line() -> None:
    for sku in "ABCDEF":
        a_product(sku=sku, name=f"Product {sku}", price="10.00", stock=5)
    a_product(sku="V", parent=Product.objects.get(sku="F"), stock=5, name="Variant")
    cart = a_cart({"A": 1, "B": 1, "C": 1, "D": 5, "E": 1, "V": 1})
    Product.objects.filter(sku="A").delete()
    Product.objects.filter(sku__in="BF").update(published=False)
    Product.objects.filter(sku="C").update(stock=0)
    Product.objects.filter(sku="D").update(stock=3)
    Product.objects.filter(sku="E").update(price="12.00")

    found = carts.review(cart=cart)

    assert {problem.sku: problem.code for problem in found} == {
        "A": Code.GONE, "B": Code.UNPUBLISHED, "C": Code.SOLD_OUT, "D": Code.TOO_FEW, "E": Code.REPRICED,
        "V": Code.UNPUBLISHED,
    }  # fmt: skip
    messages = {problem.sku: problem.message for problem in found}
    assert messages["D"] == "Product D: only 3 left, and you have 5 in your cart."
    assert messages["E"] == "Product E now costs €12.00 instead of €10.00."


def test_product_that_got_variants_is_sold_as_these_only() -> None:
    shirt = a_product(sku="A", stock=5)
    cart = a_cart({"A": 1})
    a_product(sku="A-M", stock=5, parent=shirt)

    with pytest.raises(Refused) as refused:
        place(cart)

    assert [problem.code for problem in refused.value.problems] == [Code.VARIANTS]
    assert [problem.code for problem in carts.accept_changes(cart=cart)] == [Code.VARIANTS]
    assert pieces(cart) == {}


def test_accepted_changes_leave_a_cart_that_can_be_ordered() -> None:
    for sku in "ABC":
        a_product(sku=sku, price="10.00", stock=5)
    cart = a_cart({"A": 1, "B": 5, "C": 1})
    Product.objects.filter(sku="A").delete()
    Product.objects.filter(sku="B").update(stock=2, price="11.00")

    told = carts.accept_changes(cart=cart)

    assert [problem.code for problem in told] == [Code.GONE, Code.TOO_FEW]
    assert pieces(cart) == {"B": 2, "C": 1}
    assert carts.review(cart=cart) == []


def test_session_cart_is_merged_into_the_customers_at_login() -> None:
    a_product(sku="A"), a_product(sku="B")
    kim = User.objects.create(username="kim")
    mine = carts.of(customer=kim)
    carts.put(cart=mine, product=Product.objects.get(sku="A"), quantity=MAX_QUANTITY - 1)
    guest = a_cart({"A": 2, "B": 3})

    merged = carts.merge(key=str(guest.key), customer=kim)

    assert (merged, pieces(merged)) == (mine, {"A": MAX_QUANTITY, "B": 3})
    assert not Cart.objects.filter(key=guest.key).exists()
    assert pieces(carts.merge(key=str(guest.key), customer=kim)) == {"A": MAX_QUANTITY, "B": 3}


def test_forgotten_carts_of_sessions_are_removed_with_their_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    a_product(sku="A")
    old, older, fresh = a_cart({"A": 1}), a_cart({"A": 1}), a_cart({"A": 1})
    monkeypatch.setattr(carts, "PURGED_AT_ONCE", 1)
    kept = carts.of(customer=User.objects.create(username="kim"))
    Cart.objects.exclude(pk=fresh.pk).update(updated_at=timezone.now() - timedelta(days=61))

    assert carts.purge(older_than=timedelta(days=60)) == 2
    assert set(Cart.objects.all()) == {fresh, kept}
    assert (old.lines.count(), older.lines.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_forgotten_cart_that_is_used_at_this_moment_stays() -> None:
    product = a_product(sku="A")
    back, _ = a_cart({"A": 1}), a_cart({"A": 1})
    Cart.objects.update(updated_at=timezone.now() - timedelta(days=61))

    def purge() -> int:
        try:
            return carts.purge(older_than=timedelta(days=60))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread, transaction.atomic():
        carts.add(cart=back, product=product)
        removed = thread.submit(purge).result(timeout=10)

    assert (removed, pieces(back)) == (1, {"A": 2})
