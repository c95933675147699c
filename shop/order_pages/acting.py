"""What staff do with an order, but for refunds: fulfil, deliver, cancel, note that a transfer came."""

from __future__ import annotations

from django.contrib import messages
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from shop import gateways, ordering, paying
from shop.models import Order, Payment
from shop.order_pages.forms import CancelForm, FulfilForm, ReceivedForm, TrackingForm
from shop.order_pages.steps import REFUSALS, money, page, to_order
from shop.paying import Recorded
from shop.transitions import State


def fulfil(request: HttpRequest, order: Order) -> HttpResponse:
    """Ask which pieces go into the parcel; note that it was sent."""
    form = FulfilForm(request.POST or None, lines=order.lines.all())
    error = ""
    if request.method == "POST" and form.is_valid():
        said = {name: form.cleaned_data[name] for name in ("carrier", "tracking_code", "tracking_url", "key")}
        by = request.user.get_username()
        try:
            shipment = ordering.fulfil(order=order, pieces=form.pieces, by=by, **said)
        except REFUSALS as refusal:
            error = str(refusal)
        else:
            messages.success(request, f"{shipment} of {order} was sent.")
            return to_order(order)
    elif request.method != "POST" and not form.pieces_fields():
        messages.info(request, f"Nothing of {order} is left to be sent.")
        return to_order(order)
    status = 422 if request.method == "POST" else 200
    title = f"Send order {order.number}"
    return page(request, "fulfil.html", order=order, title=title, status=status, form=form, error=error)


def tracking(request: HttpRequest, order: Order, number: int) -> HttpResponse:
    """Ask how a parcel is followed now; note it, and have the customer told."""
    shipment = order.shipments.filter(number=number).first()
    if shipment is None:
        raise Http404(f"{order} has no shipment {number}.")
    names = ("carrier", "tracking_code", "tracking_url")
    form = TrackingForm(request.POST or None, initial={name: getattr(shipment, name) for name in names})
    error = ""
    if request.method == "POST" and form.is_valid():
        said = {name: form.cleaned_data[name] for name in names}
        by = request.user.get_username()
        try:
            ordering.change_tracking(order=order, number=number, by=by, **said)
        except REFUSALS as refusal:
            error = str(refusal)
        else:
            messages.success(request, f"{shipment} of {order} is followed as you said.")
            return to_order(order)
    status = 422 if request.method == "POST" else 200
    title = f"Tracking of shipment {number}, order {order.number}"
    return page(request, "tracking.html", order=order, title=title, status=status, form=form, error=error)


def deliver(request: HttpRequest, order: Order) -> HttpResponse:
    """Note that all of it has arrived."""
    if request.method == "POST":
        try:
            ordering.deliver(order=order, by=request.user.get_username())
        except REFUSALS as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"{order} is delivered.")
    return to_order(order)


def cancel(request: HttpRequest, order: Order) -> HttpResponse:
    """Ask first, and say in numbers what will happen; then call it off."""
    form = CancelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason, by = form.cleaned_data["reason"], request.user.get_username()
        try:
            ordering.cancel(order=order, reason=reason, by=by)
        except REFUSALS as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"{order} is cancelled. What it held is in stock again.")
        return to_order(order)
    if order.state != State.PENDING and not ordering.is_free(order):
        messages.info(request, f"{order} is {order.get_state_display()}, so it can't be cancelled.")
        return to_order(order)
    pieces = sum(line.quantity for line in order.lines.all())
    title = f"Cancel order {order.number}"
    status = 422 if request.method == "POST" else 200
    return page(request, "cancel.html", order=order, title=title, status=status, form=form, pieces=pieces)


def awaited(order: Order) -> QuerySet[Payment]:
    """Transfers of the order that may come: the one that is waited for, and those that were called off, for
    customers pay what has expired, too."""
    late = Q(gateway="invoice", state=Payment.State.VOIDED)
    return order.payments.filter(Q(state=Payment.State.AWAITING) | late).select_related("order")


def received(request: HttpRequest, order: Order) -> HttpResponse:
    """Ask for the bank's reference; note that the money of a transfer is there."""
    payments = list(awaited(order).order_by("-created_at"))
    # Sent a second time, its payment is awaited no more: it is found, and nothing is done twice.
    form = ReceivedForm(
        request.POST or None,
        choices=order.payments.exclude(state=Payment.State.FAILED).exclude(gateway__in=gateways.providers()),
        initial={"payment": payments[0].pk if payments else None},
    )
    if request.method == "POST" and form.is_valid() and _received(request, order, form):
        return to_order(order)
    if not payments:
        messages.info(request, f"{order} waits for no transfer.")
        return to_order(order)
    status = 422 if request.method == "POST" else 200
    title = f"Money for order {order.number}"
    return page(
        request, "received.html", order=order, title=title, status=status, form=form, payment=payments[0]
    )


def _received(request: HttpRequest, order: Order, form: ReceivedForm) -> bool:
    """Whether it was noted, now or before; else the form says why not."""
    payment, reference = form.cleaned_data["payment"], form.cleaned_data["reference"]
    by = request.user.get_username()
    try:
        outcome = paying.mark_paid(payment=payment, provider_reference=reference, by=by)
    except IntegrityError:  # between the form's look and now
        form.add_error("reference", "Another payment has this reference already.")
        return False
    amount = money(payment.amount, order)
    if outcome == Recorded.LATE:
        text = f"{amount} came for {order}, which did not wait for it any more. Give it back."
        messages.warning(request, text)
    else:
        messages.success(request, f"{amount} came for {order}. It can be sent.")
    return True
