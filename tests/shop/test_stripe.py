"""Stripe, with its own library, against a server at the edge of the network."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
import stripe as library
from django.test import Client

from shop import charging, gateways
from shop.charging import Outcome, Result
from shop.gateways.base import NoAnswer
from shop.gateways.stripe_checkout import minor_units
from shop.models import Order, Payment, WebhookEvent
from shop.transitions import NotAllowed
from tests.shop.factories import a_product
from tests.shop.orders import an_order, findings
from tests.shop.stripe_server import StripeServer, stripe_server
from tests.shop.test_charging import give_back, state
from tests.shop.test_ordering import overdue
from tests.shop.test_settling import settle

pytestmark = pytest.mark.django_db
SECRET = "whsec_of_a_test"
_numbers = count(1)


@pytest.fixture(autouse=True)
def stripe(settings: Any) -> Iterator[StripeServer]:
    """Stripe is a way to pay, and this is where it is."""
    with stripe_server() as server:
        settings.PAYMENT_METHODS = ["stripe", "invoice"]
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = "sk_of_a_test", SECRET
        settings.STRIPE_API_URL = server.url
        yield server


@pytest.fixture
def order() -> Order:
    """An order of 3 pieces of A at 10.00, unpaid: 32.40 with tax."""
    a_product(sku="A", stock=5, price="10.00")
    return an_order({"A": 3})


def pay(order: Order, key: str = "k", method: str = "stripe") -> Outcome:
    return charging.pay(order=order, method=method, key=key, details={})


def event(kind: str, of: dict[str, Any], *, at: int | None = None) -> tuple[bytes, str]:
    """A webhook's body and its signature."""
    body = json.dumps(
        {"id": f"evt_{next(_numbers)}", "object": "event", "type": kind, "data": {"object": of}}
    )
    return body.encode(), library.WebhookSignature.generate_signature_header(
        body, SECRET, at or int(time.time())
    )


def told(body: bytes, signature: str) -> int:
    headers = {"Stripe-Signature": signature}
    url = "/webhooks/stripe/"
    return Client().post(url, body, content_type="application/json", headers=headers).status_code


def paid(order: Order, stripe: StripeServer) -> Payment:
    pay(order)
    assert told(*event("checkout.session.completed", stripe.complete())) == 200
    return order.payments.get()


def test_customer_pays_at_stripe_and_its_webhook_tells(order: Order, stripe: StripeServer) -> None:
    began = [pay(order) for _ in range(2)]
    assert (
        began
        == [Outcome(Result.REDIRECT, "Go on to the payment page.", "https://checkout.stripe.com/cs_1")] * 2
    )
    [session] = stripe.sessions.values()
    assert (session["amount"], session["currency"], session["metadata"]) == (3240, "eur", {"key": "k"})

    completed = event("checkout.session.completed", stripe.complete())
    assert [told(*completed), told(*completed)] == [200, 200]

    payment = order.payments.get()
    assert (state(order), payment.provider_reference) == ("paid", "pi_cs_1")
    assert (pay(order), WebhookEvent.objects.count(), findings()) == (Outcome(Result.PAID), 1, [])


def test_payment_that_no_webhook_tells_of_is_looked_up(order: Order, stripe: StripeServer) -> None:
    pay(order)
    settle(minutes=1)
    assert state(order) == "pending"
    stripe.complete()

    settle()

    assert (state(order), len(stripe.sessions), findings()) == ("paid", 1, [])


def test_session_whose_answer_was_lost_is_found_by_its_key(order: Order, stripe: StripeServer) -> None:
    stripe.fault = 503
    assert pay(order).result == Result.UNDER_WAY

    settle()

    assert charging.outcome_of(order.payments.get()).url == "https://checkout.stripe.com/cs_1"
    assert len(stripe.sessions) == 1


def test_customer_who_comes_back_pays_otherwise(order: Order, stripe: StripeServer) -> None:
    pay(order)

    assert pay(order, key="other", method="invoice") == Outcome(Result.AWAITING)
    assert (stripe.sessions["cs_1"]["status"], order.payments.get(idempotency_key="k").state) == (
        "expired",
        "failed",
    )


def test_customer_who_paid_in_another_tab_is_not_charged_again(order: Order, stripe: StripeServer) -> None:
    pay(order)
    stripe.complete()

    with pytest.raises(NotAllowed):
        pay(order, key="other", method="invoice")
    assert (state(order), order.payments.count()) == ("paid", 1)


