"""A customer's own pages: the orders, and what is held about them. Thin: they ask and show."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shop import personal_data
from shop.models import Order

PAGE = 20  # orders


class CustomerRequest(HttpRequest):
    """A request of somebody who is logged in."""

    user: User


@require_safe
@never_cache
@login_required
def orders(request: CustomerRequest) -> HttpResponse:
    """The customer's orders, newest first, a page at a time: those before the number `?before=`."""
    mine = Order.objects.filter(customer=request.user).order_by("-number").prefetch_related("lines")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        mine = mine.filter(number__lt=int(before))
    page = list(mine[: PAGE + 1])
    shown = page[:PAGE]
    context = {"orders": shown, "before": before, "next": shown[-1].number if len(page) > PAGE else None}
    return render(request, "storefront/account.html", context)


@require_safe
@never_cache
@login_required
def data(request: CustomerRequest) -> HttpResponse:
    """What a customer may do with what is held about them."""
    mine = personal_data.subscriptions_of(personal_data.of_customer(request.user))
    context = {"is_staff": request.user.is_staff, "asked_for": mine.filter(ended_at=None, used_at=None)}
    return render(request, "storefront/account_data.html", context)


@require_POST
@never_cache
@login_required
@reauthentication_required
def download(request: CustomerRequest) -> HttpResponse:
    """All that is held, as a JSON file; asks for the password first unless that was given just now."""
    held = personal_data.export(personal_data.of_customer(request.user))
    return as_file(held)


def as_file(held: dict[str, object]) -> HttpResponse:
    """An export as a file to be saved, with the day in its name."""
    name = f"personal-data-{timezone.localdate():%Y-%m-%d}.json"
    options = {"indent": 2, "ensure_ascii": False}
    answer = JsonResponse(held, encoder=DjangoJSONEncoder, json_dumps_params=options)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@never_cache
@login_required
@reauthentication_required
def erase(request: CustomerRequest) -> HttpResponse:
    """Say what will go and what stays; then have it go. Asks for the password first, as `download`."""
    person = personal_data.of_customer(request.user)
    context: dict[str, object] = {"count": personal_data.orders_of(person).count()}
    if request.method != "POST":
        return render(request, "storefront/account_erase.html", context)
    try:
        figures = personal_data.erase(person)
    except personal_data.StillOpen as reason:
        context["refused"] = str(reason)
        return render(request, "storefront/account_erase.html", context, status=409)
    logout(request)
    return render(request, "storefront/account_erased.html", {"figures": figures})
