"""Customers call their orders off, at the order's own page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from notifications.models import Message
from shop import ordering, paying
from shop.models import DiscountCode, Order
from tests.shop.factories import a_product
from tests.shop.orders import a_payment, an_order, findings, stocks
from tests.shop.shopping import opened

pytestmark = pytest.mark.django_db


@pytest.fixture
def order() -> Order:
    """Two of nine bowls, unpaid."""
    a_product(sku="BOWL", stock=9)
    return an_order({"BOWL": 2})


def free_order(order: Order) -> Order:
    """Another order of two bowls, which costs nothing and was placed long ago."""
    DiscountCode.objects.create(code="ALL", percent=100)
    free = an_order({"BOWL": 2}, discount="ALL")
    Order.objects.filter(pk=free.pk).update(expires_at=timezone.now() - timedelta(days=1))
    ordering.cancel(order=order)
    return free


def invoiced(order: Order) -> Order:
    a_payment(order, gateway="invoice", awaiting=True)
    return order


def declined(order: Order) -> Order:
    paying.payment_failed(payment=a_payment(order), error="No.")
    return order


def being_paid(order: Order) -> Order:
    a_payment(order)
    return order


def paid(order: Order) -> Order:
    paying.mark_paid(payment=a_payment(order), provider_reference="charge")
    return order


def shipped(order: Order) -> Order:
    ordering.fulfil(order=paid(order))
    return order


def expired(order: Order) -> Order:
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    ordering.expire_unpaid()
    return order


def page_of(order: Order, what: str = "") -> str:
    return f"/orders/{order.token}/{what}"


@pytest.mark.parametrize("comes_to", [lambda order: order, invoiced, declined, free_order])
def test_customer_cancels_what_costs_nothing_yet(
    client: Client, order: Order, comes_to: Callable[[Order], Order]
) -> None:
    order = comes_to(order)
    Message.objects.all().delete()
    asks = client.get(page_of(order, "cancel/"))
    held = stocks()

    answers = [client.post(page_of(order, "cancel/")) for _ in range(2)]

    assert f'href="{page_of(order, "cancel/")}"' not in opened(client, page_of(order))
    assert (asks.status_code, held) == (200, {"BOWL": 7})
    assert [answer.headers["Location"] for answer in answers] == [page_of(order)] * 2
    assert "This order was cancelled" in opened(client, page_of(order))
    assert (stocks(), findings()) == ({"BOWL": 9}, [])
    assert order.events.get(kind="cancelled").details == {"by_customer": True}
    mails = Message.objects.filter(kind__startswith="order_").values_list("kind", flat=True)
    assert list(mails) == ["order_cancelled"]


@pytest.mark.parametrize(
    ("comes_to", "told"),
    [
        (being_paid, "It was not cancelled: a payment is under way. Wait until we know what came of it."),
        (paid, "It was not cancelled: it is paid, or over, by now."),
        (shipped, "It was not cancelled: it is paid, or over, by now."),
        (expired, "It was not cancelled: it is paid, or over, by now."),
    ],
)
def test_what_is_paid_or_over_is_not_cancelled(
    client: Client, order: Order, comes_to: Callable[[Order], Order], told: str
) -> None:
    comes_to(order)
    before = (Order.objects.get().state, stocks(), Message.objects.count())

    asks = client.get(page_of(order, "cancel/"))
    answer = client.post(page_of(order, "cancel/"))

    assert (asks.status_code, asks.headers["Location"]) == (302, page_of(order))
    assert (answer.status_code, f'<p class="st-wrong">{told}</p>' in unescape(answer.text)) == (409, True)
    assert (Order.objects.get().state, stocks(), Message.objects.count()) == before
    assert findings() == []


@pytest.mark.parametrize(
    ("comes_to", "offers"),
    [
        (lambda order: order, "cancel"),
        (free_order, "cancel"),
        (being_paid, ""),
        (paid, "mailto:shop@shop.example"),
        (shipped, ""),
        (expired, ""),
    ],
)
def test_page_offers_what_can_be_done(
    client: Client, settings: Any, order: Order, comes_to: Callable[[Order], Order], offers: str
) -> None:
    settings.SHOP_EMAIL = "shop@shop.example"
    order = comes_to(order)

    page = opened(client, page_of(order))

    ways = {"cancel": page_of(order, "cancel/"), "mailto:shop@shop.example": "mailto:shop@shop.example"}
    assert [way for way, link in ways.items() if f'href="{link}"' in page] == [offers][: bool(offers)]


def test_cancelling_needs_the_page_that_asks(order: Order) -> None:
    elsewhere = Client(enforce_csrf_checks=True)

    answers = [
        elsewhere.post(page_of(order, "cancel/")),
        elsewhere.get(f"/orders/{'x' * 32}/cancel/"),
    ]
    asks = elsewhere.get(page_of(order, "cancel/"))

    assert [answer.status_code for answer in answers] == [403, 404]
    assert Order.objects.get().state == "pending"
    assert ("no-store" in asks.headers["Cache-Control"], asks.headers["X-Robots-Tag"]) == (
        True,
        "noindex, nofollow, noarchive",
    )


def test_history_says_who_cancelled(order: Order, admin_client: Client) -> None:
    Client().post(page_of(order, "cancel/"))

    story = admin_client.get(f"/admin/shop/order/{order.pk}/change/").text

    assert "the customer" in story[story.index("Cancelled") :]
