"""What providers tell by themselves: believed if signed, once, in any order."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.test import Client

from shop import paying, settling, webhooks
from shop.gateways import trial_card
from shop.models import Order, Payment, WebhookEvent
from tests.shop.factories import a_product
from tests.shop.orders import a_payment, an_order, findings
from tests.shop.test_charging import moved, paid, state
from tests.shop.test_races import race

pytestmark = pytest.mark.django_db
URL = "/webhooks/test-card/"
_numbers = count(1)


@pytest.fixture
def order() -> Order:
    """An order of 3 pieces of A at 10.00, unpaid: 32.40 with tax."""
    a_product(sku="A", stock=5, price="10.00")
    return an_order({"A": 3})


def body(kind: str, **said: Any) -> bytes:
    return json.dumps({"id": f"evt-{next(_numbers)}", "type": kind, **said}).encode()


def told(event: bytes, **how: Any) -> int:
    """Send an event as the provider does; returns the status of the answer."""
    return sent(event, **how)[0]


def sent(
    event: bytes, *, at: int | None = None, signature: str | None = None, url: str = URL
) -> tuple[int, str]:
    """As `told`, with what the answer says."""
    at = int(time.time()) if at is None else at
    header = trial_card.signature(event, at=at) if signature is None else signature
    client = Client(enforce_csrf_checks=True)
    answer = client.post(url, event, content_type="application/json", headers={trial_card.HEADER: header})
    return answer.status_code, answer.text


def of(payment: Payment) -> dict[str, str]:
    return {"key": payment.idempotency_key, "reference": f"ch_{payment.pk.hex}"}


def recorded(order: Order) -> tuple[str, Decimal, Decimal, int]:
    order.refresh_from_db()
    return order.state, order.paid, order.refunded, WebhookEvent.objects.count()


def test_event_pays_an_order_however_often_it_comes(order: Order) -> None:
    payment = a_payment(order)
    event = body("charge.captured", **of(payment))

    answers = [sent(event) for _ in range(3)]

    assert answers == [(200, "Recorded.\n"), (200, "Recorded before.\n"), (200, "Recorded before.\n")]
    assert recorded(order) == ("paid", order.total, 0, 1)
    payment.refresh_from_db()
    assert (payment.provider_reference, findings()) == (f"ch_{payment.pk.hex}", [])


def test_event_that_tells_of_a_failure_lets_the_customer_try_again(order: Order) -> None:
    failed = a_payment(order)

    assert told(body("charge.failed", **of(failed))) == 200
    paid_by = a_payment(order)
    assert told(body("charge.captured", **of(paid_by))) == 200
    assert told(body("charge.failed", **of(paid_by))) == 200  # comes later than it was sent

    assert recorded(order) == ("paid", order.total, 0, 3)


def test_refund_told_of_before_its_payment(order: Order) -> None:
    payment = a_payment(order)
    refund = {"refund_key": "ours", "refund_reference": "re_1", "amount": "32.40"}

    assert told(body("refund.done", **of(payment), **refund)) == 200
    assert recorded(order) == ("refunded", order.total, order.total, 1)
    assert told(body("charge.captured", **of(payment))) == 200

    assert (recorded(order), findings()) == (("refunded", order.total, order.total, 2), [])


def test_refund_begun_by_us_is_recorded_once(order: Order) -> None:
    payment = paid(order)
    begun = paying.reserve_refund(payment=payment, amount=Decimal("10.80"), key="r")
    said = {"key": payment.idempotency_key, "refund_key": "r", "refund_reference": "re_1", "amount": "10.80"}

    assert told(body("refund.done", **said)) == 200
    assert told(body("refund.done", **said)) == 200

    begun.refresh_from_db()
    assert (begun.state, recorded(order)) == ("done", ("paid", order.total, Decimal("10.80"), 2))


def test_refund_made_at_the_provider_is_recorded_and_one_that_failed_is_free(order: Order) -> None:
    payment = paid(order)
    failing = paying.reserve_refund(payment=payment, amount=order.total, key="r")
    said = {"reference": payment.provider_reference, "refund_reference": "re_1", "amount": "5.00"}

    assert told(body("refund.done", **said)) == 409  # not while all of it is set aside
    assert told(body("refund.failed", key=payment.idempotency_key, refund_key="r")) == 200
    assert told(body("refund.done", **said)) == 200

    failing.refresh_from_db()
    assert (failing.state, recorded(order)) == ("failed", ("paid", order.total, Decimal("5.00"), 2))
    assert findings() == []


@pytest.mark.parametrize("forgery", ["", "t=1", "t=,v1=", "t=x,v1=00", "t=" + "9" * 40, "t=²,v1=", "ü"])
def test_forged_event_is_refused_and_nothing_recorded(order: Order, forgery: str) -> None:
    event = body("charge.captured", **of(a_payment(order)))

    assert told(event, signature=forgery) == 400
    assert told(event, signature=trial_card.signature(event + b" ", at=int(time.time()))) == 400
    assert told(b"", signature=forgery) == 400
    assert recorded(order) == ("pending", 0, 0, 0)


@pytest.mark.parametrize("seconds", [-320, 320])
def test_stale_event_is_refused_and_nothing_recorded(order: Order, seconds: int) -> None:
    event = body("charge.captured", **of(a_payment(order)))

    assert told(event, at=int(time.time()) + seconds) == 400
    assert recorded(order) == ("pending", 0, 0, 0)


UNREADABLE = [
    b"[]",
    b"{}",
    b"\xff",
    b'{"id": 1, "type": "x"}',
    b'{"id": "1", "type": "\\u0000"}',
    b'{"id": "1", "type": "refund.done", "amount": "x"}',
]


@pytest.mark.parametrize("event", UNREADABLE)
def test_event_that_can_not_be_read_is_refused(event: bytes) -> None:
    assert (told(event), WebhookEvent.objects.count()) == (400, 0)


def test_event_of_no_interest_is_accepted_and_does_nothing(order: Order) -> None:
    payment = a_payment(order)

    assert told(body("customer.created", **of(payment))) == 200
    assert told(body("charge.captured", key="of another shop")) == 200
    assert told(body("charge.captured")) == 200
    assert recorded(order) == ("pending", 0, 0, 3)


def test_only_a_provider_is_told_and_not_at_any_length() -> None:
    event = body("charge.captured", padding="x" * webhooks.MAX_BYTES)

    assert (told(event), WebhookEvent.objects.count()) == (413, 0)
    assert [told(body("x"), url=f"/webhooks/{name}/") for name in ("invoice", "nobody")] == [404, 404]
    assert Client().get(URL).status_code == 405


def test_event_of_a_charge_that_is_asked_about_is_recorded_once(order: Order) -> None:
    payment = a_payment(order)
    trial_card.TrialCard().authorise(payment, {"card_number": "4242424242424242"})
    reference = trial_card.TrialCard().capture(payment).reference

    assert told(body("charge.captured", key=payment.idempotency_key, reference=reference)) == 200
    assert (settling.settle(), state(order), moved()) == (0, "paid", ["captured 32.40 EUR"])


@pytest.mark.django_db(transaction=True)
def test_event_sent_twenty_times_at_once_has_one_effect(order: Order) -> None:
    event = body("refund.done", **of(a_payment(order)), refund_reference="re_1", amount="32.40")

    assert race(lambda _: told(event), range(20)) == [200] * 20
    assert (recorded(order), findings()) == (("refunded", order.total, order.total, 1), [])
