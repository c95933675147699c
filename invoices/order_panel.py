"""What an order's page in the admin shows of invoices."""

from __future__ import annotations

from django.http import HttpRequest

from shop import panels
from shop.models import Order
from shop.panels import Panel


def connect() -> None:
    """Have orders' pages show it; called once, when Django is ready."""
    panels.register_for_orders(documents)


def documents(request: HttpRequest, order: Order) -> Panel | None:
    """The panel, for those who may see invoices."""
    if not request.user.has_perm("invoices.view_document"):
        return None
    context = {"documents": order.documents.order_by("pk"), "order": order}
    return Panel("Invoices", "invoices/order_panel.html", context)
