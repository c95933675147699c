"""The cart's page, and putting something into it. Without JavaScript each answer leads back to the cart; with
it, the part of the page that changed is exchanged."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shop import cart_rows, carts, session_cart, subscriptions
from shop.cart_rows import Row
from shop.models import Cart, CartLine, Product
from shop.problems import Code, Problem, Refused
from shop.subscription_forms import CART_WORDING, own_address

_LONGEST = 20  # digits of a quantity that are looked at


@never_cache
@require_safe
def cart(request: HttpRequest) -> HttpResponse:
    """What is in the cart, and what became of it meanwhile."""
    return _page(request)


@never_cache
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Put in more pieces of the product that the form names."""
    product = _sold(request.POST.get("product", ""))
    if product is None:
        message = _("This is not sold any more, so it was not put in.")
        return _not_added(request, [Problem(Code.GONE, message)])
    try:
        quantity = quantity_of(request.POST.get("quantity", ""), name=product.name, sku=product.sku)
        carts.add(cart=session_cart.opened(request), product=product, quantity=quantity)
    except Refused as refused:
        return _not_added(request, refused.problems)
    if _is_exchanged(request):
        return render(request, "storefront/added.html", {"added": product, "quantity": quantity})
    return redirect("shop:cart")


def _not_added(request: HttpRequest, problems: Any) -> HttpResponse:
    if _is_exchanged(request):
        return render(request, "storefront/added.html", {"problems": problems})
    return _page(request, problems)


@never_cache
@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Take a line out, take it as it can be had, or have other quantities; whichever button was pressed."""
    here = session_cart.found(request)
    if here is None:
        return _page(request)
    problems = _changed(here, request)
    if problems or _is_exchanged(request):
        return _page(request, problems)
    return redirect("shop:cart")


def _changed(here: Cart, request: HttpRequest) -> list[Problem]:
    """Do what the form says; returns what of it could not be done."""
    if "remove" in request.POST:
        if product_id := _id(request.POST["remove"]):
            carts.take_out(cart=here, product_id=product_id)
        return []
    if "accept" in request.POST:
        try:
            carts.accept_changes(cart=here, only=_id(request.POST["accept"]))
        except Refused as refused:
            return list(refused.problems)
        return []
    return [problem for line in here.lines.all() if (problem := _set(here, line, request))]


def _set(here: Cart, line: CartLine, request: HttpRequest) -> Problem | None:
    """Have the quantity that was typed, if it is another one than the form showed: so a form in another tab
    takes back nothing that it was not about."""
    was = request.POST.get(f"was-{line.product_id}", "")
    typed = request.POST.get(f"quantity-{line.product_id}", was)
    if typed == was:
        return None
    try:
        quantity = quantity_of(typed, name=line.name, sku=line.sku)
        carts.change_quantity(cart=here, line=line, quantity=quantity)
    except Refused as refused:
        return refused.problems[0]
    return None


def quantity_of(text: str, *, name: str, sku: str) -> int:
    """The number that was typed, whichever it is; raises Refused for what is none."""
    text = text.strip()
    try:
        return int(text if len(text) <= _LONGEST else "")
    except ValueError as error:
        message = _("%(name)s: write how many you would like as a whole number, such as 2.")
        raise Refused([Problem(Code.QUANTITY, message % {"name": name}, sku)]) from error


def _sold(text: str) -> Product | None:
    """The product with that id if it can be bought: one that has variants is sold as these only."""
    if (product_id := _id(text)) is None:
        return None
    product = Product.objects.published().select_related("parent").filter(pk=product_id).first()
    if product is None or (product.parent and not product.parent.published):
        return None
    return None if Product.objects.variants_of(product).exists() else product


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _is_exchanged(request: HttpRequest) -> bool:
    """Whether the browser exchanges a part of its page for the answer, instead of showing it."""
    return "HX-Request" in request.headers


def _page(request: HttpRequest, problems: Any = ()) -> HttpResponse:
    """The cart's page; `problems` are about what was just tried, beside those of its lines."""
    forgotten = session_cart.is_forgotten(request)
    here = session_cart.found(request)
    rows = cart_rows.rows(here) if here else []
    about = {problem.sku: problem for problem in problems}
    shown = [_shown(row, about.pop(row.sku, None), request) for row in rows]
    context = {
        "rows": shown,
        "others": list(about.values()),
        "is_ready": bool(rows) and not any(row.problem for row in rows),
        "subtotal": cart_rows.subtotal(rows),
        "is_forgotten": forgotten,
        "reminder": subscriptions.of_cart(here) if here and rows else None,
        "reminder_address": partial(own_address, request),
        "cart_wording": CART_WORDING,
    }
    return render(request, "storefront/cart.html", context)


def _shown(row: Row, told: Problem | None, request: HttpRequest) -> tuple[Row, Problem | None, str]:
    """With what stands in the field of its quantity: what was just typed, if that can't be."""
    typed = request.POST.get(f"quantity-{row.product_id}") if told else None
    return row, told, str(row.quantity) if typed is None else typed
