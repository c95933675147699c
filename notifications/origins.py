"""From a message to the page in the admin of what it is about."""

from __future__ import annotations

from django.urls import reverse

from notifications.models import Message
from shop.models import Order


def address_of(message: Message) -> str:
    """The page's address; blank where there is none."""
    subject, _, number = message.about.partition("/")
    if not (number.isascii() and number.isdecimal()):
        return ""
    if subject == "subscription":
        return reverse("admin:shop_subscription_change", args=[number])
    if subject == "report":
        return reverse("admin:reports_reportrun_change", args=[number])
    if subject == "import":
        return reverse("admin:imports_importrun_change", args=[number])
    order = order_of(message)
    return reverse("admin:shop_order_change", args=[order.pk]) if order else ""


def order_of(message: Message) -> Order | None:
    """The order that it is about, if it is about one."""
    subject, _, number = message.about.partition("/")
    if subject != "order" or not (number.isascii() and number.isdecimal()):
        return None
    return Order.objects.filter(number=int(number)).first()
