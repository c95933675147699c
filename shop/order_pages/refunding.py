"""Give money back, and take pieces back into stock with it: the money moves first."""

from __future__ import annotations

from decimal import Decimal

from django.contrib import messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse

from shop import charging, gateways
from shop.gateways import UnknownMethod
from shop.models import Order, Payment, Refund
from shop.order_pages.forms import RefundForm
from shop.order_pages.steps import REFUSALS, money, page, to_order
from shop.paying import TAKEN


def refundable(order: Order) -> QuerySet[Payment]:
    """Payments of which something can still be given back; what came twice goes first."""
    taken = order.payments.filter(state__in=TAKEN, amount__gt=F("refund_reserved"))
    return taken.select_related("order").order_by("-state", "created_at")


def refund(request: HttpRequest, order: Order) -> HttpResponse:
    """Ask how much and which pieces; have the provider give it back."""
    payments = list(refundable(order))
    # Sent a second time, nothing may be left of its payment: it is found, and nothing is done twice.
    choices = order.payments.filter(state__in=TAKEN).select_related("order")
    lines = list(order.lines.all())
    form = RefundForm(request.POST or None, lines=lines, payments=payments, choices=choices)
    error = ""
    if request.method == "POST" and form.is_valid():
        try:
            _tell(request, order, _refunded(request, form))
        except REFUSALS as refusal:
            error = str(refusal)
        else:
            return to_order(order)
    elif request.method != "POST" and not payments:
        messages.info(request, f"Nothing of {order} is left to be given back.")
        return to_order(order)
    title, status = f"Refund order {order.number}", 422 if request.method == "POST" else 200
    left = sum((one.amount - one.refund_reserved for one in payments), Decimal(0))
    return page(
        request, "refund.html", order=order, title=title, status=status, form=form, error=error,
        choose=len(payments) > 1,
        left=money(left, order),
        by_hand=any(_is_by_hand(payment) for payment in payments),
    )  # fmt: skip


def _is_by_hand(payment: Payment) -> bool:
    """Whether people move its money, so that saying it was given back is all that happens here."""
    try:
        return gateways.named(payment.gateway).by_hand
    except UnknownMethod:
        return False


def _refunded(request: HttpRequest, form: RefundForm) -> Refund:
    said = form.cleaned_data
    return charging.refund(
        payment=said["payment"],
        amount=said["amount"],
        key=said["key"],
        restock=form.pieces,
        reason=said["reason"],
        by=request.user.get_username(),
    )


def _tell(request: HttpRequest, order: Order, refund: Refund) -> None:
    amount = money(refund.amount, order)
    if refund.state == Refund.State.DONE:
        messages.success(request, f"{amount} of {order} was given back.")
    elif refund.state == Refund.State.FAILED:
        reason = refund.error or "The provider did not say why."
        messages.error(request, f"{amount} of {order} could not be given back: {reason}")
    else:
        text = f"The refund of {amount} is under way: the provider has not answered yet. It ends by itself."
        messages.warning(request, text)
