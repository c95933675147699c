"""Mails that people asked for: a product is back, a cart was left; and the question whether they really did.

Each is a folder of three templates around `asked/base.html` and `asked/base.txt`. All but the question carry
the address by which one click takes the consent back (RFC 8058).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.urls import reverse

from notifications import messages, outbox
from notifications.messages import Rendered
from notifications.models import Message
from notifications.order_mails import language_of
from shop import subscriptions
from shop.models import Product, Subscription

log = structlog.get_logger(__name__)

# Each with what its mail says in the least, should its templates be broken.
KINDS = {
    "confirm_subscription": "Please confirm that we may write to you",
    "back_in_stock": "It is back in stock",
    "abandoned_cart": "You left something in your cart",
}
_WHY = "Its recipient has taken back that such mails are sent, or has ordered, before it went out."


def write(kind: str, subscription: Subscription, *, which: object, link: str, **more: Any) -> list[Message]:
    """Put the mail into the outbox, in the caller's transaction; returns it, or nothing where it was written
    before. `which` sets it apart from others of its kind; `link` is what its button leads to, and `more` is
    for the templates."""
    is_question = kind == "confirm_subscription"
    return outbox.write(
        kind=kind,
        event=f"{subscription.subject}/{kind}/{which}",
        about=subscription.subject,
        recipients=[subscription.email],
        content=content(kind, subscription, {"link": link, **more}),
        unsubscribe="" if is_question else subscriptions.link(subscription, subscriptions.END),
    )


def content(kind: str, subscription: Subscription, more: Mapping[str, Any]) -> Rendered:
    """The mail in the language that it was asked for in; in the shop's, or at last from code alone, where a
    template of it is broken: neither the shop nor the others must suffer for that."""
    given = context(subscription, more)
    for language in dict.fromkeys([language_of(subscription), settings.LANGUAGE_CODE]):
        try:
            return messages.render(kind, given, language=language)
        except DatabaseError:  # the transaction is lost, and whoever began it may begin again
            raise
        except Exception:
            log.exception("a mail that was asked for could not be rendered", kind=kind, language=language)
    return _plain(kind, given)


def context(subscription: Subscription, more: Mapping[str, Any]) -> dict[str, Any]:
    """What the templates of these kinds are given."""
    return {
        "subscription": subscription,
        "days": settings.SUBSCRIPTION_CONFIRM_DAYS,
        "unsubscribe_url": subscriptions.link(subscription, subscriptions.END),
        **more,
    }


def hold_back(ended: list[Subscription]) -> None:
    """Keep mails that wait from going to those who do not want them any more."""
    about = [subscription.subject for subscription in ended]
    waiting = Message.objects.filter(about__in=about, state=Message.State.QUEUED)
    waiting.update(state=Message.State.SUPPRESSED, error=_WHY, due_at=None)


def product_page(product: Product) -> str:
    """The page on which the product, or the variant, is sold; absolute."""
    if product.parent is None:
        return settings.SITE_URL + reverse("shop:product", args=[product.slug])
    query = {"variant": product.sku}
    return settings.SITE_URL + reverse("shop:product", args=[product.parent.slug], query=query)


def links(subscription: Subscription) -> list[str]:
    """The addresses in its mails that do something for whoever has them."""
    every = (subscriptions.CONFIRM, subscriptions.END, subscriptions.CART)
    return [subscriptions.link(subscription, purpose) for purpose in every]


def _plain(kind: str, context: Mapping[str, Any]) -> Rendered:
    text = f"{KINDS[kind]}:\n{context['link']}\n"
    if kind != "confirm_subscription":
        text += f"\nNo such mail any more:\n{context['unsubscribe_url']}\n"
    return Rendered(messages.one_line(KINDS[kind]), text, "")
