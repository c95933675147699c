"""Handing out what is held about a customer, and erasing it: by themselves and by staff."""

from __future__ import annotations

import json
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client

from notifications import outbox
from notifications.messages import Rendered
from notifications.models import Message
from shop import carts, ordering, personal_data
from shop.models import Cart, DataRequest, DiscountCode, Order
from tests.accounts.people import (
    EMAIL,
    PASSWORD,
    a_customer,
    confirm,
    log_in,
    sign_up,
    with_second_factor,
)
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order, a_payment, an_order, findings, refund

pytestmark = pytest.mark.django_db
PERSON = "/admin/shop/datarequest/person/"
NAMES = ("Kim Doe", "Main Street", "Bern", "3000", EMAIL)  # what an order of the factory has of somebody


@pytest.fixture
def kim(client: Client) -> User:
    """A customer who is logged in, has said the password just now, and has a cart."""
    user = a_customer(verified=True)
    carts.put(cart=carts.of(customer=user), product=a_product(sku="CUP", stock=9), quantity=2)
    log_in(client)
    confirm(client)
    return user


def delivered(customer: User | None = None, **said: Any) -> Order:
    """An order that is over, of a customer or a guest."""
    sku = f"KNIFE-{Order.objects.count()}"
    a_product(sku=sku, price=20, stock=9)
    order = a_paid_order({sku: 2}, **said)
    ordering.fulfil(order=order, pieces={sku: 2}, tracking_code="TRACK-1", tracking_url="https://p.example/1")
    ordering.deliver(order=order)
    Order.objects.filter(pk=order.pk).update(customer=customer)
    order.refresh_from_db()
    return order


