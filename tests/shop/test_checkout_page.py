"""The checkout at the storefront, as a browser gets it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from shop import session_cart
from shop.models import Cart, DeliveryMethod, DiscountCode, Order, Payment, Product, TaxRate
from tests.shop.buying import WHO, add, buttons, check_out, filled_in, hidden, in_carts, told
from tests.shop.factories import a_product
from tests.shop.orders import findings, stocks
from tests.shop.shopping import opened

pytestmark = pytest.mark.django_db
NO_MAIL = "This does not look like an e-mail address; one is like kim@example.com."


@pytest.fixture
def bowl(client: Client) -> Product:
    """A bowl, of which two are in the client's cart; the post brings it to Switzerland and Germany."""
    DeliveryMethod.objects.create(code="post", name="Post", fee=5, free_from=50, countries=["CH", "DE"])
    product = a_product(sku="BOWL", slug="bowl", name="Bowl", price=Decimal(10), stock=9)
    add(client, product, 2)
    return product


def test_customer_buys(client: Client, bowl: Product) -> None:
    answer = check_out(client)
    order = Order.objects.get()
    page = client.get(answer.headers["Location"])

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/orders/{order.token}/")
    assert (order.email, order.shipping_address["name"], order.state) == (
        "kim@example.com",
        "Kim Doe",
        "paid",
    )
    assert (order.total, in_carts(), stocks()) == (Decimal("27.00"), {}, {"BOWL": 7})
    assert "Thank you, your order is paid" in page.text
    assert findings() == []


@pytest.mark.parametrize(
    ("said", "total"),
    [
        ({}, "27.00"),  # 20 + 5, and 8 %
        ({"country": "DE"}, "29.75"),
        ({"country": "DE", "region": "helgoland"}, "25.00"),
        ({"delivery": "courier"}, "37.80"),
        ({"discount": "ten"}, "24.84"),
        ({"discount": "none"}, "27.00"),
        ({"country": "FR"}, ""),
        ({"country": "\0", "region": "\0", "discount": "\0", "delivery": "\0", "email": "\0"}, ""),
    ],
)
def test_total_is_worked_out_by_what_is_typed(
    client: Client, bowl: Product, said: dict[str, str], total: str
) -> None:
    DeliveryMethod.objects.create(code="courier", name="Courier", fee=15, countries=["CH"])
    DiscountCode.objects.create(code="TEN", percent=10)
    TaxRate.objects.create(country="DE", percent=19)
    TaxRate.objects.create(country="DE", region="Helgoland", percent=0)

    assert filled_in(client, **said)["total"] == total
    assert (Order.objects.count(), DiscountCode.objects.get().used) == (0, 0)


def test_ways_of_delivery_are_those_that_go_there(client: Client, bowl: Product) -> None:
    DeliveryMethod.objects.create(code="boat", name="Boat", countries=["DE"])
    DeliveryMethod.objects.create(code="gone", name="Gone", active=False)

    pages = [client.post("/checkout/", {"update": "", "country": code}).text for code in ("CH", "DE")]

    assert [("<strong>Boat" in page, "<strong>Gone" in page) for page in pages] == [
        (False, False),
        (True, False),
    ]
    delivery = pages[0].split("<legend>Billing address")[0]
    assert [code in delivery for code in ('value="CH" selected', 'value="FR"')] == [True, False]


def test_everywhere_means_every_country(client: Client, bowl: Product) -> None:
    DeliveryMethod.objects.create(code="world", name="World")

    page = client.get("/checkout/", headers={"Accept-Language": "de-AT,de;q=0.9"}).text

    assert ('value="AT" selected' in page, 'value="JP"' in page, 'value="ZZ"' in page) == (True, True, False)


def test_form_sent_again_leads_to_the_same_order_and_another_one_is_a_conflict(
    client: Client, bowl: Product
) -> None:
    form = filled_in(client)
    answers = [client.post("/checkout/", form).headers["Location"] for _ in range(3)]
    other = client.post("/checkout/", {**form, "name": "Somebody Else"})

    assert answers == [f"/orders/{Order.objects.get().token}/"] * 3
    assert (Payment.objects.count(), stocks()) == (1, {"BOWL": 7})
    assert (other.status_code, "nothing was done" in other.text) == (409, True)


