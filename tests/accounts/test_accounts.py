"""Signing up, logging in, and what keeps others out."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from notifications.models import Message
from shop.tasks import purge_carts
from tests.accounts.people import (
    EMAIL,
    PASSWORD,
    a_clerk,
    a_customer,
    confirm,
    link_in_mail,
    log_in,
    log_in_as_staff,
    logged_in,
    sign_up,
)

pytestmark = pytest.mark.django_db


def test_customer_signs_up_by_email_and_is_logged_in(client: Client) -> None:
    answer = sign_up(client)

    user = User.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    assert (user.email, user.is_staff, logged_in(client)) == (EMAIL, False, str(user.pk))
    assert "kim" not in user.get_username()  # it stays in the log of orders


def test_login_leads_to_the_orders(client: Client) -> None:
    a_customer()

    answer = log_in(client)

    assert (answer["Location"], "Your orders" in client.get("/account/").text) == ("/account/", True)


def test_wrong_password_is_told_and_lets_nobody_in(client: Client) -> None:
    a_customer()

    answer = log_in(client, password="wrong")

    assert (answer.status_code, logged_in(client)) == (200, None)
    assert "not correct" in answer.text


def test_too_many_wrong_passwords_keep_even_the_right_one_out(client: Client) -> None:
    a_customer()
    for _ in range(5):
        log_in(client, password="wrong")

    assert "Too many failed login attempts" in log_in(client).text
    assert logged_in(client) is None


@pytest.fixture
def dead_redis(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    location = {"LOCATION": f"redis://127.0.0.1:{port}/0"}
    settings.CACHES = {alias: {**one, **location} for alias, one in settings.CACHES.items()}


def test_dead_redis_stops_no_login_and_still_limits_attempts(client: Client, dead_redis: None) -> None:
    a_customer()
    began = time.monotonic()

    log_in(client)
    assert logged_in(client) is not None
    client.logout()
    for _ in range(5):
        log_in(client, password="wrong")

    assert "Too many failed login attempts" in log_in(client).text
    assert time.monotonic() - began < 5


def test_mail_verifies_the_address(client: Client) -> None:
    sign_up(client)
    assert not EmailAddress.objects.get().verified

    client.post(link_in_mail())

    assert EmailAddress.objects.get().verified


def test_login_waits_for_the_address_where_that_is_mandatory(client: Client, settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    sign_up(client)
    assert logged_in(client) is None

    client.post(link_in_mail())
    log_in(client)

    assert logged_in(client) == str(User.objects.get().pk)


def test_password_is_set_anew_by_mail(client: Client) -> None:
    a_customer()
    client.post("/account/password/reset/", {"email": EMAIL})

    form = client.get(link_in_mail(), follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": "another long password", "password2": "another long password"})
    log_in(client, password="another long password")

    assert logged_in(client) == str(User.objects.get().pk)


def test_reset_tells_nobody_whether_an_address_is_known(client: Client) -> None:
    a_customer()

    answers = [
        client.post("/account/password/reset/", {"email": email})["Location"]
        for email in (EMAIL, "nobody@example.com")
    ]

    assert answers == ["/account/password/reset/done/"] * 2
    assert list(Message.objects.values_list("recipient", flat=True)) == [EMAIL]


def test_mail_with_a_link_is_not_shown_in_the_outbox(client: Client, admin_client: Client) -> None:
    a_customer()
    client.post("/account/password/reset/", {"email": EMAIL})
    link = link_in_mail()

    page = admin_client.get(f"/admin/notifications/message/{Message.objects.get().pk}/change/").text

    assert ("Not shown" in page, link in page) == (True, False)


def test_login_leads_to_no_other_site(client: Client) -> None:
    a_customer()

    answer = client.post(
        "/account/login/", {"login": EMAIL, "password": PASSWORD, "next": "https://evil.example/"}
    )

    assert answer["Location"] == "/account/"


def test_header_of_one_customer_is_kept_for_nobody_else(client: Client) -> None:
    a_customer()
    log_in(client)
    mine = client.get("/")
    others = Client().get("/")

    assert ("Your account" in mine.text, "Log in" in mine.text) == (True, False)
    assert ("Your account" in others.text, "Log in" in others.text) == (False, True)
    assert ["Cookie" in answer["Vary"] for answer in (mine, others)] == [True, True]


@pytest.mark.parametrize(
    "path",
    ["login/", "signup/", "password/reset/", "password/reset/done/", "confirm-email/", "inactive/"],
)
def test_pages_for_visitors_look_like_the_shop(client: Client, path: str) -> None:
    answer = client.get(f"/account/{path}")

    assert answer.text.count('class="st-header"') == 1
    assert [word for word in ("<style", "style=", "onclick=", "<script>") if word in answer.text] == []


@pytest.mark.parametrize(
    "path",
    ["", "email/", "password/change/", "logout/", "2fa/", "data/", "data/erase/", "reauthenticate/"]
    + ["2fa/totp/activate/"],
)
def test_pages_for_customers_look_like_the_shop(client: Client, path: str) -> None:
    a_customer(verified=True)
    log_in(client)
    confirm(client)

    answer = client.get(f"/account/{path}")

    assert (answer.status_code, answer.text.count('class="st-header"')) == (200, 1)
    assert [word for word in ("<style", "style=", "onclick=", "<script>") if word in answer.text] == []
    assert "Cookie" in answer["Vary"]


def test_staff_log_in_to_the_admin_by_user_name_or_email(client: Client) -> None:
    clerk = a_clerk(email="clerk@example.com")

    for name in ("clerk", "clerk@example.com"):
        answer = log_in_as_staff(client, name, to="/admin/shop/product/")
        assert (answer["Location"], logged_in(client)) == ("/admin/shop/product/", str(clerk.pk))
        client.logout()


def test_admin_lets_no_customer_in(client: Client) -> None:
    a_customer()

    answer = log_in_as_staff(client, EMAIL)

    assert (answer.status_code, logged_in(client)) == (200, None)


def test_admin_login_limits_attempts(client: Client) -> None:
    a_clerk()
    for _ in range(5):
        log_in_as_staff(client, password="wrong")

    assert "Too many failed login attempts" in log_in_as_staff(client).text
    assert logged_in(client) is None


def test_expired_sessions_are_removed(client: Client) -> None:
    a_customer()
    log_in(client)
    log_in(Client())
    Session.objects.filter(pk=client.session.session_key).update(expire_date="2020-01-01T00:00:00Z")

    purge_carts.run()

    assert (Session.objects.count(), logged_in(client)) == (1, None)
