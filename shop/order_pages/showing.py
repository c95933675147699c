"""An order's own page: what was ordered, by whom, what it came to, and all that happened since."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from shop.models import Order, Payment, ShipmentLine
from shop.order_pages.acting import awaited
from shop.order_pages.refunding import refundable
from shop.order_pages.steps import CANCEL, FULFIL, RECEIVE, REFUND, STATE_COLOURS, page
from shop.order_pages.story import story_of
from shop.ordering import is_free
from shop.panels import panels_of_order
from shop.transitions import State

# Meanings of colours, from Unfold's names to those of the pages.
_MEANINGS = {"warning": "look", "primary": "accent", "success": "good"}


@dataclass(frozen=True, slots=True)
class Step:
    """Something that can be done with the order now; `posts` at once, without a page that asks."""

    name: str
    label: str
    main: bool = False
    danger: bool = False
    posts: bool = False

    @property
    def url_name(self) -> str:
        return f"admin:shop_order_{self.name}"


@require_safe
def order(request: HttpRequest, order: Order) -> HttpResponse:
    """All about it, to read; and what can be done."""
    lines = list(order.lines.select_related("product"))
    payments = list(order.payments.prefetch_related("refunds"))
    shipments = order.shipments.prefetch_related(
        Prefetch("lines", ShipmentLine.objects.select_related("line"))
    )
    events = list(order.events.all())
    return page(
        request,
        "order.html",
        order=order,
        title=str(order),
        meaning=_MEANINGS.get(STATE_COLOURS[State(order.state)], "rest"),
        lines=[(line, f"{line.tax_percent.normalize():f}") for line in lines],
        sums=sums_of(order),
        payments=payments,
        shipments=shipments,
        may_track=order.state in (State.PAID, State.FULFILLED) and request.user.has_perm(FULFIL),
        story=story_of(order, events, payments),
        steps=_steps(request, order, payments, unsent=any(line.outstanding for line in lines)),
        unsent=sum(line.outstanding for line in lines) if order.state == State.PAID else 0,
        owed=_owed(order, payments),
        addresses=_addresses(order),
        panels=panels_of_order(request, order),
    )


def sums_of(order: Order) -> list[tuple[str, Decimal]]:
    """What the total is made of, in the order in which people add it up."""
    tax = "Tax, included" if order.prices_include_tax else "Tax"
    parts = [("Goods", order.subtotal)]
    if order.discount:
        parts.append((f"Discount {order.discount_code}".strip(), -order.discount))
    return [*parts, (f"Delivery, {order.delivery_name}", order.delivery), (tax, order.tax)]


def _owed(order: Order, payments: list[Payment]) -> Decimal:
    """Money that came and must be given back, as `reconcile` finds it."""
    if order.state in (State.CANCELLED, State.EXPIRED):
        return order.kept
    twice = [one for one in payments if one.state == Payment.State.STRAY]
    return sum((one.amount - one.refund_reserved for one in twice), Decimal(0))


def _steps(request: HttpRequest, order: Order, payments: list[Payment], *, unsent: bool) -> list[Step]:
    may = request.user.has_perm
    steps = []
    if order.state == State.PAID and unsent and may(FULFIL):
        steps.append(Step("fulfil", "Send…", main=True))
    if order.state == State.FULFILLED and may(FULFIL):
        steps.append(Step("deliver", "Mark delivered", main=True, posts=True))
    if may(RECEIVE) and awaited(order).exists():
        steps.append(Step("received", "Money has come…", main=order.state == State.PENDING))
    if may(CANCEL) and (order.state == State.PENDING or is_free(order)):
        steps.append(Step("cancel", "Cancel…", danger=True))
    if may(REFUND) and refundable(order).exists():
        steps.append(Step("refund", "Refund…", danger=True))
    return steps


def _addresses(order: Order) -> list[tuple[str, list[str]]]:
    """Each address that there is, with its lines as they stand on a parcel."""
    shown = [("Delivery to", order.shipping_address), ("Invoice to", order.bill_to)]
    return [(title, _written(address)) for title, address in shown if address]


def _written(address: dict[str, str]) -> list[str]:
    town = " ".join(filter(None, (address.get("postcode"), address.get("city"))))
    parts = [address.get(name, "") for name in ("name", "company", "line1", "line2")]
    parts += [town, address.get("region", ""), address.get("country", ""), address.get("phone", "")]
    return [part for part in parts if part]