@pytest.mark.parametrize(("first", "then"), [("test-card", "invoice"), ("invoice", "test-card")])
def test_form_sent_again_with_another_payment_leads_to_the_order(
    client: Client, bowl: Product, first: str, then: str
) -> None:
    form = filled_in(client, payment=first)
    client.post("/checkout/", form)

    again = client.post("/checkout/", {**form, "payment": then})

    assert (again.status_code, again.headers.get("Location")) == (
        302,
        f"/orders/{Order.objects.get().token}/",
    )
    assert Payment.objects.get().gateway == first


@pytest.mark.parametrize("total", ["0.01", "", "x", "NaN", "1e999", "26.999", "\0"])
def test_total_that_was_not_shown_is_refused_and_nothing_is_taken(
    client: Client, bowl: Product, total: str
) -> None:
    answer = client.post("/checkout/", {**filled_in(client), "total": total})

    assert (answer.status_code, Order.objects.count(), Payment.objects.count()) == (200, 0, 0)
    assert len(told(answer.text)) == 1
    assert hidden(answer.text)["total"] == "27.00"


def test_total_that_has_changed_is_told_and_can_be_confirmed(client: Client, bowl: Product) -> None:
    form = filled_in(client)
    DeliveryMethod.objects.update(fee=6)

    refused = client.post("/checkout/", form).text
    client.post("/checkout/", {**form, "total": hidden(refused)["total"]})

    assert told(refused) == ["The order now comes to €28.08. Look at it once more before you order."]
    assert Order.objects.get().total == Decimal("28.08")


@pytest.mark.parametrize(
    ("changes", "message", "then"),
    [
        ({"price": 11}, "Bowl now costs €11.00 instead of €10.00.", "29.16"),
        ({"stock": 1}, "Bowl: only 1 left, and you have 2 in your cart.", "16.20"),
    ],
)
def test_cart_that_has_changed_is_told_and_can_be_accepted(
    client: Client, bowl: Product, changes: dict[str, Any], message: str, then: str
) -> None:
    form = filled_in(client, name="Zoë")
    Product.objects.update(**changes)

    refused = client.post("/checkout/", form).text
    accepted = client.post("/checkout/", {**form, "accept": "all"}).text
    seen = hidden(accepted)
    client.post("/checkout/", {**form, "total": seen["total"], "key": seen["key"]})

    assert (told(refused), buttons(refused).count("Take everything as it is now")) == ([message], 2)
    assert ('value="Zoë"' in refused, 'value="Zoë"' in accepted, seen["total"]) == (True, True, then)
    assert Order.objects.get().total == Decimal(then)


def test_last_piece_that_somebody_else_bought_ends_the_checkout_kindly(client: Client, bowl: Product) -> None:
    form = filled_in(client)
    Product.objects.update(stock=0)

    refused = client.post("/checkout/", form).text
    accepted = client.post("/checkout/", {**form, "accept": "all"}).text

    assert told(refused) == ["Bowl is sold out."]
    assert ("Nothing in it yet" in accepted, Order.objects.count()) == (True, 0)


def test_code_whose_last_use_is_gone_is_told_and_the_order_goes_on_without(
    client: Client, bowl: Product
) -> None:
    code = DiscountCode.objects.create(code="TEN", percent=10, limit=1)
    form = filled_in(client, discount="ten")
    DiscountCode.objects.filter(pk=code.pk).update(used=1)

    refused = client.post("/checkout/", form).text
    answer = client.post("/checkout/", {**form, "discount": "", "total": hidden(refused)["total"]})

    says = "The discount code TEN is not valid, or not any more. Take it out, and you can order without it."
    assert (told(refused), 'value="ten"' in refused) == ([says], True)
    assert (answer.status_code, Order.objects.get().total) == (302, Decimal("27.00"))


@pytest.mark.parametrize(
    ("name", "city"),
    [
        ("Đặng Thị Hà", "Hà Nội"),
        ("محمد علي", "القاهرة"),
        ("李小龍", "香港"),
        ("O'Neill <b>", "Zürich & Söhne"),
    ],
)
def test_names_and_addresses_may_be_in_any_script(
    client: Client, bowl: Product, name: str, city: str
) -> None:
    check_out(client, name=f"  {name}\t", city=city, line2="‏שלום‏", company="ООО «Ёж»")

    address = Order.objects.get().shipping_address
    assert (address["name"], address["city"], address["company"]) == (name, city, "ООО «Ёж»")


