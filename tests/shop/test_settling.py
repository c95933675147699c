"""What nobody finished is finished: by asking the provider, once, however many look and whatever it says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now

from shop import charging, ordering, paying, settling
from shop.charging import Result
from shop.gateways import trial_card
from shop.gateways import trial_provider as cards
from shop.gateways.base import Answer, NoAnswer
from shop.models import Order, Payment, Refund
from tests.shop.factories import a_product
from tests.shop.orders import a_payment, an_order, findings, stocks
from tests.shop.test_charging import give_back, moved, paid, pay, state
from tests.shop.test_ordering import overdue
from tests.shop.test_races import race

pytestmark = pytest.mark.django_db


def settle(*, minutes: int = 2000) -> int:
    """Settle what is due when so many minutes have passed since."""
    passed = F("updated_at") - settling.timedelta(minutes=minutes)
    Payment.objects.update(updated_at=passed)
    Refund.objects.update(updated_at=passed)
    return settling.settle()


@pytest.fixture
def order() -> Order:
    """An order of 3 pieces of A at 10.00, unpaid: 32.40 with tax."""
    a_product(sku="A", stock=5, price="10.00")
    return an_order({"A": 3})


def test_charge_without_an_answer_is_completed(order: Order) -> None:
    pay(order, cards.LOSES_ANSWERS)

    assert settling.settle() == 0  # whoever asked may still get the answer
    assert (settle(minutes=1), state(order), settle()) == (1, "paid", 0)
    assert (moved(), findings()) == (["captured 32.40 EUR"], [])


def test_charge_that_never_arrived_fails_and_will_never_be_made(order: Order) -> None:
    pay(order, cards.UNREACHABLE, key="k")

    settle()

    assert (state(order), order.payments.get().state, moved()) == (
        "pending",
        "failed",
        ["void 32.40 EUR"],
    )
    # The request that had been on its way arrives after all.
    charge = trial_card.provider().authorise(
        key="k", card="4242424242424242", amount=order.total, currency="EUR"
    )
    assert charge.state == "void"
    assert pay(order).result == Result.PAID


def test_charge_that_is_held_is_taken(order: Order) -> None:
    payment = a_payment(order)
    trial_card.TrialCard().authorise(payment, {"card_number": "4242424242424242"})

    settle()

    assert (state(order), moved(), findings()) == ("paid", ["captured 32.40 EUR"], [])


def test_order_under_way_does_not_expire_before_its_payment_is_settled(order: Order) -> None:
    pay(order, cards.LOSES_ANSWERS)
    overdue(order)

    assert (ordering.expire_unpaid(), settle(), ordering.expire_unpaid()) == (0, 1, 0)
    assert (state(order), stocks()) == ("paid", {"A": 2})


def test_money_for_an_order_that_is_over_goes_back_once(order: Order) -> None:
    pay(order, cards.LOSES_ANSWERS)
    Payment.objects.update(state=Payment.State.FAILED)
    overdue(order)
    ordering.expire_unpaid()
    Payment.objects.update(state=Payment.State.STARTED)

    # Its end; the refund, which has no answer; the refund's end.
    assert [settle() for _ in range(4)] == [1, 1, 1, 0]
    assert (state(order), stocks(), findings()) == ("expired", {"A": 5}, [])
    assert moved() == ["captured 32.40 EUR", "done -32.40"]


def test_money_that_came_twice_goes_back_once(order: Order) -> None:
    pay(order, cards.LOSES_ANSWERS, key="lost")
    lost = order.payments.get()
    paying.payment_failed(payment=lost, error="")
    pay(order)
    paying.mark_paid(payment=lost, provider_reference=trial_card.TrialCard().look_up(lost).reference)

    settle(), settle(), settle()

    assert (state(order), findings()) == ("paid", [])
    assert moved() == ["captured 32.40 EUR", "captured 32.40 EUR", "done -32.40"]


def test_late_money_whose_refund_is_refused_is_tried_again_later(order: Order) -> None:
    paid(order, cards.REFUSES_FIRST_REFUND)
    stray = Payment.objects.get()
    Payment.objects.update(state=Payment.State.STRAY)
    Order.objects.update(state="expired", ended_at=Now(), paid_at=None)

    assert (settle(), settling.settle(), settle()) == (1, 0, 1)
    assert moved()[1:] == ["refused -32.40", "done -32.40"]
    keys = stray.refunds.values_list("idempotency_key", flat=True)
    assert list(keys) == [f"late-{stray.pk}-1", f"late-{stray.pk}-2"]


def test_late_bank_transfer_is_left_to_people(order: Order) -> None:
    pay(order, method="invoice")
    overdue(order)
    ordering.expire_unpaid()
    paying.mark_paid(payment=order.payments.get())

    assert settle() == 0
    assert findings() == [f"Order {order.number} is expired, and 32.40 EUR of it must still be given back."]


def test_refund_without_an_answer_is_completed(order: Order) -> None:
    pay(order, cards.LOSES_ANSWERS)
    settle()
    assert give_back(order.payments.get(), "32.40").state == "started"

    assert (settle(), state(order), settle()) == (1, "refunded", 0)
    assert (moved(), findings()) == (["captured 32.40 EUR", "done -32.40"], [])


def test_provider_that_is_down_is_asked_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_product(sku="A", stock=9, price="10.00")
    for _ in range(5):
        pay(an_order({"A": 1}), cards.LOSES_ANSWERS)

    def silent(*_: object) -> Answer:
        raise NoAnswer("down")

    monkeypatch.setattr(trial_card.TrialCard, "look_up", silent)
    assert settle(minutes=1) == 3  # then this tick asks no more
    assert sorted(Payment.objects.values_list("attempts", flat=True)) == [0, 0, 1, 1, 1]
    assert settle(minutes=1) == 2  # those that were asked wait twice as long
    monkeypatch.undo()
    assert (settle(minutes=1), settle(minutes=2)) == (3, 2)
    assert (Order.objects.filter(state="paid").count(), findings()) == (5, [])


@pytest.mark.django_db(transaction=True)
def test_many_are_settled_side_by_side_and_each_once(settings: Any) -> None:
    settings.PAYMENT_PATIENCE_SECONDS = 0
    a_product(sku="A", stock=100, price="10.00")
    for number in range(40):
        payment = a_payment(an_order({"A": 1}))
        if number % 2:
            trial_card.TrialCard().authorise(payment, {"card_number": cards.LOSES_ANSWERS})
        if number % 4 == 3:
            with pytest.raises(NoAnswer):
                trial_card.TrialCard().capture(payment)

    race(lambda _: settling.settle(seconds=5), range(6))

    assert Counter(Order.objects.values_list("state", flat=True)) == {"paid": 20, "pending": 20}
    assert Counter(moved()) == {"captured 10.80 EUR": 20, "void 10.80 EUR": 20}
    assert (Payment.objects.filter(state="failed").count(), findings()) == (20, [])


@pytest.mark.django_db(transaction=True)
def test_one_refund_sent_by_many_moves_money_once() -> None:
    a_product(sku="A", stock=5, price="10.00")
    payment = paid(an_order({"A": 1}))

    states = race(lambda _: charging.refund(payment=payment, amount=payment.amount, key="k").state, range(20))

    assert (states, moved()) == (["done"] * 20, ["captured 10.80 EUR", "done -10.80"])
