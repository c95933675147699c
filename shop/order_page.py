"""An order's page, for whoever has its link: nobody guesses it, and the page takes care that it stays so."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shop import charging, countries, ordering, panels, pictures
from shop.charging import Outcome, Result
from shop.models import Order, Payment, Shipment
from shop.order_words import steps, words
from shop.payment_answers import begun
from shop.placing import KeyConflict
from shop.problems import Refused
from shop.transitions import NotAllowed

type View = Callable[..., HttpResponse]

_KEY = re.compile(
    r"[A-Za-z0-9_-]{1,100}"
)  # providers get it in a header: not every character can stand there
_OVER = (Order.State.CANCELLED, Order.State.EXPIRED, Order.State.REFUNDED)


def discreet(view: View) -> View:
    """Answers that no cache keeps, no search engine lists, and of which no other site learns the address."""

    @never_cache
    def answered(request: HttpRequest, token: str, **more: str) -> HttpResponse:
        response = view(request, token, **more)
        response["Referrer-Policy"] = "same-origin"  # with none at all, browsers hide where forms come from
        response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        return response

    return answered


@require_safe
@discreet
def order(request: HttpRequest, token: str) -> HttpResponse:
    """How the order stands, and what belongs to it."""
    return _page(request, found(token))


@require_POST
@discreet
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """Pay for an order that is not paid yet, by the method that was chosen; leads back to the order."""
    asked = found(token)
    method, key = request.POST.get("payment", ""), request.POST.get("key", "")
    if not _KEY.fullmatch(key):
        return redirect("shop:order", token)
    try:
        return begun(asked, method=method, key=key, details=request.POST.dict(), request=request)
    except charging.UnknownMethod as error:
        return _page(request, asked, message=str(error))
    except KeyConflict as conflict:
        context = {"message": str(conflict), "order": asked}
        return render(request, "storefront/conflict.html", context, status=409)


@require_http_methods(["GET", "HEAD", "POST"])
@discreet
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether it shall be called off, and then do that, as long as nothing is paid and nothing sent."""
    asked = found(token)
    if request.method == "POST":
        return _cancelled(request, asked)
    if not ordering.can_be_cancelled(asked):
        return redirect("shop:order", token)
    context = {"order": asked, "lines": _with_pictures(list(asked.lines.select_related("product")))}
    context["is_awaited"] = asked.payments.filter(state=Payment.State.AWAITING).exists()
    return render(request, "storefront/order_cancel.html", context)


def _cancelled(request: HttpRequest, asked: Order) -> HttpResponse:
    try:
        ordering.cancel(order=asked, by=request.user.get_username(), by_customer=True)
    except (NotAllowed, Refused):
        now = found(asked.token)
        if now.state == Order.State.PENDING:
            message = _("It was not cancelled: a payment is under way. Wait until we know what came of it.")
        else:
            message = _("It was not cancelled: it is paid, or over, by now.")
        return _page(request, now, message=message, status=409)
    return redirect("shop:order", asked.token)


def found(token: str) -> Order:
    """The order with this link. A wrong one learns nothing."""
    asked = Order.objects.filter(token=token).first()
    if asked is None:
        raise Http404
    return asked


def _page(request: HttpRequest, asked: Order, *, message: str = "", status: int = 200) -> HttpResponse:
    payment = asked.payments.last()
    outcome = charging.outcome_of(payment) if payment else None
    lines = list(asked.lines.select_related("product"))
    is_overdue = asked.expires_at <= timezone.now()
    is_partly_sent = any(line.shipped for line in lines)
    said = words(asked, outcome=outcome, is_overdue=is_overdue, is_partly_sent=is_partly_sent)
    payments = charging.methods() if _can_be_paid(asked, outcome, is_overdue) else []
    context = {
        "order": asked,
        "state": said,
        "is_behind": request.headers.get("HX-Target") == "state" and not (said.waits and payments),
        "message": message,
        "steps": [] if asked.state in _OVER else steps(asked),
        "lines": _with_pictures(lines),
        "payment": payment,
        "outcome": outcome,
        "payments": payments,
        "bank_account": settings.BANK_ACCOUNT,
        "key": secrets.token_urlsafe(24),
        "shipments": _shipments(asked),
        "papers": panels.papers_of(asked),
        "country": countries.name_of(asked.shipping_address.get("country", "")),
        "goes_somewhere": asked.state not in (Order.State.CANCELLED, Order.State.EXPIRED),
        "bill_to": asked.bill_to,
        "bill_country": countries.name_of(asked.bill_to.get("country", "")),
        **_ways_out(asked, is_overdue=is_overdue, is_partly_sent=is_partly_sent),
    }
    return render(request, "storefront/order.html", context, status=status)


def _ways_out(asked: Order, *, is_overdue: bool, is_partly_sent: bool) -> dict[str, Any]:
    """Whether the customer can call it off, or else the address of whom to ask, if that is of any use."""
    ends_anyway = asked.state == Order.State.PENDING and is_overdue
    can_be_asked_for = asked.state == Order.State.PAID and not is_partly_sent
    return {
        "can_be_cancelled": not ends_anyway and ordering.can_be_cancelled(asked),
        "write_to": settings.SHOP_EMAIL if can_be_asked_for else "",
    }


def _can_be_paid(asked: Order, outcome: Outcome | None, is_overdue: bool) -> bool:
    open_to_it = outcome is None or outcome.result in (Result.DECLINED, Result.AWAITING, Result.REDIRECT)
    return asked.state == Order.State.PENDING and open_to_it and not is_overdue


def _with_pictures(lines: list[Any]) -> list[tuple[Any, pictures.Picture | None]]:
    """The lines, each with its product's picture as it is today."""
    products = [line.product for line in lines if line.product]
    images = pictures.first_of({pk for one in products for pk in (one.pk, one.parent_id) if pk})
    return [
        (line, line.product and (images.get(line.product_id) or images.get(line.product.parent_id)))
        for line in lines
    ]


def _shipments(asked: Order) -> list[tuple[Shipment, str]]:
    """The parcels with what is in them, each with the address at which to follow it, if that is one."""
    parcels = asked.shipments.prefetch_related("lines__line")
    return [
        (parcel, parcel.tracking_url if parcel.tracking_url.startswith(("https://", "http://")) else "")
        for parcel in parcels
    ]
