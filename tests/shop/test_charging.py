"""Paying and giving back, at the provider in miniature: whatever it answers, money moves once."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.db import transaction

from shop import charging, paying
from shop.charging import Outcome, Result
from shop.gateways import UnknownMethod, trial_card
from shop.gateways import trial_provider as cards
from shop.models import Order, Payment, Refund
from shop.placing import KeyConflict
from shop.transitions import NotAllowed
from tests.shop.factories import a_product
from tests.shop.orders import an_order, findings

pytestmark = pytest.mark.django_db
PAYS = "4242 4242 4242 4242"
_keys = count(1)


@pytest.fixture
def order() -> Order:
    """An order of 3 pieces of A at 10.00, unpaid: 32.40 with tax."""
    a_product(sku="A", stock=5, price="10.00")
    return an_order({"A": 3})


def pay(order: Order, card: str = PAYS, **said: Any) -> Outcome:
    """Pay by test card, with a key of its own unless one is given."""
    key = f"pay-{next(_keys)}"
    return charging.pay(
        **{"order": order, "method": "test-card", "key": key, "details": {"card_number": card}, **said}
    )


def paid(order: Order, card: str = PAYS) -> Payment:
    """The payment of the order, which is paid by it."""
    assert pay(order, card).result == Result.PAID
    return order.payments.get()


def give_back(payment: Payment, amount: Decimal | str, key: str = "") -> Refund:
    key = key or f"back-{next(_keys)}"
    return charging.refund(payment=payment, amount=Decimal(amount), key=key)


def moved() -> list[str]:
    """What the provider's books say, charges first."""
    books = trial_card.provider()
    charges = [f"{charge.state} {charge.amount} {charge.currency}" for charge in books.charges()]
    return charges + [f"{back.state} -{back.amount}" for back in books.refunds()]


def state(order: Order) -> str:
    order.refresh_from_db()
    return order.state


def test_card_pays_an_order(order: Order) -> None:
    assert pay(order) == Outcome(Result.PAID)

    payment = order.payments.get()
    assert (state(order), payment.state, moved()) == ("paid", "captured", ["captured 32.40 EUR"])
    assert payment.provider_reference == trial_card.provider().charges()[0].reference
    assert (payment.details, findings()) == ({"card_ends_with": "4242"}, [])


def test_same_key_is_the_same_charge(order: Order) -> None:
    told = [pay(order, key="k") for _ in range(3)]

    assert (told, moved()) == ([Outcome(Result.PAID)] * 3, ["captured 32.40 EUR"])
    with pytest.raises(KeyConflict):
        pay(an_order({"A": 1}), key="k")


def test_paid_order_is_not_charged_again(order: Order) -> None:
    pay(order)

    with pytest.raises(NotAllowed):
        pay(order)
    assert moved() == ["captured 32.40 EUR"]


@pytest.mark.parametrize(
    ("card", "message"),
    [*sorted(cards.REFUSALS.items()), *((no, "This is no card number.") for no in ("", "4242"))],
)
def test_declined_card_takes_nothing_and_another_may_pay(order: Order, card: str, message: str) -> None:
    assert pay(order, card, key="k") == Outcome(Result.DECLINED, message)
    assert pay(order, PAYS, key="k") == Outcome(Result.DECLINED, message)  # the same answer to the same key
    assert state(order) == "pending"

    assert pay(order) == Outcome(Result.PAID)
    assert (state(order), moved()) == ("paid", ["refused 32.40 EUR", "captured 32.40 EUR"])


@pytest.mark.parametrize(
    ("card", "books"), [(cards.LOSES_ANSWERS, ["captured 32.40 EUR"]), (cards.UNREACHABLE, [])]
)
def test_payment_without_an_answer_is_under_way(order: Order, card: str, books: list[str]) -> None:
    assert (pay(order, card).result, state(order), moved()) == (Result.UNDER_WAY, "pending", books)
    with pytest.raises(NotAllowed):  # it may have paid, so nothing else is charged meanwhile
        pay(order)


def test_late_answer_pays_unless_it_takes_longer_than_we_wait(order: Order, settings: Any) -> None:
    settings.TEST_CARD_LATE_SECONDS, settings.PAYMENT_TIMEOUT_SECONDS = 0.02, 0.01
    assert pay(order, cards.LATE, key="k").result == Result.UNDER_WAY

    settings.PAYMENT_TIMEOUT_SECONDS = 5
    assert pay(order, cards.LATE, key="k") == Outcome(Result.PAID)
    assert moved() == ["captured 32.40 EUR"]


def test_bank_transfer_is_awaited_until_somebody_sees_it(order: Order) -> None:
    assert pay(order, method="invoice") == Outcome(Result.AWAITING)

    payment = order.payments.get()
    paying.mark_paid(payment=payment, by="kim")
    assert (state(order), moved()) == ("paid", [])
    assert (give_back(payment, "32.40").state, state(order), findings()) == ("done", "refunded", [])


def test_method_that_is_not_offered_is_refused(order: Order, settings: Any) -> None:
    settings.PAYMENT_METHODS = ["invoice"]

    assert [method.code for method in charging.methods()] == ["invoice"]
    with pytest.raises(UnknownMethod):
        pay(order)
    assert Payment.objects.count() == 0


def test_money_comes_late_when_the_order_was_over(order: Order) -> None:
    pay(order, cards.LOSES_ANSWERS, key="k")
    Payment.objects.update(state=Payment.State.FAILED)
    pay(order)
    payment = order.payments.get(idempotency_key="k")

    charging.follow(payment, trial_card.TrialCard(), trial_card.TrialCard().look_up(payment))

    assert charging.outcome_of(payment).result == Result.DECLINED
    assert findings() == [f"Order {order.number}: 32.40 EUR came twice and must still be given back."]


def test_money_is_given_back_before_it_is_recorded(order: Order) -> None:
    payment = paid(order)

    part = give_back(payment, "10.80", key="r")
    assert (part.state, give_back(payment, "10.80", key="r")) == ("done", part)
    give_back(payment, "21.60")

    assert (state(order), moved()[1:]) == ("refunded", ["done -10.80", "done -21.60"])
    with pytest.raises(NotAllowed):
        give_back(payment, "0.01")


def test_refund_that_the_bank_refuses_is_free_for_another(order: Order) -> None:
    payment = paid(order, cards.REFUSES_FIRST_REFUND)

    refused = give_back(payment, "32.40")
    assert (refused.state, refused.error) == ("failed", "The bank refused it. Try again.")
    assert (give_back(payment, "32.40").state, state(order)) == ("done", "refunded")
    assert moved()[1:] == ["refused -32.40", "done -32.40"]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_charged_inside_a_transaction(order: Order) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        pay(order)

    assert (Payment.objects.count(), moved()) == (0, [])
