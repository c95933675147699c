"""Mails about orders, to the customer, in the language that the order was placed in.

Each is a folder of three templates around `order/base.html` and `order/base.txt`; docs/notifications.md has
the recipe for the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.urls import reverse
from django.utils import translation

from notifications import messages, outbox
from notifications.messages import Rendered
from notifications.models import Message
from shop import countries
from shop.models import Order, Shipment, Subscription

log = structlog.get_logger(__name__)

# Each with what its mail says in the least, should its templates be broken.
KINDS = {
    "order_placed": "we have your order",
    "order_paid": "it is paid",
    "order_payment_failed": "the payment did not go through",
    "order_shipped": "it is on its way",
    "order_tracking_changed": "its parcel is followed otherwise",
    "order_delivered": "it was delivered",
    "order_cancelled": "it was cancelled",
    "order_expired": "it was not paid in time and has ended",
    "order_refunded": "money was given back",
    "invoice": "your invoice",
    "credit_note": "your credit note",
}
_OVER = (Order.State.CANCELLED, Order.State.EXPIRED)  # nothing goes anywhere


def write(kind: str, order: Order, *, which: object = "", attachment: str = "", **more: Any) -> list[Message]:
    """Put the mail into the outbox, in the caller's transaction; returns it, or nothing where there is nobody
    to write to (the customer's data was erased) or it was written before.

    `which`: sets events of a kind that may come several times to an order apart, such as a parcel's number.
    `attachment`: a file that goes with it (`notifications.attachments`).
    `more` is for the templates.
    """
    if not order.email:
        return []
    happened = f"{order.subject}/{kind.removeprefix('order_')}"
    return outbox.write(
        kind=kind,
        event=f"{happened}/{which}" if which else happened,
        about=order.subject,
        recipients=[order.email],
        content=content(kind, order, more),
        attachment=attachment,
    )


def content(kind: str, order: Order, more: Mapping[str, Any]) -> Rendered:
    """The mail in the order's language; in the shop's, or at last from code alone, where a template of it is
    broken: an order must not fail for its mail."""
    for language in dict.fromkeys([language_of(order), settings.LANGUAGE_CODE]):
        try:
            return messages.render(kind, context(order, more, language), language=language)
        except DatabaseError:  # the transaction is lost, and whoever began it may begin again
            raise
        except Exception:
            log.exception("the mail of an order could not be rendered", kind=kind, language=language)
    return _plain(kind, order)


def language_of(asked: Order | Subscription) -> str:
    """The one of settings.MAIL_LANGUAGES that whoever ordered, or asked for it, reads, or else the shop's."""
    wanted = asked.language.lower()
    names = {name.lower(): name for name in settings.MAIL_LANGUAGES}
    return names.get(wanted) or names.get(wanted.partition("-")[0]) or settings.LANGUAGE_CODE


def order_page(order: Order) -> str:
    """The order's own page at the shop, absolute; its address lets its reader see the order."""
    return settings.SITE_URL + reverse("shop:order", args=[order.token])


def tracking_address(parcel: Shipment) -> str:
    """Where to follow the parcel; blank where that is no address of the web."""
    address: str = parcel.tracking_url
    return address if address.startswith(("https://", "http://")) else ""


def context(order: Order, more: Mapping[str, Any], language: str) -> dict[str, Any]:
    """What the templates are filled with."""
    over = order.state in _OVER
    return {
        "order": order,
        "number": str(order.number),  # a name, not a quantity: without thousands separators
        "lines": list(order.lines.all()),
        "address": [] if over else _address(order.shipping_address, language),
        "bill_to": [] if over else _address(order.bill_to, language),
        "order_url": order_page(order),
        **more,
    }


def _address(written: Mapping[str, str], language: str) -> list[str]:
    """The address's lines, as they stand on a parcel."""
    with translation.override(language):
        country = countries.name_of(written.get("country", ""))
    town = " ".join(filter(None, (written.get("postcode"), written.get("city"))))
    parts = [written.get(name, "") for name in ("name", "company", "line1", "line2")]
    return [part for part in (*parts, town, written.get("region", ""), country) if part]


def _plain(kind: str, order: Order) -> Rendered:
    subject = f"Order {order.number}: {KINDS[kind]}"
    return Rendered(messages.one_line(subject), f"{subject}\n\n{order_page(order)}\n", "")