@pytest.mark.parametrize(
    ("said", "messages"),
    [
        ({"email": "kim", "name": " "}, [NO_MAIL, "Who is it for?"]),
        ({"name": "K\0im"}, ["Name: this has a character that can't be printed."]),
        ({"line1": "x" * 201}, ["Street and number: 200 characters are the most."]),
        ({"country": "FR"}, ["We don't deliver to that country. Choose another one."]),
        ({"payment": "gold"}, ["It can't be paid in that way any more. Choose another one."]),
        ({"delivery": "swift"}, ["This way of delivery is not offered any more. Choose another."]),
        ({"key": ""}, ["Open the checkout again: something that belongs to this page is missing."]),
        ({"key": "ключ"}, ["Open the checkout again: something that belongs to this page is missing."]),
    ],
)  # fmt: skip
def test_what_can_not_be_understood_is_told_and_all_that_was_typed_stays(
    client: Client, bowl: Product, said: dict[str, str], messages: list[str]
) -> None:
    form = {**filled_in(client), "phone": "+41 1", **said}
    if "total" not in said:
        form["total"] = "27.00"

    answer = client.post("/checkout/", form)

    assert [one for one in told(answer.text) if not one.startswith("Nothing is ordered")] == messages
    assert ('value="+41 1"' in answer.text, Order.objects.count(), in_carts()) == (True, 0, {"BOWL": 2})


def test_declined_card_leaves_an_order_that_can_be_paid_again(client: Client, bowl: Product) -> None:
    there = check_out(client, card_number="4000 0000 0000 9995").headers["Location"]
    page = opened(client, there)
    again = {"payment": "test-card", "card_number": "4242424242424242", "key": hidden(page)["key"]}
    client.post(f"{there}pay/", again)
    client.post(f"{there}pay/", again)

    assert ("The payment did not go through" in page, "too little money" in page) == (True, True)
    assert list(Payment.objects.values_list("state", flat=True)) == ["failed", "captured"]
    assert "Thank you, your order is paid" in opened(client, there)


def test_what_costs_nothing_is_not_charged(client: Client, bowl: Product) -> None:
    Product.objects.update(price=0)
    DeliveryMethod.objects.update(fee=0)
    client.post("/cart/change/", {"accept": str(bowl.pk)})

    check_out(client)

    assert (Order.objects.get().state, Payment.objects.count()) == ("paid", 0)


def test_checkout_of_an_ended_session_says_so(client: Client, bowl: Product) -> None:
    form = filled_in(client)
    Session.objects.all().delete()

    assert "Your session has ended" in client.post("/checkout/", form).text
    assert "Nothing in it yet" in opened(Client(), "/checkout/")


def test_cart_that_another_tab_ordered_is_told(client: Client, bowl: Product) -> None:
    first, second = filled_in(client), filled_in(client)
    client.post("/checkout/", first)

    assert "just ordered in another window" in client.post("/checkout/", second).text
    assert Order.objects.count() == 1


def test_cart_that_a_login_took_away_meanwhile_is_told(
    client: Client, bowl: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, gone = filled_in(client), Cart.objects.get()
    Cart.objects.all().delete()
    for name in ("found", "opened"):  # as each page found it, just before it went
        monkeypatch.setattr(session_cart, name, lambda request: gone)

    pages = [
        client.post("/checkout/", form).text,
        client.post("/checkout/", {**form, "accept": "all"}).text,
        client.post("/cart/change/", {"accept": str(bowl.pk)}).text,
        client.post("/cart/add/", {"product": str(bowl.pk), "quantity": "1"}).text,
    ]

    changed = ["Your cart has changed in another window. Look at it, and try again."]
    assert [told(page) for page in pages] == [[], [], changed, changed]
    assert (["Nothing in it yet" in page for page in pages], Order.objects.count()) == ([True] * 4, 0)


def test_customer_finds_what_they_wrote_last_time(client: Client, bowl: Product) -> None:
    client.force_login(User.objects.create_user("kim", email="kim@example.org"))
    add(client, bowl)
    before = opened(client, "/checkout/")
    check_out(client, city="Basel", email="other@example.org")
    add(client, bowl)
    after = opened(client, "/checkout/")

    assert ('value="kim@example.org"' in before, 'value="Basel"' in before) == (True, False)
    assert ('value="other@example.org"' in after, 'value="Basel"' in after) == (True, True)
    assert Order.objects.get().customer == User.objects.get()


def test_checkout_is_kept_by_nobody_and_asks_for_its_token(client: Client, bowl: Product) -> None:
    careful = Client(enforce_csrf_checks=True)

    assert "no-store" in client.get("/checkout/").headers["Cache-Control"]
    assert careful.post("/checkout/", WHO).status_code == 403
