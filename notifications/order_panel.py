"""What an order's page in the admin shows of mails: which went out about it, and how far each got."""

from __future__ import annotations

from django.http import HttpRequest

from notifications.models import Message
from shop import panels
from shop.models import Order
from shop.panels import Panel

_SHOWN = 100
_MEANINGS = {
    Message.State.SENT: "good",
    Message.State.UNCERTAIN: "look",
    Message.State.FAILED: "bad",
}


def connect() -> None:
    """Have orders' pages show it; called once, when Django is ready."""
    panels.register_for_orders(mails)


def mails(request: HttpRequest, order: Order) -> Panel | None:
    """The panel, for those who may see messages."""
    if not request.user.has_perm("notifications.view_message"):
        return None
    about = Message.objects.filter(about=order.subject).order_by("pk")
    shown = about.defer("text", "html", "headers")[:_SHOWN]
    mailed = [(message, _MEANINGS.get(Message.State(message.state), "rest")) for message in shown]
    return Panel("Mails", "notifications/order_panel.html", {"mailed": mailed})