def test_session_is_closed_when_the_order_has_no_time_left(order: Order, stripe: StripeServer) -> None:
    pay(order)
    overdue(order)

    settle()

    assert (stripe.sessions["cs_1"]["status"], order.payments.get().state) == ("expired", "failed")
    assert charging.outcome_of(order.payments.get()).message == "The payment was not completed."


def test_customer_who_pays_while_the_session_is_closed_has_paid(order: Order, stripe: StripeServer) -> None:
    pay(order)
    overdue(order)
    stripe.pays_before_the_end = True

    settle()

    assert (state(order), findings()) == ("paid", [])


def test_event_of_a_session_that_ended_lets_the_customer_try_again(
    order: Order, stripe: StripeServer
) -> None:
    pay(order)
    ended = stripe.sessions["cs_1"]
    ended["status"] = "expired"

    assert told(*event("checkout.session.expired", ended)) == 200
    assert (order.payments.get().state, pay(order, key="2").url) == (
        "failed",
        "https://checkout.stripe.com/cs_2",
    )


def test_refund_is_made_once_however_late_it_is_asked_for_again(order: Order, stripe: StripeServer) -> None:
    payment = paid(order, stripe)
    stripe.fault = 500
    assert give_back(payment, "10.80", key="r").state == "started"
    settle()
    assert give_back(payment, "10.80", key="r").state == "done"
    payment.refunds.update(state="started", done_at=None)  # as if the answer to that had been lost
    Order.objects.update(refunded=0)
    stripe.keys.clear()  # a day later, Stripe has forgotten them

    settle()

    assert [(one["amount"], one["payment_intent"]) for one in stripe.refunds.values()] == [(1080, "pi_cs_1")]
    assert (order.payments.get().refunds.get().state, findings()) == ("done", [])


def test_refund_told_before_its_payment_is_told_again(order: Order, stripe: StripeServer) -> None:
    pay(order)
    completed = event("checkout.session.completed", stripe.complete())
    given = {
        "id": "re_9",
        "payment_intent": "pi_cs_1",
        "status": "succeeded",
        "amount": 1080,
        "currency": "eur",
    }
    refunded = event("refund.created", given)

    assert [told(*one) for one in (refunded, completed, refunded)] == [409, 200, 200]
    order.refresh_from_db()
    assert (order.state, order.refunded, findings()) == ("paid", Decimal("10.80"), [])


@pytest.mark.parametrize(("status", "becomes"), [("succeeded", "done"), ("failed", "failed")])
def test_refund_that_takes_days_ends_by_webhook(
    order: Order, stripe: StripeServer, status: str, becomes: str
) -> None:
    stripe.refund_status = "pending"
    refund = give_back(paid(order, stripe), "32.40")
    assert (refund.state, settle()) == ("started", 1)

    given = {**stripe.refunds["re_1"], "status": status}
    assert told(*event("refund.updated", given)) == 200

    refund.refresh_from_db()
    assert (refund.state, findings()) == (becomes, [])


def test_refund_made_in_stripes_dashboard_is_recorded(order: Order, stripe: StripeServer) -> None:
    payment = paid(order, stripe)
    made = {"id": "re_9", "object": "refund", "status": "succeeded", "amount": 3240, "currency": "eur",
            "payment_intent": payment.provider_reference, "metadata": {}}  # fmt: skip

    assert [told(*event("refund.created", made)), told(*event("refund.updated", made))] == [200, 200]
    assert (state(order), payment.refunds.get().amount, findings()) == ("refunded", Decimal("32.40"), [])


def test_forged_and_stale_events_are_refused(order: Order, stripe: StripeServer) -> None:
    pay(order)
    body, signature = event("checkout.session.completed", stripe.complete())
    stale = event("checkout.session.completed", stripe.complete(), at=int(time.time()) - 320)

    assert [told(body + b" ", signature), told(body, ""), told(*stale), told(b"\xff", signature)] == [400] * 4
    assert (state(order), WebhookEvent.objects.count()) == ("pending", 0)


def test_server_that_is_not_there_is_no_answer(order: Order, settings: Any) -> None:
    settings.STRIPE_API_URL = "http://127.0.0.1:9"
    assert pay(order).result == Result.UNDER_WAY

    with pytest.raises(NoAnswer):
        gateways.named("stripe").refund(
            order.payments.get().refunds.model(payment=order.payments.get(), amount=Decimal(1))
        )


@pytest.mark.parametrize(("currency", "units"), [("EUR", 1200), ("JPY", 12), ("KWD", 12000)])
def test_amounts_are_counted_in_the_smallest_coin(currency: str, units: int) -> None:
    assert minor_units(Decimal("12.00"), currency) == units
