"""What a login brings along: the cart of the session, and the orders that were placed as a guest."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db.models.functions import Lower
from django.http import HttpRequest

from shop import carts
from shop.models import Order

CART = "cart"  # where a session has the key of its cart


def connect() -> None:
    """Listen to logins and to links in mails being followed; called once, when Django is ready."""
    user_logged_in.connect(_logged_in, dispatch_uid="shop.accounts.logged_in")
    email_confirmed.connect(_email_confirmed, dispatch_uid="shop.accounts.email_confirmed")


def verified_addresses(customer: User) -> list[str]:
    """The e-mail addresses that the customer has shown to be theirs, in small letters."""
    verified = EmailAddress.objects.filter(user=customer, verified=True)
    return [email.lower() for email in verified.values_list("email", flat=True)]


def attach_orders(*, customer: User) -> int:
    """Make orders of guests the customer's whose address is theirs; returns how many.

    Only of verified addresses: anybody can sign up with anybody's.
    """
    addresses = verified_addresses(customer)
    if not addresses:
        return 0
    guests = Order.objects.alias(address=Lower("email")).filter(customer=None, address__in=addresses)
    return guests.exclude(email="").update(customer=customer)


def _logged_in(*, request: HttpRequest | None, user: User, **_: Any) -> None:
    """The login has given the session another key, but what is in the session stayed: the cart's key, too."""
    if request is not None and (key := request.session.pop(CART, None)):
        carts.merge(key=key, customer=user)
    attach_orders(customer=user)


def _email_confirmed(*, email_address: EmailAddress, **_: Any) -> None:
    attach_orders(customer=email_address.user)
