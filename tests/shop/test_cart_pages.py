"""The cart at the storefront, as a browser gets it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from shop.models import Product
from tests.shop.buying import add, buttons, in_carts, told
from tests.shop.factories import a_product
from tests.shop.shopping import opened

pytestmark = pytest.mark.django_db
NO_NUMBER = "Bowl: write how many you would like as a whole number, such as 2."
FEW = "Bowl: only 2 left, and you have 5 in your cart."
NOT_BOUGHT = [
    ("0", "Bowl: a quantity of 0 is none; take 1 or more."),
    ("-1", "Bowl: a quantity of -1 is none; take 1 or more."),
    ("1000000000", "Bowl: 1,000,000,000 are too many at once; 9,999 is the most."),
    *((text, NO_NUMBER) for text in ("two", "", "1.5", "1\0", "\0", "9" * 5000)),
]


def a_bowl(**fields: Any) -> Product:
    return a_product(
        **{"sku": "BOWL", "slug": "bowl", "name": "Bowl", "price": Decimal(5), "stock": 9, **fields}
    )


def change(client: Client, product: Product, quantity: object, was: object = 1) -> str:
    """Type another quantity into the cart's page, and press “Update quantities”."""
    said = {f"quantity-{product.pk}": str(quantity), f"was-{product.pk}": str(was)}
    return str(client.post("/cart/change/", said, follow=True).text)


def test_product_goes_into_the_cart_and_is_counted_in_the_header(client: Client) -> None:
    bowl = a_bowl()
    before = opened(client, "/p/bowl/")

    page = add(client, bowl, 2).text
    add(client, bowl)

    assert (f'name="product" value="{bowl.pk}"' in before, "st-count" in before) == (True, False)
    assert ("€10.00" in page, in_carts()) == (True, {"BOWL": 3})
    assert '<span class="st-count">3</span>' in opened(client, "/p/bowl/")
    assert '<span class="st-count">' not in opened(Client(), "/p/bowl/")


@pytest.mark.parametrize(("typed", "message"), NOT_BOUGHT)
def test_quantity_that_is_none_is_told_and_changes_nothing(client: Client, typed: str, message: str) -> None:
    bowl = a_bowl()
    refused = told(add(client, bowl, typed).text)
    add(client, bowl)

    assert (refused, told(change(client, bowl, typed)), in_carts()) == ([message], [message], {"BOWL": 1})


def test_quantity_that_can_not_be_stays_to_be_corrected(client: Client) -> None:
    bowl = a_bowl()
    add(client, bowl, 2)

    def fields(page: str) -> list[str]:
        return re.findall(rf'name="(?:was|quantity)-{bowl.pk}" value="([^"]*)"', page)

    assert fields(change(client, bowl, 99999, was=2)) == ["2", "99999"]
    assert fields(change(client, bowl, 1, was=1)) == ["2", "2"]  # an old tab


def test_what_cannot_be_bought_is_not_put_in(client: Client) -> None:
    shirt = a_product()
    hidden = a_product(published=False)
    for product in (shirt, a_product(parent=shirt), hidden, a_product(parent=hidden)):
        add(client, product)
    for text in ("", "x", "\0", "0199aaaa-0000-7000-8000-000000000000"):
        client.post("/cart/add/", {"product": text, "quantity": "1"})

    variant = Product.objects.get(parent=shirt)
    assert in_carts() == {variant.sku: 1}


def test_quantity_is_changed_and_a_line_is_removed(client: Client) -> None:
    bowl, cup = a_bowl(), a_product(sku="CUP")
    add(client, bowl), add(client, cup)

    change(client, bowl, 4)
    client.post("/cart/change/", {"remove": str(cup.pk)})

    assert in_carts() == {"BOWL": 4}


def test_old_tab_changes_only_what_was_typed_in_it(client: Client) -> None:
    bowl, cup = a_bowl(), a_product(sku="CUP")
    add(client, bowl), add(client, cup)
    change(client, bowl, 4)

    old = {f"quantity-{bowl.pk}": "1", f"was-{bowl.pk}": "1", f"quantity-{cup.pk}": "2", f"was-{cup.pk}": "1"}
    client.post("/cart/change/", old)
    client.post("/cart/change/", {"remove": str(cup.pk)})
    client.post("/cart/change/", old)

    assert in_carts() == {"BOWL": 4}


@pytest.mark.parametrize(
    ("changes", "message", "ways", "then"),
    [
        ({"price": 6}, "Bowl now costs €6.00 instead of €5.00.", ["Accept the new price"], {"BOWL": 5}),
        ({"stock": 2}, FEW, ["Take the 2 that are left"], {"BOWL": 2}),
        ({"stock": 0}, "Bowl is sold out.", [], {}),
        ({"published": False}, "Bowl is not for sale at the moment.", [], {}),
        (None, "Bowl is no longer sold.", [], {}),
    ],
)  # fmt: skip
def test_what_became_of_a_line_is_told_with_a_way_to_go_on(
    client: Client, changes: dict[str, Any] | None, message: str, ways: list[str], then: dict[str, int]
) -> None:
    bowl = a_bowl()
    add(client, bowl, 5)
    found = Product.objects.filter(pk=bowl.pk)
    found.update(**changes) if changes else found.delete()

    page = opened(client, "/cart/")
    client.post("/cart/change/", {"accept": str(bowl.pk)})

    assert told(page) == [message]
    reminder = "Save"
    assert buttons(page) == ["Take everything as it is now", *ways, "Update quantities", reminder]
    assert in_carts() == then
    assert ("Go to checkout" in buttons(opened(client, "/cart/"))) == bool(then)


def test_other_quantity_does_not_accept_a_new_price(client: Client) -> None:
    bowl = a_bowl()
    add(client, bowl)
    Product.objects.update(price=6)

    assert told(change(client, bowl, 2)) == ["Bowl now costs €6.00 instead of €5.00."]


def test_cart_of_an_ended_session_says_so(client: Client) -> None:
    bowl = a_bowl()
    add(client, bowl)
    Session.objects.all().delete()

    assert "Your session has ended" in opened(client, "/cart/")
    assert "Your session has ended" in change(client, bowl, 2)
    assert "Nothing in it yet" in opened(Client(), "/cart/")


def test_customer_has_their_own_cart_on_every_device(client: Client) -> None:
    kim = User.objects.create_user("kim")
    other = Client()
    client.force_login(kim), other.force_login(kim)

    add(client, a_bowl())

    assert "Bowl" in opened(other, "/cart/")
    assert "Bowl" not in opened(Client(), "/cart/")


def test_form_without_its_token_is_refused_and_says_what_to_do() -> None:
    careful = Client(enforce_csrf_checks=True)

    answer = add(careful, a_bowl())

    assert (answer.status_code, "Please send it again" in answer.text, in_carts()) == (403, True, {})


def test_htmx_gets_only_what_changed(client: Client) -> None:
    answer = add(client, a_bowl(), 2, headers={"HX-Request": "true"})

    assert ("<main" in answer.text, "2 × Bowl in your cart" in answer.text) == (False, True)
    assert '<span class="st-count">2</span>' in answer.text
