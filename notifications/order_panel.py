"""What an order's page in the admin shows of mails: which went out about it, and how far each got."""

from __future__ import annotations

from django.db.models import Prefetch
from django.http import HttpRequest

from notifications import holding, showing
from notifications.models import Message, ProviderEvent
from shop import panels
from shop.models import Order
from shop.panels import Panel

_SHOWN = 100


def connect() -> None:
    """Have orders' pages show it; called once, when Django is ready."""
    panels.register_for_orders(mails)


def mails(request: HttpRequest, order: Order) -> Panel | None:
    """The panel, for those who may see messages."""
    if not request.user.has_perm("notifications.view_message"):
        return None
    about = Message.objects.filter(about=order.subject).order_by("pk")
    bad = ProviderEvent.objects.filter(what__in=["bounced", "complained"])
    shown = about.defer("text", "html", "headers").prefetch_related(
        Prefetch("provider_events", bad, to_attr="bad_news")
    )
    mailed = [
        (message, showing.meaning_of(message), showing.state_of(message)[1]) for message in shown[:_SHOWN]
    ]
    held = holding.in_force(order.email) if order.email else []
    return Panel("Mails", "notifications/order_panel.html", {"mailed": mailed, "held": held})
