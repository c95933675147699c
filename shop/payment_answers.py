"""Where a customer goes after trying to pay: to the order's page, or first to the provider's."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from shop import charging
from shop.models import Order
from shop.problems import Refused
from shop.transitions import NotAllowed


def begun(
    order: Order, *, method: str, key: str, details: Mapping[str, str], request: HttpRequest
) -> HttpResponse:
    """Have a pending order paid, and lead on; the order's page tells what came of it.

    Raises KeyConflict and UnknownMethod.
    """
    there = redirect("shop:order", order.token)
    if order.state != Order.State.PENDING:  # it costs nothing, or was paid meanwhile
        return there
    try:
        outcome = charging.pay(order=order, method=method, key=key, details=details)
    except (NotAllowed, Refused):  # another tab pays, it has just expired, or nobody gets through: seen there
        return there
    if outcome.result == charging.Result.REDIRECT:
        return _leave(request, order, outcome.url)
    return there


def _leave(request: HttpRequest, order: Order, url: str) -> HttpResponse:
    """A page that leads to the provider. No redirect: the policy lets forms lead to our own pages only."""
    response = render(request, "storefront/leaving.html", {"order": order, "url": url})
    response["Refresh"] = f"0; url={url}"
    response["Cache-Control"] = "no-store"
    return response
