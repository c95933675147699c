"""Money of orders: recorded once, whatever comes twice, late or in the wrong order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from shop import ordering, paying
from shop.models import Order, Payment
from shop.paying import Recorded
from shop.placing import KeyConflict
from shop.transitions import NotAllowed
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order, a_payment, an_order, findings, refund, stocks
from tests.shop.test_ordering import history, overdue

pytestmark = pytest.mark.django_db


@pytest.fixture
def order() -> Order:
    """An order of 3 pieces of A at 10.00, unpaid: 32.40 with tax."""
    a_product(sku="A", stock=5, price="10.00")
    return an_order({"A": 3})


def now(order: Order) -> tuple[str, Decimal, Decimal]:
    order.refresh_from_db()
    return order.state, order.paid, order.refunded


def test_payment_is_recorded_once_however_often_it_is_told(order: Order) -> None:
    payment = a_payment(order)

    told = [paying.mark_paid(payment=payment, provider_reference="c1") for _ in range(3)]

    assert told == [Recorded.PAID, Recorded.AGAIN, Recorded.AGAIN]
    assert now(order) == ("paid", order.total, Decimal(0))
    assert (history(order), findings()) == ([("placed", "pending"), ("paid", "paid")], [])


def test_payment_begun_twice_with_a_key_is_the_same(order: Order) -> None:
    first = a_payment(order, key="k")

    assert a_payment(order, key="k") == first
    with pytest.raises(KeyConflict):
        a_payment(order, key="k", gateway="stripe")
    with pytest.raises(NotAllowed):
        a_payment(order, key="other")


def test_payment_may_be_tried_again_after_one_that_failed(order: Order) -> None:
    failed = paying.payment_failed(payment=a_payment(order), error="The card was declined.")

    paying.mark_paid(payment=a_payment(order))

    assert (failed.state, now(order)[0]) == ("failed", "paid")
    assert paying.payment_failed(payment=order.payments.get(state="captured"), error="x").state == "captured"


def test_bank_transfer_is_waited_for_longer_and_gives_way_to_a_card(order: Order) -> None:
    transfer = a_payment(order, gateway="invoice", awaiting=True)
    before = order.expires_at
    order.refresh_from_db()
    assert (order.expires_at - before).days == 13

    a_payment(order)

    transfer.refresh_from_db()
    assert transfer.state == "voided"


def test_bank_transfer_chosen_again_and_again_holds_the_goods_no_longer(order: Order) -> None:
    placed, days = timezone.now() - timedelta(days=13), timedelta(days=14)
    Order.objects.update(placed_at=placed)

    for _ in range(2):
        a_payment(order, gateway="invoice", awaiting=True)
    order.refresh_from_db()
    assert order.expires_at == placed + days

    paying.payment_failed(payment=a_payment(order), error="The card was declined.")
    order.refresh_from_db()
    assert timedelta(minutes=59) < order.expires_at - timezone.now() <= timedelta(minutes=60)


def test_nothing_is_charged_for_an_order_that_is_over_or_about_to_be(order: Order) -> None:
    overdue(order)
    with pytest.raises(NotAllowed):
        a_payment(order)
    ordering.expire_unpaid()
    with pytest.raises(NotAllowed):
        a_payment(order)
    assert Payment.objects.count() == 0


def test_money_for_an_expired_order_is_recorded_and_must_be_given_back(order: Order) -> None:
    transfer = a_payment(order, gateway="invoice", awaiting=True)
    overdue(order)
    ordering.expire_unpaid()

    told = paying.mark_paid(payment=transfer)

    assert (told, now(order)) == (Recorded.LATE, ("expired", order.total, Decimal(0)))
    assert findings() == [f"Order {order.number} is expired, and 32.40 EUR of it must still be given back."]
    refund(order, order.total)
    assert (now(order)[0], findings(), stocks()) == ("expired", [], {"A": 5})


def test_money_that_comes_twice_is_recorded_and_must_be_given_back(order: Order) -> None:
    slow = a_payment(order)
    paying.payment_failed(payment=slow, error="No answer.")
    quick = a_payment(order)

    early = paying.mark_paid(payment=slow)
    assert (early, now(order)) == (Recorded.LATE, ("pending", order.total, Decimal(0)))
    assert paying.mark_paid(payment=quick) == Recorded.PAID

    assert now(order) == ("paid", 2 * order.total, Decimal(0))
    assert findings() == [f"Order {order.number}: 32.40 EUR came twice and must still be given back."]
    begun = paying.reserve_refund(payment=slow, amount=slow.amount, key="r")
    paying.refund_recorded(refund=begun)
    assert (now(order)[0], findings()) == ("paid", [])


def test_part_of_the_money_is_given_back_and_its_pieces_go_into_stock(order: Order) -> None:
    paying.mark_paid(payment=a_payment(order))

    refund(order, "10.80", restock={"A": 1, "X": 9})

    assert (now(order), stocks()) == (("paid", Decimal("32.40"), Decimal("10.80")), {"A": 3})
    ordering.fulfil(order=order)
    assert (order.lines.get().shipped, now(order)[0]) == (2, "fulfilled")
    refund(order, "21.60", restock={"A": 5})
    assert (now(order)[0], stocks(), findings()) == ("refunded", {"A": 5}, [])


def test_refund_recorded_twice_gives_back_once() -> None:
    a_product(sku="A", stock=5, price="10.00")
    order = a_paid_order({"A": 1})
    begun = paying.reserve_refund(payment=order.payments.get(), amount=order.total, key="r", restock={"A": 1})

    for _ in range(2):
        paying.refund_recorded(refund=begun, provider_reference="r1")

    assert (now(order), stocks()) == (("refunded", order.total, order.total), {"A": 5})
    assert history(order)[-1] == ("refunded", "refunded")


def test_money_is_not_kept_of_an_order_of_which_nothing_would_be_sent(order: Order) -> None:
    paying.mark_paid(payment=a_payment(order))
    refund(order, "10.80", restock={"A": 1})

    with pytest.raises(NotAllowed, match=r"10\.80 EUR more would have to go back"):
        refund(order, "10.80", restock={"A": 2})

    refund(order, "21.60", restock={"A": 2})
    assert (now(order)[0], stocks(), findings()) == ("refunded", {"A": 5}, [])


def test_nothing_is_sent_while_a_refund_is_under_way_that_brings_pieces_back(order: Order) -> None:
    paying.mark_paid(payment=a_payment(order))
    payment = order.payments.get()
    paying.reserve_refund(payment=payment, amount=Decimal(1), key="money only")
    ordering.fulfil(order=order, pieces={"A": 1})
    begun = paying.reserve_refund(payment=payment, amount=Decimal(1), key="r", restock={"A": 2})

    with pytest.raises(NotAllowed, match="Wait until that is settled"):
        ordering.fulfil(order=order)

    paying.refund_failed(refund=begun, error="No.")
    ordering.fulfil(order=order)
    assert (now(order)[0], stocks()) == ("fulfilled", {"A": 2})


@pytest.mark.parametrize("amount", ["0", "-1", "10.81"])
def test_no_more_is_given_back_than_was_taken(amount: str) -> None:
    a_product(sku="A", stock=5, price="10.00")
    payment = a_paid_order({"A": 1}).payments.get()

    with pytest.raises(NotAllowed):
        paying.reserve_refund(payment=payment, amount=Decimal(amount), key="r")


def test_refund_that_failed_leaves_its_amount_for_another() -> None:
    a_product(sku="A", stock=5, price="10.00")
    order = a_paid_order({"A": 1})
    payment = order.payments.get()
    begun = paying.reserve_refund(payment=payment, amount=order.total, key="r")
    assert paying.reserve_refund(payment=payment, amount=order.total, key="r") == begun
    with pytest.raises(KeyConflict):
        paying.reserve_refund(payment=payment, amount=Decimal(1), key="r")

    for _ in range(2):
        paying.refund_failed(refund=begun, error="The account is closed.")

    with pytest.raises(NotAllowed):
        paying.refund_recorded(refund=begun)
    refund(order, order.total)
    assert (now(order)[0], findings()) == ("refunded", [])
