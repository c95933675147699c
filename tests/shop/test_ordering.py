"""The life of an order: what each verb does, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from shop import carts, ordering, popularity, signals
from shop.models import (
    DeliveryMethod,
    DiscountCode,
    Order,
    OrderEvent,
    OrderLine,
    Payment,
    Popularity,
    Product,
)
from shop.placing import KeyConflict
from shop.problems import Code, Refused
from shop.transitions import TRANSITIONS, NotAllowed
from tests.shop.factories import a_product
from tests.shop.orders import a_cart, a_paid_order, a_payment, an_order, findings, place, refund, stocks

pytestmark = pytest.mark.django_db


def history(order: Order) -> list[tuple[str, str]]:
    return list(order.events.values_list("kind", "state"))


def refusal(action: Callable[[], object]) -> list[Code]:
    with pytest.raises(Refused) as refused:
        action()
    return [problem.code for problem in refused.value.problems]


def overdue(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def test_placed_order_copies_what_was_agreed_and_takes_the_stock() -> None:
    a_product(sku="A", name="Knife", price="10.00", stock=5, options={"Size": "M"})
    DeliveryMethod.objects.create(code="van", name="Van", fee="4.00")

    order = an_order({"A": 2}, delivery="van")

    Product.objects.update(name="Other", price="99.00")
    line = order.lines.get()
    assert (line.sku, line.name, line.price, line.quantity) == ("A", "Knife", Decimal("10.00"), 2)
    assert (line.options, line.tax_percent, line.tax) == ({"Size": "M"}, Decimal(8), Decimal("1.60"))
    assert (order.subtotal, order.delivery, order.delivery_tax) == (Decimal(20), Decimal(4), Decimal("0.32"))
    assert (order.net, order.tax, order.total) == (Decimal(24), Decimal("1.92"), Decimal("25.92"))
    assert (order.state, order.currency, order.delivery_name) == ("pending", "EUR", "Van")
    assert order.shipping_address["city"] == "Bern"
    assert stocks() == {"A": 3}
    movement = line.product.stock_movements.get()  # type: ignore[union-attr]
    assert (movement.kind, movement.quantity, movement.reference) == ("sale", -2, f"order/{order.number}")
    assert history(order) == [("placed", "pending")]
    assert findings() == []


def test_order_has_a_link_that_nobody_guesses_and_a_number_that_people_can_say() -> None:
    a_product(sku="A", stock=5)

    first, second = an_order({"A": 1}), an_order({"A": 1})

    assert (len(first.token), first.token != second.token, second.number > first.number > 10_000) == (
        32, True, True,
    )  # fmt: skip


def test_key_sent_again_gets_the_same_answer_and_does_nothing() -> None:
    a_product(sku="A", stock=5)
    cart = a_cart({"A": 1})

    first = place(cart, key="k")
    carts.put(cart=cart, product=Product.objects.get(), quantity=1)
    second = place(cart, key="k")

    assert (first, stocks(), Order.objects.count()) == (second, {"A": 4}, 1)


def test_key_sent_with_something_else_is_a_conflict() -> None:
    a_product(sku="A", stock=5)
    cart = a_cart({"A": 1})
    place(cart, key="k")

    with pytest.raises(KeyConflict):
        place(cart, key="k", email="other@example.com")
    with pytest.raises(KeyConflict):
        place(a_cart({"A": 1}), key="k")
    assert (stocks(), Order.objects.count()) == ({"A": 4}, 1)


def test_key_of_a_refused_checkout_can_be_sent_again() -> None:
    a_product(sku="A", stock=1)
    cart = a_cart({"A": 2})
    assert refusal(lambda: place(cart, key="k")) == [Code.TOO_FEW]

    carts.accept_changes(cart=cart)
    place(cart, key="k")

    assert stocks() == {"A": 0}


def test_cart_is_ordered_once_though_two_tabs_have_keys_of_their_own() -> None:
    a_product(sku="A", stock=5)
    cart = a_cart({"A": 1})
    place(cart)

    assert refusal(lambda: place(cart)) == [Code.EMPTY]
    assert stocks() == {"A": 4}


def test_every_line_that_changed_is_told_and_nothing_is_taken() -> None:
    for sku in "ABCDE":
        a_product(sku=sku, stock=5, price="10.00")
    cart = a_cart(dict.fromkeys("ABCDE", 2))
    Product.objects.filter(sku="A").delete()
    Product.objects.filter(sku="B").update(published=False)
    Product.objects.filter(sku="C").update(price="9.00")
    Product.objects.filter(sku="D").update(stock=0)

    found = refusal(lambda: place(cart))

    assert found == [Code.GONE, Code.UNPUBLISHED, Code.REPRICED, Code.SOLD_OUT]
    assert (stocks(), Order.objects.count()) == ({"B": 5, "C": 5, "D": 0, "E": 5}, 0)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"delivery": "balloon"}, Code.DELIVERY),
        ({"delivery": "domestic"}, Code.DELIVERY),
        ({"discount": "NONE"}, Code.DISCOUNT),
        ({"discount": "over"}, Code.DISCOUNT),
        ({"discount": "early"}, Code.DISCOUNT),
        ({"discount": "off"}, Code.DISCOUNT),
        ({"discount": "much"}, Code.DISCOUNT),
        ({"expected_total": Decimal("0.01")}, Code.TOTAL),
    ],
    ids=lambda value: str(value) if isinstance(value, Code) else next(iter(value.values())),
)
def test_checkout_that_does_not_hold_is_refused_with_nothing_done(said: dict[str, Any], code: Code) -> None:
    a_product(sku="A", stock=5, price="10.00")
    DeliveryMethod.objects.create(code="domestic", name="Domestic", countries=["DE"])
    soon = timezone.now() + timedelta(days=1)
    DiscountCode.objects.create(code="OVER", percent=10, ends_at=timezone.now())
    DiscountCode.objects.create(code="EARLY", percent=10, starts_at=soon)
    DiscountCode.objects.create(code="OFF", percent=10, active=False)
    DiscountCode.objects.create(code="MUCH", percent=10, minimum=1000)

    assert refusal(lambda: place(a_cart({"A": 1}), **said)) == [code]
    assert (stocks(), Order.objects.count()) == ({"A": 5}, 0)
    assert {code.used for code in DiscountCode.objects.all()} == {0}


def test_discount_is_shared_by_the_lines_and_its_use_counted() -> None:
    a_product(sku="A", stock=5, price="10.00"), a_product(sku="B", stock=5, price="20.00")
    code = DiscountCode.objects.create(code="SUMMER10", percent=10)

    order = an_order({"A": 1, "B": 1}, discount=" Summer 10 ")

    assert [str(line.discount) for line in order.lines.all()] == ["1.00", "2.00"]
    assert (order.discount, order.discount_code) == (Decimal(3), "SUMMER10")
    code.refresh_from_db()
    assert (code.used, findings()) == (1, [])


def test_discount_for_one_use_by_a_customer_is_refused_the_second_time_however_written() -> None:
    a_product(sku="A", stock=5)
    DiscountCode.objects.create(code="ONE", percent=10, limit_per_customer=1)
    place(a_cart({"A": 1}), discount="ONE")

    again = a_cart({"A": 1})

    assert refusal(lambda: place(again, discount="ONE", email="KIM@example.com")) == [Code.DISCOUNT]
    place(again, discount="ONE", email="lou@example.com")


def test_order_that_costs_nothing_is_paid_at_once() -> None:
    a_product(sku="A", stock=5)
    DiscountCode.objects.create(code="ALL", percent=100)

    order = an_order({"A": 1}, discount="ALL")

    assert (order.total, order.state, history(order)) == (
        0, "paid", [("placed", "pending"), ("paid", "paid")],
    )  # fmt: skip
    assert findings() == []


def test_order_is_sent_in_several_shipments_and_fulfilled_with_the_last() -> None:
    a_product(sku="A", stock=5), a_product(sku="B", stock=5)
    order = a_paid_order({"A": 2, "B": 1})

    first = ordering.fulfil(order=order, pieces={"A": 1}, tracking_code="T1", key="s1")
    again = ordering.fulfil(order=order, pieces={"A": 1}, tracking_code="T1", key="s1")
    order.refresh_from_db()
    assert (first, order.state) == (again, "paid")
    ordering.fulfil(order=order)

    order.refresh_from_db()
    assert (order.state, [shipment.number for shipment in order.shipments.all()]) == ("fulfilled", [1, 2])
    assert [(line.sku, line.shipped) for line in order.lines.all()] == [("A", 2), ("B", 1)]
    delivered = ordering.deliver(order=order)
    assert delivered.state == "delivered"
    assert history(order)[-3:] == [("shipped", "paid"), ("shipped", "fulfilled"), ("delivered", "delivered")]
    assert findings() == []


@pytest.mark.parametrize("pieces", [{"A": 3}, {"A": 0}, {"A": -1}, {"X": 1}, {}])
def test_pieces_that_are_not_there_can_not_be_sent(pieces: dict[str, int]) -> None:
    a_product(sku="A", stock=5)
    order = a_paid_order({"A": 2})

    with pytest.raises(NotAllowed):
        ordering.fulfil(order=order, pieces=pieces)
    assert order.shipments.count() == 0


def test_cancelled_order_gives_stock_and_discount_back_once() -> None:
    a_product(sku="A", stock=5)
    code = DiscountCode.objects.create(code="ONE", percent=10, limit=1)
    order = an_order({"A": 2}, discount="ONE")

    for _ in range(2):
        ordering.cancel(order=order, reason="changed my mind", by="kim")

    code.refresh_from_db()
    assert (stocks(), code.used) == ({"A": 5}, 0)
    assert history(order) == [("placed", "pending"), ("cancelled", "cancelled")]
    assert findings() == []


def test_pieces_come_back_to_their_product_though_it_has_another_sku_now() -> None:
    a_product(sku="A", stock=5)
    order = an_order({"A": 2})
    Product.objects.update(sku="B")

    ordering.cancel(order=order)

    assert stocks() == {"B": 5}


def test_order_with_a_deleted_product_can_be_cancelled() -> None:
    a_product(sku="A", stock=5)
    order = an_order({"A": 2})
    Product.objects.get().delete()

    ordering.cancel(order=order)

    line = order.lines.get()
    assert (line.sku, line.product_id, findings()) == ("A", None, [])


def test_order_that_is_being_paid_for_is_neither_cancelled_nor_expired() -> None:
    a_product(sku="A", stock=5)
    order = an_order({"A": 2})
    a_payment(order)
    overdue(order)

    with pytest.raises(NotAllowed):
        ordering.cancel(order=order)
    assert (ordering.expire_unpaid(), stocks()) == (0, {"A": 3})


def test_unpaid_orders_expire_once_and_others_do_not() -> None:
    a_product(sku="A", stock=9)
    late, later = an_order({"A": 2}), an_order({"A": 1})
    paid = a_paid_order({"A": 1})
    overdue(late), overdue(paid)

    assert [ordering.expire_unpaid(), ordering.expire_unpaid()] == [1, 0]

    assert stocks() == {"A": 7}
    assert [Order.objects.get(pk=order.pk).state for order in (late, later, paid)] == [
        "expired", "pending", "paid",
    ]  # fmt: skip
    assert (history(late)[-1], findings()) == (("expired", "expired"), [])


@pytest.mark.parametrize("state", [state for state in TRANSITIONS if state != "paid"])
def test_nothing_is_sent_of_an_order_that_is_not_paid(state: str) -> None:
    a_product(sku="A", stock=5)
    order = brought_to(state)

    with pytest.raises(NotAllowed):
        ordering.fulfil(order=order)


def brought_to(state: str) -> Order:
    """An order of one piece of A in that state, by the verbs that lead there."""
    order = an_order({"A": 1}) if state in ("pending", "cancelled", "expired") else a_paid_order({"A": 1})
    if state == "cancelled":
        ordering.cancel(order=order)
    if state == "expired":
        overdue(order)
        ordering.expire_unpaid()
    if state in ("fulfilled", "delivered"):
        ordering.fulfil(order=order)
    if state == "delivered":
        ordering.deliver(order=order)
    if state == "refunded":
        refund(order, order.total)
    order.refresh_from_db()
    assert order.state == state
    return order


def test_signals_are_sent_in_the_transaction_of_what_they_tell() -> None:
    a_product(sku="A", stock=5)
    cart = a_cart({"A": 1})

    def refuse(**_: Any) -> None:
        raise ZeroDivisionError

    signals.order_placed.connect(refuse)
    try:
        with pytest.raises(ZeroDivisionError):
            place(cart)
    finally:
        signals.order_placed.disconnect(refuse)

    assert (stocks(), Order.objects.count(), cart.lines.count()) == ({"A": 5}, 0, 1)


def test_signals_tell_of_every_step() -> None:
    a_product(sku="A", stock=5)
    heard: list[str] = []
    names = [name for name in vars(signals) if name.startswith("order_")]
    listeners = {name: lambda name=name, **_: heard.append(name) for name in names}
    for name, listener in listeners.items():
        getattr(signals, name).connect(listener)
    try:
        brought_to("delivered"), brought_to("cancelled"), brought_to("expired"), brought_to("refunded")
    finally:
        for name, listener in listeners.items():
            getattr(signals, name).disconnect(listener)

    assert heard == [
        "order_placed", "order_paid", "order_shipped", "order_delivered", "order_placed", "order_cancelled",
        "order_placed", "order_expired", "order_placed", "order_paid", "order_refunded",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"total": 1}, {"tax": 1}, {"discount": -1}, {"paid": -1}, {"refunded": 1}, {"state": "paid"},
        {"state": "fulfilled"}, {"state": "refunded"}, {"state": "cancelled"}, {"email": ""},
        {"currency": "€"},
    ],
    ids=str,
)  # fmt: skip
def test_impossible_order_can_not_be_stored(change: dict[str, Any]) -> None:
    a_product(sku="A", stock=5)
    an_order({"A": 1})

    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.update(**change)


@pytest.mark.parametrize(
    "change",
    [{"quantity": 0}, {"quantity": 2}, {"tax": 9}, {"discount": 1}, {"shipped": 2}, {"restocked": 2}],
    ids=str,
)
def test_impossible_line_can_not_be_stored(change: dict[str, Any]) -> None:
    a_product(sku="A", stock=5)
    an_order({"A": 1})

    with pytest.raises(IntegrityError), transaction.atomic():
        OrderLine.objects.update(**change)


def test_history_of_an_order_can_not_be_rewritten() -> None:
    a_product(sku="A", stock=5)
    an_order({"A": 1})

    with pytest.raises(IntegrityError), transaction.atomic():
        OrderEvent.objects.update(by="nobody")
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderEvent.objects.all().delete()


def test_second_live_payment_of_an_order_can_not_be_stored() -> None:
    a_product(sku="A", stock=5)
    order = a_paid_order({"A": 1})

    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.create(order=order, gateway="x", idempotency_key="x", amount=1, currency="EUR")


def test_popularity_counts_what_was_ordered_less_what_came_back_and_touches_no_product() -> None:
    product = a_product(sku="A", stock=9)
    kept, gone = an_order({"A": 2}), an_order({"A": 3})
    assert [popularity.count(batch=1), popularity.count(batch=1)] == [2, 0]
    assert Popularity.objects.get().pieces == 5
    product.refresh_from_db()
    before = product.version

    ordering.cancel(order=gone)

    assert popularity.count() == 1
    product.refresh_from_db()
    assert (Popularity.objects.get().pieces, product.version) == (kept.lines.get().quantity, before)
