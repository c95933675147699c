"""An order's page: what it says in each state, and to whom."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop import ordering, paying
from shop.models import Order, Product
from tests.shop.buying import hidden
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order, a_payment, an_order, refund
from tests.shop.shopping import opened

pytestmark = pytest.mark.django_db


def page_of(order: Order) -> str:
    return opened(Client(), f"/orders/{order.token}/")


def title(page: str) -> str:
    return page.split("<h1>")[1].split("</h1>")[0]


def late(order: Order) -> None:
    """Let the order expire, and its money come after that."""
    payment = a_payment(order)
    paying.payment_failed(payment=payment, error="no answer")
    Order.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    ordering.expire_unpaid()
    paying.mark_paid(payment=payment, provider_reference="late")


def invoiced(order: Order) -> None:
    a_payment(order, gateway="invoice", awaiting=True)


def declined(order: Order) -> None:
    paying.payment_failed(payment=a_payment(order), error="No.")


def paid(order: Order) -> None:
    paying.mark_paid(payment=a_payment(order), provider_reference="charge")


def led_on(order: Order) -> None:
    paying.record_progress(payment=a_payment(order), details={"url": "https://pay.example/1"})


def shipped(order: Order, quantity: int) -> None:
    paid(order)
    code, url = "RX 123", "https://post.example/RX123"
    pieces = {"BOWL": quantity}
    ordering.fulfil(order=order, pieces=pieces, carrier="Post", tracking_code=code, tracking_url=url)


def delivered(order: Order) -> None:
    shipped(order, 2)
    ordering.deliver(order=order)


def overdue(order: Order) -> None:
    Order.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("happens", "says", "can_pay", "looks_again"),
    [
        (lambda order: None, "Your order is not paid yet", True, False),
        (a_payment, "We are waiting for the bank&#x27;s answer", False, True),
        (invoiced, "Thank you, your order is placed", True, False),
        (led_on, "One step is left to pay", True, True),
        (declined, "The payment did not go through", True, False),
        (paid, "Thank you, your order is paid", False, False),
        (lambda order: shipped(order, 1), "Part of your order is on its way", False, False),
        (lambda order: shipped(order, 2), "Your order is on its way", False, False),
        (delivered, "Your order was delivered", False, False),
        (lambda order: ordering.cancel(order=order), "This order was cancelled", False, False),
        (overdue, "This order has ended", False, False),
        (late, "This order has ended", False, False),
    ],
)  # fmt: skip
def test_page_says_how_the_order_stands(
    happens: Callable[[Order], object], says: str, can_pay: bool, looks_again: bool
) -> None:
    a_product(sku="BOWL", stock=9)
    order = an_order({"BOWL": 2})
    happens(order)

    page = page_of(order)

    assert (title(page), f"/orders/{order.token}/pay/" in page) == (says, can_pay)
    assert ("every 4s" in page, "http-equiv" in page) == (looks_again, looks_again)


def test_form_to_pay_otherwise_stays_while_the_state_looks_again() -> None:
    a_product(sku="BOWL", stock=9)
    order = an_order({"BOWL": 2})
    led_on(order)
    page = page_of(order)
    polling = Client(headers={"HX-Target": "state"})
    waiting = opened(polling, f"/orders/{order.token}/")
    paying.mark_paid(payment=order.payments.get())

    done = opened(polling, f"/orders/{order.token}/")

    swaps = [
        re.findall(r'hx-trigger="([^"]*)"(?: hx-target="[^"]*")? hx-select="(#(?:order|state))"', one)
        for one in (page, waiting, done, page_of(order))
    ]
    assert swaps == [[("every 4s", "#state")], [("every 4s", "#state")], [("load", "#order")], []]


def test_page_of_an_order_that_came_too_late_promises_the_money_back() -> None:
    a_product(sku="BOWL", stock=9)
    order = an_order({"BOWL": 2})
    late(order)

    assert "Your payment came too late; we give it back to you." in page_of(order)


def test_page_has_lines_sum_address_and_parcels() -> None:
    shirt = a_product(name="Shirt")
    a_product(sku="BOWL", name="Shirt M", price=Decimal(10), stock=9, parent=shirt, options={"items": "M"})
    order = an_order({"BOWL": 2})
    shipped(order, 1)
    Product.objects.filter(sku="BOWL").update(name="Other")

    page = page_of(order)

    for text in (
        "Shirt M",
        "<bdi>items: M</bdi> · <bdi>2 × €10.00</bdi>",
        "€21.60",
        "Kim Doe",
        "Switzerland",
        "1 × Shirt M",
    ):
        assert (text, text in page) == (text, True)
    assert '<a href="https://post.example/RX123" rel="noreferrer">Follow it: <bdi>RX 123</bdi></a>' in page


def test_address_to_follow_a_parcel_is_a_web_address() -> None:
    a_product(sku="BOWL", stock=9)
    order = a_paid_order({"BOWL": 2})
    ordering.fulfil(order=order, tracking_url="javascript:alert(1)", tracking_code="RX")

    assert ("javascript:" in page_of(order), "Tracking code: RX" in page_of(order)) == (False, True)


def test_money_given_back_is_said() -> None:
    a_product(sku="BOWL", stock=9, price=Decimal(10))
    order = refund(a_paid_order({"BOWL": 2}), "5.00")
    part = page_of(order)
    order.payments.update(gateway="invoice")
    whole = page_of(refund(order, "16.60"))

    assert ("€5.00 given back to you." in part, title(whole)) == (True, "This order was refunded")


def test_transfer_is_explained(settings: Any) -> None:
    settings.BANK_ACCOUNT = "CH00 1234"
    a_product(sku="BOWL", stock=9, price=Decimal(10))
    order = an_order({"BOWL": 2})
    invoiced(order)

    page = page_of(order)

    for text in (f"Order {order.number}", "€21.60", "CH00 1234"):
        assert (text, f"<dd>{text}</dd>" in page) == (text, True)

    settings.BANK_ACCOUNT = ""
    assert "We write to you with the account." in page_of(order)


@pytest.mark.parametrize("token", ["x", "a" * 32, "a" * 33, "%00" * 11, "10001"])
@pytest.mark.parametrize("tail", ["", "pay/"])
def test_wrong_link_learns_nothing(client: Client, token: str, tail: str) -> None:
    send = client.post if tail else client.get

    response = send(f"/orders/{token}/{tail}")

    assert (response.status_code, "This page does not exist" in response.text) == (404, True)


def test_page_is_kept_and_listed_by_nobody_and_its_address_stays_here() -> None:
    a_product(sku="BOWL", stock=9)
    headers = Client().get(f"/orders/{an_order({'BOWL': 1}).token}/").headers

    assert "no-store" in headers["Cache-Control"]
    assert (headers["X-Robots-Tag"], headers["Referrer-Policy"]) == (
        "noindex, nofollow, noarchive",
        "same-origin",
    )


def test_key_of_another_orders_payment_is_a_conflict(client: Client) -> None:
    a_product(sku="BOWL", stock=9)
    first, second = an_order({"BOWL": 1}), an_order({"BOWL": 1})
    said = {"payment": "invoice", "key": hidden(page_of(first))["key"]}
    client.post(f"/orders/{first.token}/pay/", said)

    answer = client.post(f"/orders/{second.token}/pay/", said)

    assert (answer.status_code, second.payments.count()) == (409, 0)


@pytest.mark.parametrize(
    "said",
    [{}, {"payment": "gold", "key": "k"}]
    + [{"payment": "invoice", "key": key} for key in ("\0", "ключ", "a\nb", "a\n", "x" * 101)],
)
def test_payment_that_makes_no_sense_does_nothing(client: Client, said: dict[str, str]) -> None:
    a_product(sku="BOWL", stock=9)
    order = an_order({"BOWL": 1})

    page = client.post(f"/orders/{order.token}/pay/", said, follow=True)

    assert (page.status_code, order.payments.count()) == (200, 0)


def test_page_does_few_queries_however_many_lines(client: Client) -> None:
    counts = []
    for size in (1, 20):
        pieces = {a_product(stock=9).sku: 1 for _ in range(size)}
        order = an_order(pieces)
        paying.mark_paid(payment=a_payment(order))
        ordering.fulfil(order=order)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            opened(client, f"/orders/{order.token}/")
        counts.append(len(captured))

    assert (counts[0] == counts[1], counts[0] <= 12) == (True, True)
