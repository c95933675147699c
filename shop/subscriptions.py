"""Mails that somebody asked for: ask, confirm, use up, take back. Each verb is one transaction.

A guest's consent, and that of a customer whose address nobody verified, counts only after the link in a mail
to that address was followed (double opt-in): anybody can type anybody's. Links are signed, for one purpose
each; who has one needs no login.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse

from shop import signals
from shop.models import Cart, Product, Subscription

Kind, Reason = Subscription.Kind, Subscription.Reason
CONFIRM, END, CART = "confirm", "end", "cart"  # what links are for


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for a mail, and in which words. `is_verified`: the address was shown to be the customer's."""

    email: str
    wording: str
    language: str
    customer: User | None = None
    is_verified: bool = False


@transaction.atomic
def ask(*, by: Asking, product: Product | None = None, cart: Cart | None = None) -> Subscription:
    """Note that somebody wants to be written to about this product, or this cart.

    Said again it is the same one, also where its mail about the cart was written already. As long as it is
    not confirmed, the signal has the address asked.
    """
    about = {"product": product} if product else {"cart": cart}
    there = Subscription.objects.filter(ended_at=None, **about)
    if product:
        there = there.standing().of_address(by.email)
    else:
        _end_others(there, email=by.email)
    subscription, _ = there.get_or_create(
        **about,
        defaults={
            "kind": Kind.STOCK if product else Kind.CART,
            "email": by.email,
            "customer": by.customer,
            "language": by.language,
            "wording": by.wording,
        },
    )
    if subscription.confirmed_at is None:
        if by.is_verified:
            _confirm(subscription)
        else:
            signals.subscription_asked.send(sender=Subscription, subscription=subscription)
    return subscription


def _end_others(of_cart: Iterable[Subscription], *, email: str) -> None:
    """Who gives another address for the same cart wants no mail at the first one."""
    others = [one for one in of_cart if one.email.lower() != email.lower() and not one.used_at]
    _end(others, Reason.WITHDRAWN)


@transaction.atomic
def confirm(subscription: Subscription) -> Subscription:
    """Its link was followed. What was taken back meanwhile, stays so. Returns it as it is then."""
    subscription = Subscription.objects.select_for_update().get(pk=subscription.pk)
    if subscription.ended_at is None and subscription.confirmed_at is None:
        _confirm(subscription)
    return subscription


def _confirm(subscription: Subscription) -> None:
    Subscription.objects.filter(pk=subscription.pk).update(confirmed_at=Now())
    subscription.refresh_from_db()


@transaction.atomic
def withdraw(subscription: Subscription) -> None:
    """Take this consent back. A mail that is still waiting goes nowhere."""
    mine = Subscription.objects.filter(pk=subscription.pk, ended_at=None)
    _end(mine.select_for_update(), Reason.WITHDRAWN)


@transaction.atomic
def withdraw_all(subscription: Subscription) -> None:
    """Take back all that the subscription's address has agreed to for mails of the kind, as somebody expects
    who unsubscribes."""
    same = Subscription.objects.of_address(subscription.email).filter(kind=subscription.kind)
    _end(same.filter(ended_at=None).order_by("pk").select_for_update(), Reason.WITHDRAWN)


@transaction.atomic
def cart_ordered(cart: Cart) -> None:
    """Its cart was ordered: nothing is left behind, and the next one is asked about anew."""
    _end(Subscription.objects.filter(cart=cart, ended_at=None).select_for_update(), Reason.ORDERED)


def cart_merged(*, guest: Cart, into: Cart) -> None:
    """At login a session's cart becomes a part of the customer's, and so does what was asked for about it,
    unless they asked about that one already."""
    if not Subscription.objects.filter(cart=into, ended_at=None).exists():
        Subscription.objects.filter(cart=guest, ended_at=None).update(cart=into)


def end_one(subscription: Subscription, reason: Subscription.Reason) -> None:
    """End a locked one, because there is nothing more to write about."""
    _end([subscription], reason)


def _end(subscriptions: Iterable[Subscription], reason: Subscription.Reason) -> None:
    ended = list(subscriptions)
    if not ended:
        return
    mine = Subscription.objects.filter(pk__in=[one.pk for one in ended])
    mine.update(ended_at=Now(), reason=reason)
    signals.subscriptions_ended.send(sender=Subscription, subscriptions=ended)


def of_cart(cart: Cart) -> Subscription | None:
    """What was asked for about the cart, if that stands or has been used."""
    return Subscription.objects.filter(cart=cart, ended_at=None).first()


def purge() -> int:
    """Remove those that nobody confirmed in time, and records of consent that are too old to matter; returns
    how many."""
    late = timedelta(days=settings.SUBSCRIPTION_CONFIRM_DAYS)
    old = timedelta(days=settings.SUBSCRIPTION_DAYS)
    over = Q(confirmed_at=None, asked_at__lte=Now() - late) | Q(asked_at__lte=Now() - old)
    return Subscription.objects.filter(over).delete()[0]


def link(subscription: Subscription, purpose: str) -> str:
    """The address, absolute, by which whoever has it does this with the subscription."""
    token = _signer(purpose).sign(str(subscription.pk))
    return settings.SITE_URL + reverse(f"shop:mail_{purpose}", args=[token])


def found(token: str, purpose: str) -> Subscription | None:
    """Which one a link is about; None for one that is forged, for something else, or too old."""
    try:
        pk = _signer(purpose).unsign(token)
    except BadSignature:
        return None
    return Subscription.objects.select_related("cart").filter(pk=pk).first()


def _signer(purpose: str) -> Signer:
    return Signer(salt=f"shop.subscriptions.{purpose}", sep=".")
