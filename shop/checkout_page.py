"""The checkout: one page that says what it will cost, places the order and has it paid.

Its buttons all send the same form: `update` works out the totals anew, `accept` takes the cart as it can be
had, and without either it is ordered. What is refused comes back with all that was typed.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shop import cart_rows, carts, charging, countries, ordering, session_cart
from shop.checkout_form import CheckoutForm
from shop.models import Cart, DeliveryMethod, Order, TaxRate
from shop.payment_answers import begun
from shop.placing import KeyConflict
from shop.problems import Code, Problem, Refused
from shop.quoting import quote

_PRICED_BY = ("country", "region", "delivery", "discount", "email")


@never_cache
@require_http_methods(["GET", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """Show the checkout, keep it up to date, and order."""
    here = session_cart.found(request)
    if here is None:
        return _nothing_to_order(request)
    if request.method == "GET":
        methods = list(DeliveryMethod.objects.filter(active=True))
        form = _form(methods, initial=_first_words(request, methods))
        return _page(request, here, form, methods)
    if "accept" in request.POST:
        with suppress(Refused):  # the cart is gone: the page says so
            carts.accept_changes(cart=here)
    if "accept" in request.POST or "update" in request.POST:
        return _again(request, here)
    return _ordered(request, here)


def _form(methods: Sequence[DeliveryMethod], data: Any = None, **more: Any) -> CheckoutForm:
    payments = [(method.code, method.name) for method in charging.methods()]
    offered, every = countries.offered(methods), countries.every()
    return CheckoutForm(data, countries=offered, every_country=every, payments=payments, **more)


def _first_words(request: HttpRequest, methods: Sequence[DeliveryMethod]) -> dict[str, Any]:
    """What the form begins with: a customer's last order, and where the browser seems to be."""
    offered = countries.offered(methods)
    known: dict[str, Any] = {"country": countries.likely(request, offered)}
    if customer := session_cart.customer_of(request):
        known |= {"email": customer.email, "name": customer.get_full_name()}
        last = Order.objects.filter(customer=customer, erased_at=None).first()
        known |= _said_before(last) if last else {}
    return known


def _said_before(last: Order) -> dict[str, Any]:
    """What a customer's last order says: addresses, and whether there were two."""
    shipping, billing = last.shipping_address, last.billing_address
    known = {"email": last.email, **shipping}
    if billing and billing != shipping:
        known |= {"billing": "other", **{f"billing-{name}": said for name, said in billing.items()}}
    return known


def _again(request: HttpRequest, here: Cart) -> HttpResponse:
    """The page with the totals of what is typed so far. Fields that are still empty are no mistake yet."""
    methods = list(DeliveryMethod.objects.filter(active=True))
    typed = _form(methods, request.POST)
    typed.is_valid()
    form = _form(methods, initial=request.POST.dict())
    return _page(request, here, form, methods, known=typed.cleaned_data)


def _ordered(request: HttpRequest, here: Cart) -> HttpResponse:
    """Place the order and have it paid. The same form sent again leads to the same order."""
    methods = list(DeliveryMethod.objects.filter(active=True))
    form = _form(methods, request.POST)
    if not form.is_valid():
        form.mark_wrong()
        return _page(request, here, form, methods, known=form.cleaned_data)
    said, customer = form.cleaned_data, session_cart.customer_of(request)
    try:
        placed = ordering.place(cart=here, customer=customer, key=said["key"], checkout=form.checkout())
    except Refused as refused:
        return _page(request, here, form, methods, known=said, problems=refused.problems)
    except KeyConflict as conflict:
        return render(request, "storefront/conflict.html", {"message": str(conflict)}, status=409)
    order = Order.objects.get(pk=placed.order_id)
    key = f"{said['key']}-first"
    try:
        return begun(order, method=said["payment"], key=key, details=request.POST.dict(), request=request)
    except KeyConflict:  # they came back to pay otherwise: where the order is, they can
        return redirect("shop:order", order.token)


def _page(
    request: HttpRequest,
    here: Cart,
    form: CheckoutForm,
    methods: Sequence[DeliveryMethod],
    *,
    known: Mapping[str, Any] | None = None,
    problems: Sequence[Problem] = (),
) -> HttpResponse:
    """The page; `known` is what is typed, as far as it can be understood."""
    rows = cart_rows.rows(here)
    if not rows:
        return _nothing_to_order(request, problems)
    known = form.initial if known is None else known
    now = quote(rows, methods=methods, **{name: known.get(name) or "" for name in _PRICED_BY})
    payments = charging.methods()
    chosen = form["payment"].value()
    every = (*problems, *now.problems)
    about = [problem.message for problem in every if problem.code != Code.DISCOUNT and not problem.sku]
    context = {
        "form": form,
        "quote": now,
        "country": countries.name_of(known.get("country") or ""),
        "payments": payments,
        "chosen_payment": chosen or (payments[0].code if payments else ""),
        "about": list(dict.fromkeys([*about, *form.about_page])),
        "about_code": next((problem.message for problem in every if problem.code == Code.DISCOUNT), ""),
        "regions": TaxRate.objects.exclude(region=""),
        "key": ("key" not in form.errors and form["key"].value()) or secrets.token_urlsafe(24),
    }
    return render(request, "storefront/checkout.html", context)


def _nothing_to_order(request: HttpRequest, problems: Sequence[Problem] = ()) -> HttpResponse:
    """What to say where there is no cart, or nothing in it. A form that was sent had something, so then the
    session is over, unless another tab has ordered it."""
    context = {
        "is_forgotten": session_cart.is_forgotten(request)
        or (request.method == "POST" and session_cart.found(request) is None),
        "others": [problem for problem in problems if problem.code != Code.EMPTY],
    }
    return render(request, "storefront/cart.html", context)
