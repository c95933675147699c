"""Second factors: set up, asked for at every door, and not to be got round."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client

from tests.accounts.people import (
    EMAIL,
    a_clerk,
    a_customer,
    code_of,
    confirm,
    log_in,
    log_in_as_staff,
    logged_in,
    with_second_factor,
)

pytestmark = pytest.mark.django_db


def set_up(client: Client) -> Any:
    """Set up an authenticator app on its page, which asks for the password first."""
    confirm(client)
    client.get("/account/2fa/totp/activate/")
    secret = client.session["mfa.totp.secret"]
    return client.post("/account/2fa/totp/activate/", {"code": code_of(secret)})


def test_staff_set_up_an_app_and_get_recovery_codes(client: Client) -> None:
    a_clerk()
    log_in_as_staff(client)

    answer = set_up(client)

    assert answer["Location"] == "/account/2fa/recovery-codes/"
    assert sorted(Authenticator.objects.values_list("type", flat=True)) == ["recovery_codes", "totp"]
    assert client.get(answer["Location"]).text.count('class="st-header"') == 1


def test_page_with_the_qr_code_may_show_it_and_no_other_page_may(client: Client) -> None:
    a_clerk()
    log_in_as_staff(client)
    confirm(client)

    paths = ("/account/2fa/totp/activate/", "/account/2fa/")
    policies = [client.get(path)["Content-Security-Policy"] for path in paths]

    assert ["img-src 'self' data:;" in f"{policy};" for policy in policies] == [True, False]
    assert ["unsafe" in policy for policy in policies] == [False, False]


@pytest.mark.parametrize("door", [log_in_as_staff, log_in])
def test_no_login_page_lets_staff_in_by_password_alone(client: Client, door: Any) -> None:
    with_second_factor(a_clerk(email=EMAIL))

    answer = door(client)

    assert (answer["Location"], logged_in(client)) == ("/account/2fa/authenticate/", None)
    assert client.get("/admin/").status_code == 302


def test_code_of_the_app_leads_on_to_where_staff_wanted(client: Client) -> None:
    clerk = a_clerk()
    secret = with_second_factor(clerk)
    log_in_as_staff(client, to="/admin/shop/product/")

    wrong = client.post("/account/2fa/authenticate/", {"code": "000000"})
    right = client.post("/account/2fa/authenticate/", {"code": code_of(secret)})

    assert (wrong.status_code, right["Location"]) == (200, "/admin/shop/product/")
    assert logged_in(client) == str(clerk.pk)


def test_recovery_code_opens_once(client: Client) -> None:
    clerk = a_clerk()
    with_second_factor(clerk)
    code = RecoveryCodes.activate(clerk).get_unused_codes()[0]
    doors = []
    for _ in range(2):
        log_in_as_staff(client)
        client.post("/account/2fa/authenticate/", {"code": code})
        doors.append(logged_in(client) is not None)
        client.logout()

    assert doors == [True, False]


def test_new_password_by_mail_does_not_get_round_it(client: Client) -> None:
    with_second_factor(a_customer(verified=True))

    log_in(client)

    assert logged_in(client) is None


@pytest.mark.django_db(transaction=True)  # setting it up is noted after the commit
def test_staff_who_must_have_one_are_led_to_set_it_up(client: Client, settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = True
    a_clerk()
    log_in_as_staff(client)

    assert client.get("/admin/")["Location"] == "/account/2fa/totp/activate/"
    set_up(client)
    assert client.get("/admin/").status_code == 200


def test_session_without_the_factor_has_to_show_it(client: Client, settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = True
    clerk = a_clerk()
    secret = with_second_factor(clerk)
    client.force_login(clerk, "django.contrib.auth.backends.ModelBackend")

    asked = client.get("/admin/shop/product/")
    assert asked["Location"] == "/account/2fa/reauthenticate/?next=%2Fadmin%2Fshop%2Fproduct%2F"
    client.post(asked["Location"], {"code": code_of(secret)})

    assert client.get("/admin/").status_code == 200


def test_staff_who_must_have_one_can_not_put_it_away(client: Client, settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = True
    a_clerk()
    log_in_as_staff(client)
    set_up(client)

    client.post("/account/2fa/totp/deactivate/")

    assert Authenticator.objects.filter(type="totp").exists()


def test_customers_need_none(client: Client, settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = True
    a_customer()
    log_in(client)

    assert client.get("/account/").status_code == 200
