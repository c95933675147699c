"""What an order's pages share: who may do what, how states look, the frame, the way back, many at once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from shop.gateways import UnknownMethod
from shop.models import Order
from shop.placing import KeyConflict
from shop.problems import Refused
from shop.transitions import NotAllowed, State

# Who may do what; who may see orders has shop.view_order.
FULFIL = "shop.fulfil_order"
CANCEL = "shop.cancel_order"
REFUND = "shop.refund_order"
RECEIVE = "shop.change_payment"  # says that money is there, so goods are sent: not for everybody who packs

STATE_COLOURS = {
    # Unfold shows the words of a state only where it has an entry here.
    State.PENDING: "warning",
    State.PAID: "primary",
    State.FULFILLED: "success",
    State.DELIVERED: "success",
    State.CANCELLED: "",
    State.EXPIRED: "",
    State.REFUNDED: "",
}

# Nothing was done, and the message says why, for people.
REFUSALS = (NotAllowed, KeyConflict, Refused, UnknownMethod)


def new_key() -> str:
    """A key for a form: sent twice, as by a double click, it is one shipment or one refund."""
    return secrets.token_urlsafe(18)


def money(amount: Decimal, order: Order) -> str:
    """`1,234.50 EUR`, in the order's own currency."""
    return f"{amount:,.2f} {order.currency}"


def page(
    request: HttpRequest, template: str, *, order: Order, title: str, status: int = 200, **context: Any
) -> HttpResponse:
    """A page of an order inside the admin's frame; `title` stands in the header and in the browser's tab."""
    frame = admin.site.each_context(request)
    shown = {**frame, "order": order, "title": title, **context}
    return TemplateResponse(request, f"shop/orders/{template}", shown, status=status)


def to_order(order: Order) -> HttpResponseRedirect:
    """Go to the order's own page."""
    return HttpResponseRedirect(reverse("admin:shop_order_change", args=[order.pk]))


@dataclass(slots=True)
class Done:
    """What became of several orders: the numbers of those it was done to, and why not to the others."""

    done: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def in_bulk(orders: Iterable[Order], do: Callable[[Order], object]) -> Done:
    """Do it to each order, each in a transaction of its own: one that can't be done holds up no other."""
    outcome = Done()
    for order in orders:
        try:
            do(order)
        except REFUSALS as refusal:
            outcome.refused.append(said(order, refusal))
        else:
            outcome.done.append(order.number)
    return outcome


def said(order: Order, refusal: Exception) -> str:
    """The refusal's words, with the order's name where they lack it."""
    text = str(refusal)
    return text if str(order) in text else f"{order}: {text}"
