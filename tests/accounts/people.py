"""People who have accounts, and what they do with them over HTTP."""

from __future__ import annotations

import re
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import (
    TOTP,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.auth.models import User
from django.test import Client

from notifications.models import Message

EMAIL, PASSWORD = "kim@example.com", "a good long password"


def a_customer(email: str = EMAIL, *, verified: bool = False, **said: Any) -> User:
    """Somebody with an account, who may have shown that the address is theirs."""
    user = User.objects.create_user(f"customer-{email}", email, PASSWORD, **said)
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=verified)
    return user


def a_clerk(**said: Any) -> User:
    """A staff member without an e-mail address."""
    return User.objects.create_user("clerk", password=PASSWORD, is_staff=True, **said)


def sign_up(client: Client, email: str = EMAIL, password: str = PASSWORD) -> Any:
    return client.post("/account/signup/", {"email": email, "password1": password})


def log_in(client: Client, email: str = EMAIL, password: str = PASSWORD) -> Any:
    return client.post("/account/login/", {"login": email, "password": password})


def log_in_as_staff(
    client: Client, name: str = "clerk", password: str = PASSWORD, to: str = "/admin/"
) -> Any:
    return client.post(f"/admin/login/?next={to}", {"username": name, "password": password})


def confirm(client: Client, password: str = PASSWORD) -> Any:
    """Say the password once more, as pages ask before what can't be taken back."""
    return client.post("/account/reauthenticate/", {"password": password})


def logged_in(client: Client) -> str | None:
    """The id of whoever the client is logged in as."""
    return client.session.get("_auth_user_id")


def link_in_mail(to: str = EMAIL) -> str:
    """The path of the link in the latest mail to the address."""
    text = Message.objects.filter(recipient=to).latest("pk").text
    return re.search(r"https?://[^/\s]+(/account/\S+)", text)[1]  # type: ignore[index]


def with_second_factor(user: User) -> str:
    """Give the user an authenticator app; returns its secret."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def code_of(secret: str) -> str:
    """What the authenticator app shows at this moment."""
    return f"{hotp_value(secret, next(yield_hotp_counters_from_time())):06}"
