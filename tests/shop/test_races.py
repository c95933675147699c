"""Customers at the same time, each on its own connection: nothing is sold twice, nobody meets an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

from shop import ordering, paying, popularity, trying
from shop.models import DiscountCode, Order, OrderLine, Popularity
from shop.placing import Placed
from shop.problems import Refused
from tests.imports.running import confirm, in_small_pieces, row, work
from tests.shop.factories import a_product
from tests.shop.orders import a_cart, a_checkout, a_payment, an_order, findings, place, stocks
from tests.shop.test_ordering import overdue

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 20


@pytest.fixture(autouse=True)
def only_one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadlock would be tried again and nobody would see it: here it is seen."""
    monkeypatch.setattr(trying, "ATTEMPTS", 1)


def race[T](work: Callable[[T], Any], each: Iterable[T]) -> list[Any]:
    """Have threads do the work side by side; returns what each returned, or why it was refused."""

    def alone(one: T) -> Any:
        try:
            return work(one)
        except Refused as refused:
            return [problem.code for problem in refused.problems]
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(alone, each))


def test_last_piece_is_sold_to_one_of_a_hundred() -> None:
    a_product(sku="A", stock=1)
    carts = [a_cart({"A": 1}) for _ in range(100)]
    a_checkout()

    answers = race(place, carts)

    assert [answer for answer in answers if answer != ["sold_out"]] == [
        Placed(order.pk, order.number, order.token, order.total, "EUR") for order in Order.objects.all()
    ]
    assert (len(answers), Order.objects.count(), stocks(), findings()) == (100, 1, {"A": 0}, [])


def test_carts_with_the_same_goods_in_either_order_never_wait_in_a_circle() -> None:
    a_product(sku="A", stock=200), a_product(sku="B", stock=200)
    both = cycle([{"A": 1, "B": 1}, {"B": 1, "A": 1}])
    carts = [a_cart(pieces) for pieces in islice(both, 200)]
    a_checkout()

    answers = race(place, carts)

    assert [answer for answer in answers if not isinstance(answer, Placed)] == []
    assert (Order.objects.count(), stocks(), findings()) == (200, {"A": 0, "B": 0}, [])


def test_key_sent_fifty_times_at_once_is_one_order_and_one_answer() -> None:
    a_product(sku="A", stock=100)
    cart = a_cart({"A": 1})
    a_checkout()

    answers = race(lambda _: place(cart, key="k"), range(50))

    order = Order.objects.get()
    assert answers == [Placed(order.pk, order.number, order.token, order.total, "EUR")] * 50
    assert (stocks(), findings()) == ({"A": 99}, [])


def test_code_with_ten_uses_is_used_by_ten_of_a_hundred() -> None:
    a_product(sku="A", stock=100)
    code = DiscountCode.objects.create(code="TEN", percent=10, limit=10)
    carts = [a_cart({"A": 1}) for _ in range(100)]
    a_checkout()

    answers = race(lambda cart: place(cart, discount="TEN"), carts)

    code.refresh_from_db()
    assert Counter(str(answer) for answer in answers if not isinstance(answer, Placed)) == {
        "[<Code.DISCOUNT: 'discount'>]": 90
    }
    assert (code.used, Order.objects.count(), stocks(), findings()) == (10, 10, {"A": 90}, [])


def test_import_of_stock_beside_sales_loses_none(settings: Any) -> None:
    in_small_pieces(settings)
    skus = [f"S-{number:02}" for number in range(40)]
    for sku in skus:
        a_product(sku=sku, stock=1000, price="12.50", name=f"Name of {sku}")
    run = confirm([row(sku, stock="500") for sku in skus])
    carts = [a_cart({skus[n % 40]: 1, skus[n * 7 % 40]: 2}) for n in range(80)]
    a_checkout()

    tasks = [lambda: work(run), *(lambda cart=cart: place(cart) for cart in carts)]
    race(lambda task: task(), tasks)

    run.refresh_from_db()
    sold = dict(OrderLine.objects.values_list("sku").annotate(Sum("quantity")))
    assert (run.state, Order.objects.count()) == ("completed", 80)
    assert stocks() == {sku: 500 - sold.get(sku, 0) for sku in skus}
    assert findings() == []


def test_payment_and_expiry_of_an_order_have_one_winner() -> None:
    a_product(sku="A", stock=20)
    orders = [an_order({"A": 1}) for _ in range(20)]
    payments = [a_payment(order, gateway="invoice", awaiting=True) for order in orders]
    for order in orders:
        overdue(order)

    tasks: list[Callable[[], Any]] = [ordering.expire_unpaid] * 4
    tasks += [lambda payment=payment: paying.mark_paid(payment=payment) for payment in payments]
    race(lambda task: task(), tasks)

    paid = Order.objects.filter(state="paid").count()
    expired = Order.objects.filter(state="expired").count()
    assert (paid + expired, stocks()) == (20, {"A": 20 - paid})
    assert len(findings()) == expired  # whose money came and must be given back


def test_popularity_counted_at_once_counts_each_line_once() -> None:
    a_product(sku="A", stock=100), a_product(sku="B", stock=100)
    for _ in range(20):
        an_order({"A": 1, "B": 2})

    race(lambda _: popularity.count(batch=3), range(8))
    popularity.count()

    assert sorted(Popularity.objects.values_list("pieces", flat=True)) == [20, 40]
