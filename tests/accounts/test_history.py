"""The list of orders: whose they are, how they come there, what a login brings along."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shop import carts
from shop.models import Cart, Order
from tests.accounts.people import (
    EMAIL,
    a_customer,
    code_of,
    link_in_mail,
    log_in,
    sign_up,
    with_second_factor,
)
from tests.shop.factories import a_product
from tests.shop.orders import an_order

pytestmark = pytest.mark.django_db


def orders(count: int, *, email: str = EMAIL, customer: User | None = None) -> list[Order]:
    """So many orders of a guest with this address, or of the customer; the first one first."""
    a_product(sku=f"SKU-{email}-{count}", name="Bread knife", stock=1_000)
    made = [an_order({f"SKU-{email}-{count}": 1}, email=email) for _ in range(count)]
    Order.objects.filter(pk__in=[order.pk for order in made]).update(customer=customer)
    return made


def listed(client: Client, path: str = "/account/") -> list[int]:
    page = client.get(path).text
    return [int(number) for number in re.findall(r'<th scope="row">(?:<a [^>]*>)?(\d+)', page)]


def test_customer_sees_own_orders_newest_first_and_no_other(client: Client) -> None:
    kim, sam = a_customer(), a_customer("sam@example.com")
    mine = orders(2, customer=kim)
    orders(1, email="sam@example.com", customer=sam)
    log_in(client)

    assert listed(client) == [mine[1].number, mine[0].number]


def test_visitors_are_asked_to_log_in(client: Client) -> None:
    assert client.get("/account/")["Location"] == "/account/login/?next=/account/"


def test_pages_of_orders_go_on_where_the_last_one_ended(client: Client) -> None:
    mine = [order.number for order in orders(25, customer=a_customer())]
    log_in(client)

    first = listed(client)
    second = listed(client, f"/account/?before={first[-1]}")

    assert first + second == mine[::-1]
    assert len(first) == 20


def test_nonsense_as_a_page_is_the_first_page(client: Client) -> None:
    mine = orders(1, customer=a_customer())
    log_in(client)

    seen = [listed(client, f"/account/?before={text}") for text in ("x", "9" * 40, "²")]

    assert seen == [[mine[0].number]] * 3


def test_list_needs_as_many_queries_however_long_it_is(client: Client) -> None:
    kim = a_customer()
    orders(1, customer=kim)
    log_in(client)
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get("/account/")
    orders(15, customer=kim)
    with CaptureQueriesContext(connection) as many:
        client.get("/account/")

    assert (len(one), len(many)) == (5, 5)  # session, user, orders, lines, the cart's pieces


def test_guest_orders_come_with_a_verified_address_only(client: Client) -> None:
    made = orders(2, email="Kim@Example.com")
    sign_up(client)
    assert listed(client) == []

    client.post(link_in_mail())

    assert listed(client) == [made[1].number, made[0].number]


def test_guest_orders_placed_later_come_at_the_next_login(client: Client) -> None:
    a_customer(verified=True)
    made = orders(1)

    log_in(client)

    assert listed(client) == [made[0].number]


def test_orders_of_others_stay_theirs_whoever_verifies_the_address(client: Client) -> None:
    sam = a_customer("sam@example.com")
    orders(1, email=EMAIL, customer=sam)  # Sam ordered with Kim's address

    a_customer(verified=True)
    log_in(client)

    assert (listed(client), Order.objects.get().customer) == ([], sam)


def with_cart(client: Client, pieces: dict[str, int]) -> str:
    """A visitor's cart; returns its key."""
    cart = carts.of(key=carts.new_key())
    for sku, quantity in pieces.items():
        carts.put(cart=cart, product=a_product(sku=sku, stock=9), quantity=quantity)
    session = client.session
    session["cart"] = cart.key
    session.save()
    return str(cart.key)


@pytest.mark.parametrize("door", ["sign up", "log in"])
def test_cart_of_the_session_becomes_the_customers(client: Client, door: str) -> None:
    key = with_cart(client, {"KNIFE": 2})
    before = client.session.session_key
    if door == "sign up":
        sign_up(client)
    else:
        a_customer()
        log_in(client)

    cart = Cart.objects.get()
    assert (cart.customer, cart.key) == (User.objects.get(), None)
    assert [(line.sku, line.quantity) for line in cart.lines.all()] == [("KNIFE", 2)]
    assert client.session.session_key != before
    assert client.session.get("cart") is None
    assert not Cart.objects.filter(key=key).exists()


def test_cart_waits_for_the_second_factor(client: Client) -> None:
    with_cart(client, {"KNIFE": 2})
    secret = with_second_factor(a_customer())
    log_in(client)
    assert Cart.objects.get().customer is None

    client.post("/account/2fa/authenticate/", {"code": code_of(secret)})

    assert Cart.objects.get().customer == User.objects.get()


def test_logging_out_leaves_the_cart_to_the_customer(client: Client) -> None:
    with_cart(client, {"KNIFE": 2})
    a_customer()
    log_in(client)

    client.post("/account/logout/")

    assert (Cart.objects.get().customer, client.session.get("cart")) == (User.objects.get(), None)
