"""The ticks that beat sends to the shop. Losing one is harmless: the next does the same; twice is once."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from shop import carts, ordering, popularity


@shared_task(name="shop.expire_orders", queue="default", ignore_result=True)
def expire_orders() -> int:
    """pending → expired for orders that nobody paid in time; their stock comes back."""
    return ordering.expire_unpaid()


@shared_task(name="shop.count_popularity", queue="default", ignore_result=True)
def count_popularity() -> int:
    """Add to the popularity of products what was ordered since."""
    return popularity.count()


@shared_task(name="shop.purge_carts", queue="default", ignore_result=True)
def purge_carts() -> int:
    """Remove carts of sessions that nobody came back to."""
    return carts.purge(older_than=timedelta(days=settings.CART_RETENTION_DAYS))