def everything() -> str:
    """The text of all rows in the database, but for the machinery's, and invoices, which the law keeps."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        kept = ("django_migrations", "invoices_document")
        tables = [name for (name,) in cursor.fetchall() if name not in kept]
        rows = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)


def test_customer_downloads_all_that_is_held(client: Client, kim: User) -> None:
    order = delivered(kim)

    answer = client.post("/account/data/download/")
    held = json.loads(answer.content)

    assert answer["Content-Disposition"].startswith('attachment; filename="personal-data-')
    assert held["account"]["email_addresses"] == [{"email": EMAIL, "verified": True, "primary": True}]
    assert [(line["sku"], line["quantity"]) for line in held["carts"][0]["lines"]] == [("CUP", 2)]
    (kept,) = held["orders"]
    assert (kept["number"], kept["total"]) == (order.number, str(order.total))
    assert (kept["shipping_address"]["name"], kept["email"]) == ("Kim Doe", EMAIL)
    assert [event["kind"] for event in kept["events"]] == ["placed", "paid", "shipped", "delivered"]
    assert [line["sku"] for line in kept["lines"]] == [order.lines.get().sku]
    assert [payment["state"] for payment in kept["payments"]] == ["captured"]
    assert kept["shipments"][0]["tracking_code"] == "TRACK-1"


def test_download_has_no_secrets(client: Client, kim: User) -> None:
    secret = with_second_factor(kim)
    order = delivered(kim)
    client.post("/account/password/reset/", {"email": EMAIL})

    text = client.post("/account/data/download/").text

    found = [word for word in (secret, kim.password, order.token, "/password/reset/key/") if word in text]
    assert found == []
    assert json.loads(text)["account"]["second_factors"][0]["type"] == "totp"


def test_download_has_nothing_of_others(client: Client, kim: User) -> None:
    sam = a_customer("sam@example.com")
    delivered(sam, email="sam@example.com")

    assert "sam@" not in client.post("/account/data/download/").text


def test_download_and_erasure_ask_for_the_password_first(client: Client) -> None:
    a_customer(verified=True)
    log_in(client)

    paths = ("/account/data/download/", "/account/data/erase/")
    answers = [client.post(path) for path in paths]

    assert [answer["Location"] for answer in answers] == [
        f"/account/reauthenticate/?next={path.replace('/', '%2F')}" for path in paths
    ]
    assert (User.objects.count(), DataRequest.objects.count()) == (1, 0)


def test_erasure_leaves_no_trace_of_the_person(client: Client, kim: User) -> None:
    DiscountCode.objects.create(code="TEN", percent=10)
    order = delivered(kim, discount="TEN")
    refund(order, "1.00", reason="Kim Doe was sad")
    ordering.cancel(order=an_order({"CUP": 1}), reason="Kim Doe rang")
    client.post("/account/password/reset/", {"email": EMAIL})
    order.refresh_from_db()
    before = (order.total, order.paid, list(order.lines.values_list("sku", "quantity", "total")))
    assert {word for word in NAMES if word in everything()} == set(NAMES)

    answer = client.post("/account/data/erase/")

    assert "Your data is erased" in answer.text
    assert [word for word in (*NAMES, kim.get_username(), "TRACK-1") if word in everything()] == []
    order.refresh_from_db()
    assert (order.total, order.paid, list(order.lines.values_list("sku", "quantity", "total"))) == before
    assert (order.customer, order.shipping_address["country"], order.state) == (None, "CH", "delivered")
    assert (order.erased_at is not None, User.objects.count()) == (True, 0)
    assert not Cart.objects.exclude(customer=None).exists()
    assert findings() == []
    assert client.get("/account/").status_code == 302


@pytest.mark.parametrize("state", ["pending", "paid", "shipped"])
def test_erasure_is_refused_while_an_order_is_open(client: Client, kim: User, state: str) -> None:
    a_product(sku="KNIFE", stock=9)
    order = an_order({"KNIFE": 1}) if state == "pending" else a_paid_order({"KNIFE": 1})
    if state == "shipped":
        ordering.fulfil(order=order, pieces={"KNIFE": 1})
    Order.objects.update(customer=kim)

    answer = client.post("/account/data/erase/")

    assert answer.status_code == 409
    assert f"Nothing was erased: order {order.number} is still open." in answer.text
    order.refresh_from_db()
    assert (order.email, order.customer, Cart.objects.filter(customer=kim).count()) == (EMAIL, kim, 1)


def test_erasure_is_refused_while_money_moves(kim: User) -> None:
    a_product(sku="KNIFE", stock=9)
    order = an_order({"KNIFE": 1})
    a_payment(order)
    Order.objects.update(customer=kim, state="expired", ended_at=order.placed_at)

    with pytest.raises(personal_data.StillOpen, match=f"order {order.number} is still open"):
        personal_data.erase(personal_data.of_customer(kim))


def test_erasure_goes_on_a_month_after_a_parcel_left(kim: User) -> None:
    a_product(sku="KNIFE", stock=9)
    order = a_paid_order({"KNIFE": 1})
    ordering.fulfil(order=order, pieces={"KNIFE": 1})
    Order.objects.update(customer=kim, fulfilled_at=order.placed_at.replace(year=2020))

    assert personal_data.erase(personal_data.of_customer(kim))["orders"] == 1


def test_unverified_address_touches_no_order_of_a_guest(client: Client) -> None:
    order = delivered()  # by somebody with that address
    sign_up(client)
    confirm(client)

    held = json.loads(client.post("/account/data/download/").content)
    client.post("/account/data/erase/")

    order.refresh_from_db()
    assert (held["orders"], order.email, User.objects.count()) == ([], EMAIL, 0)


def test_unverified_address_brings_and_erases_no_mail_but_those_about_the_account(client: Client) -> None:
    content = Rendered("Your order", "/orders/link-of-somebody", "")
    outbox.write(kind="order", event="order/1/placed", about="order/1", recipients=[EMAIL], content=content)
    sign_up(client)
    confirm(client)

    own = Message.objects.get(kind="account").subject

    held = json.loads(client.post("/account/data/download/").content)
    client.post("/account/data/erase/")

    assert [mail["subject"] for mail in held["mails"]] == [own]
    kept = Message.objects.get(kind="order")
    assert (kept.recipient, kept.text) == (EMAIL, "/orders/link-of-somebody")


def test_staff_account_is_not_erased_by_its_owner(client: Client, kim: User) -> None:
    User.objects.update(is_staff=True)

    answer = client.post("/account/data/erase/")

    assert ("staff member" in answer.text, User.objects.count()) == (True, 1)


@pytest.fixture
def officer(client: Client) -> Client:
    """The browser of a member of the group for personal data."""
    user = User.objects.create_user("officer", password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="personal data"))
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def test_officer_looks_a_guest_up_and_hands_the_data_out(officer: Client) -> None:
    order = delivered()

    page = officer.post(PERSON, {"email": EMAIL.upper(), "do": "look"}).text
    held = json.loads(officer.post(PERSON, {"email": EMAIL, "do": "export"}).content)

    assert "No account, 1 order." in page
    assert (held["account"], [one["number"] for one in held["orders"]]) == (None, [order.number])


def test_officer_looks_up_what_no_address_can_be(officer: Client) -> None:
    assert "Nothing is held about" in officer.post(PERSON, {"email": "kim\0@example.com", "do": "look"}).text


def test_address_that_an_account_has_only_added_does_not_lead_to_the_account(officer: Client) -> None:
    mallory = a_customer("mallory@example.com", verified=True)
    added = EmailAddress.objects.create(user=mallory, email=EMAIL)
    order = delivered()

    page = officer.post(PERSON, {"email": EMAIL, "do": "look"}).text
    officer.post(PERSON, {"email": EMAIL, "do": "erase", "sure": "on"})

    order.refresh_from_db()
    assert ("No account, 1 order." in page, order.email, list(User.objects.filter(pk=mallory.pk))) == (
        True, "", [mallory],
    )  # fmt: skip
    added.set_as_primary()
    page = officer.post(PERSON, {"email": EMAIL, "do": "look"}).text
    assert "which has not verified this address, 0 orders." in page


def test_officer_erases_only_when_sure_and_the_log_says_so(officer: Client) -> None:
    a_customer()
    order = delivered()

    officer.post(PERSON, {"email": EMAIL, "do": "erase"})
    assert User.objects.filter(email=EMAIL).exists()
    officer.post(PERSON, {"email": EMAIL, "do": "erase", "sure": "on"})

    order.refresh_from_db()
    assert (order.email, EmailAddress.objects.count()) == ("", 0)
    done = DataRequest.objects.get()
    figures = {
        "mails": 5, "held_back_addresses": 0, "subscriptions": 0, "invoices": 0, "orders": 1, "account": 1,
    }  # fmt: skip
    assert (done.kind, done.by, done.figures) == ("erase", "officer", figures)
    assert "Was erased" in officer.post(PERSON, {"email": EMAIL, "do": "look"}).text
    assert "officer" in officer.get("/admin/shop/datarequest/").text


def test_officer_hears_why_an_open_order_keeps_the_data(officer: Client) -> None:
    a_product(sku="KNIFE", stock=9)
    order = an_order({"KNIFE": 1})

    page = officer.post(PERSON, {"email": EMAIL, "do": "erase", "sure": "on"}).text

    assert f"order {order.number} is still open" in page


@pytest.mark.parametrize("what", ["export", "erase"])
def test_looking_does_not_allow_more(client: Client, django_user_model: Any, what: str) -> None:
    user = django_user_model.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_datarequest"))
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    delivered()

    assert client.post(PERSON, {"email": EMAIL, "do": what, "sure": "on"}).status_code == 403


def test_mail_that_still_waits_is_emptied_and_goes_to_nobody(client: Client) -> None:
    sign_up(client)
    confirm(client)

    client.post("/account/data/erase/")

    message = Message.objects.get()
    assert (message.text, message.html, message.recipient) == ("", "", f"erased {message.pk}")
