"""Doormen: each names what does the work. Losing a tick of beat's is harmless: the next does the same; twice
is once."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore

from shop import (
    carts,
    indexing,
    left_carts,
    ordering,
    popularity,
    restocking,
    settling,
    subscriptions,
)
from tasks.claiming import Claim
from tasks.registry import handles


@handles(indexing.KIND, queue="search")
def index(claim: Claim) -> None:
    """Write the search documents that are stale; where much is left, another job goes on."""
    indexing.index(claim)


@shared_task(name="shop.find_stale", queue="default", ignore_result=True)
def find_stale() -> None:
    """Beat's tick: look through all products for what no one told of. Losing one is harmless."""
    indexing.look_through()


@shared_task(name="shop.expire_orders", queue="default", ignore_result=True)
def expire_orders() -> int:
    """pending → expired for orders that nobody paid in time; their stock comes back."""
    return ordering.expire_unpaid()


@shared_task(name="shop.settle_payments", queue="mail", ignore_result=True)
def settle_payments() -> int:
    """Finish payments and refunds that nobody finished, and give back money that came too late. Where mail
    waits for foreign servers, too."""
    return settling.settle()


@shared_task(name="shop.count_popularity", queue="default", ignore_result=True)
def count_popularity() -> int:
    """Add to the popularity of products what was ordered since."""
    return popularity.count()


@shared_task(name="shop.tell_restocked", queue="default", ignore_result=True)
def tell_restocked() -> int:
    """Announce to those who wait for a product that it can be had again."""
    return restocking.tell()


@shared_task(name="shop.remind_of_carts", queue="default", ignore_result=True)
def remind_of_carts() -> int:
    """Announce carts that were left, to those who wanted to be reminded."""
    return left_carts.remind()


@shared_task(name="shop.purge_subscriptions", queue="default", ignore_result=True)
def purge_subscriptions() -> int:
    """Remove what nobody confirmed, and old records of consent."""
    return subscriptions.purge()


@shared_task(name="shop.purge_carts", queue="default", ignore_result=True)
def purge_carts() -> int:
    """Remove carts of sessions that nobody came back to, and sessions that have expired."""
    SessionStore.clear_expired()
    return carts.purge(older_than=timedelta(days=settings.CART_RETENTION_DAYS))
