"""By beat: who wanted it is reminded, once, of a cart that was left."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from shop import cart_rows, signals, subscriptions
from shop.models import Order, Subscription
from shop.models.subscription import SubscriptionQuerySet

log = structlog.get_logger(__name__)
Reason = Subscription.Reason


def remind(*, limit: int = 500) -> int:
    """Announce up to so many carts that nobody touched for ABANDONED_CART_HOURS; returns how many.

    Each is a transaction of its own, safe beside another tick's and beside the checkout, which ends what was
    asked for about its cart in the transaction that places the order.
    """
    due = _due().order_by("cart__updated_at", "pk").values_list("pk", flat=True)
    return sum(_remind(pk) for pk in list(due[:limit]))


def _due() -> SubscriptionQuerySet:
    before = Now() - timedelta(hours=settings.ABANDONED_CART_HOURS)
    mine = Subscription.objects.standing().filter(kind=Subscription.Kind.CART)
    return mine.filter(confirmed_at__lte=before, cart__updated_at__lte=before)


def _remind(pk: int) -> bool:
    try:
        return _remind_one(pk)
    except Exception:  # the others must not wait for this one; the next tick comes
        log.exception("could not be reminded of a cart", subscription=pk)
        return False


@transaction.atomic
def _remind_one(pk: int) -> bool:
    due = _due().select_related("cart").select_for_update(of=("self",), skip_locked=True)
    subscription = due.filter(pk=pk).first()
    if subscription is None or subscription.cart is None:
        return False
    rows = [row for row in cart_rows.rows(subscription.cart) if row.can_be_had]
    if _has_ordered(subscription) or not rows:
        subscriptions.end_one(subscription, Reason.ORDERED if rows else Reason.EMPTY)
        return False
    Subscription.objects.filter(pk=pk).update(used_at=Now())
    signals.cart_left.send(sender=Subscription, subscription=subscription, rows=rows)
    return True


def _has_ordered(subscription: Subscription) -> bool:
    """Whether they have bought something since, in whatever browser."""
    theirs = Q(email__iexact=subscription.email)
    if subscription.customer_id:
        theirs |= Q(customer=subscription.customer_id)
    return Order.objects.filter(theirs, placed_at__gte=subscription.asked_at).exists()
