"""What the shop announces of mails that were asked for becomes a mail, in the transaction of the event."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from notifications import subscription_mails
from shop import cart_rows, signals, subscriptions
from shop.cart_rows import Row
from shop.models import Product, Subscription


def connect() -> None:
    """Listen to the shop's signals; called once, when Django is ready."""
    signals.subscription_asked.connect(_asked, dispatch_uid="notifications.subscription_asked")
    signals.back_in_stock.connect(_back_in_stock, dispatch_uid="notifications.back_in_stock")
    signals.cart_left.connect(_cart_left, dispatch_uid="notifications.cart_left")
    signals.subscriptions_ended.connect(_ended, dispatch_uid="notifications.subscriptions_ended")


def _asked(*, subscription: Subscription, **_: Any) -> None:
    """At most once a day, however often somebody types the address."""
    product = subscription.known_product
    link = subscriptions.link(subscription, subscriptions.CONFIRM)
    today = timezone.localdate()
    subscription_mails.write("confirm_subscription", subscription, which=today, link=link, product=product)


def _back_in_stock(*, subscription: Subscription, product: Product, movement: int, **_: Any) -> None:
    link = subscription_mails.product_page(product)
    subscription_mails.write("back_in_stock", subscription, which=movement, link=link, product=product)


def _cart_left(*, subscription: Subscription, rows: list[Row], **_: Any) -> None:
    link = subscriptions.link(subscription, subscriptions.CART)
    more = {"rows": rows, "total": cart_rows.subtotal(rows)}
    subscription_mails.write("abandoned_cart", subscription, which=subscription.cart_id, link=link, **more)


def _ended(*, subscriptions: list[Subscription], **_: Any) -> None:
    subscription_mails.hold_back(subscriptions)
