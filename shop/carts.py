"""Carts: put in, take out, look what became of it, merge at login."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from shop import subscriptions
from shop.models import MAX_QUANTITY, Cart, CartLine, Product
from shop.problems import Code, Problem, Refused, of_line, of_quantity

MAX_LINES = 200  # of a cart: so many locks and lines an order may take

PURGED_AT_ONCE = 1000  # carts


def new_key() -> str:
    """What a session knows its cart by."""
    return secrets.token_urlsafe(32)


def of(*, customer: User | None = None, key: str | None = None) -> Cart:
    """The cart of the customer, or else of the session with this key; made where there is none."""
    owner = {"customer": customer} if customer else {"key": key}
    return Cart.objects.get_or_create(**owner)[0]


@transaction.atomic
def put(*, cart: Cart, product: Product, quantity: int) -> CartLine:
    """Have so many pieces of the product in the cart, whatever was there; raises Refused.

    More than are in stock may be put in: whether they can be had is seen when the order is placed.
    """
    if problem := of_quantity(quantity, name=product.name, sku=product.sku):
        raise Refused([problem])
    _locked(cart)
    told = {"sku": product.sku, "name": product.name, "price": product.price, "quantity": quantity}
    line, is_new = CartLine.objects.update_or_create(cart=cart, product=product, defaults=told)
    if is_new and cart.lines.count() > MAX_LINES:
        message = _("A cart holds %(most)d different products. Order these first.") % {"most": MAX_LINES}
        raise Refused([Problem(Code.TOO_MANY_LINES, message, product.sku)])
    return line


def add(*, cart: Cart, product: Product, quantity: int = 1) -> CartLine:
    """Put in so many more pieces; raises Refused."""
    if problem := of_quantity(quantity, name=product.name, sku=product.sku):
        raise Refused([problem])
    with transaction.atomic():
        _locked(cart)
        there = cart.lines.filter(product=product).values_list("quantity", flat=True).first() or 0
        return put(cart=cart, product=product, quantity=there + quantity)


def take_out(*, cart: Cart, product_id: UUID) -> None:
    """Take a product out, which may be deleted by now."""
    cart.lines.filter(product_id=product_id).delete()


def change_quantity(*, cart: Cart, line: CartLine, quantity: int) -> None:
    """Have so many pieces of a line that is there; its price stays the one that the customer was told, so a
    new one is still told of. Raises Refused."""
    if problem := of_quantity(quantity, name=line.name, sku=line.sku):
        raise Refused([problem])
    with transaction.atomic():
        _locked(cart)
        cart.lines.filter(pk=line.pk).update(quantity=quantity)


def products_of(lines: Iterable[CartLine]) -> dict[UUID, Product]:
    """The lines' products as they are now, with their parents, by id; deleted ones are missing."""
    wanted = [line.product_id for line in lines]
    return Product.objects.with_has_variants().select_related("parent").in_bulk(wanted)


def review(*, cart: Cart) -> list[Problem]:
    """What became of the cart's lines that the customer has to know before ordering."""
    lines = list(cart.lines.all())
    products = products_of(lines)
    return [problem for line in lines if (problem := of_line(line, products.get(line.product_id)))]


@transaction.atomic
def accept_changes(*, cart: Cart, only: UUID | None = None) -> list[Problem]:
    """Bring the cart, or `only` this product's line, to what can be had at today's prices; returns what was
    told of before, as `review`. Raises Refused."""
    _locked(cart)
    lines = list(cart.lines.filter(product_id=only) if only else cart.lines.all())
    products = products_of(lines)
    found = []
    for line in lines:
        product = products.get(line.product_id)
        if problem := of_line(line, product):
            found.append(problem)
            _adapt(line, product)
    return found


def _adapt(line: CartLine, product: Product | None) -> None:
    """Give the line as many pieces as there are and their price; drop it if it can't be had at all."""
    if product:
        line.quantity, line.price = min(line.quantity, product.stock), product.price
    if product is None or of_line(line, product):
        line.delete()
    else:
        line.save()


@transaction.atomic
def merge(*, key: str, customer: User) -> Cart:
    """Make the session's cart the customer's, at login: of a product in both, the pieces add up."""
    cart = of(customer=customer)
    guest = Cart.objects.filter(key=key).select_for_update().first()
    if guest is None:
        return cart
    _locked(cart)
    there = {line.product_id: line for line in cart.lines.all()}
    room = MAX_LINES - len(there)
    for line in guest.lines.all():
        if twin := there.get(line.product_id):
            twin.quantity = min(MAX_QUANTITY, twin.quantity + line.quantity)
            twin.save()
        elif room > 0:
            line.cart, room = cart, room - 1
            line.save()
    subscriptions.cart_merged(guest=guest, into=cart)
    guest.delete()
    return cart


@transaction.atomic
def bring_back(*, left: Cart, into: Cart) -> None:
    """Have what lies in one cart in another one, too; the first stays as it is. Of a product in both the
    larger number is taken, so twice is once. Raises Refused if the other one is gone."""
    _locked(into)
    there = {line.product_id: line for line in into.lines.all()}
    room = MAX_LINES - len(there)
    for line in left.lines.all():
        twin = there.get(line.product_id)
        if twin and twin.quantity < line.quantity:
            into.lines.filter(pk=twin.pk).update(quantity=line.quantity)
        elif not twin and room > 0:
            line.pk, line.cart, room = None, into, room - 1
            line.save(force_insert=True)


def purge(*, older_than: timedelta) -> int:
    """Remove carts of sessions that were not used for so long; returns how many.

    Some at a time, in a transaction of their own. Under its lock, a cart's time is the last one; one that is
    in use at this moment is left alone.
    """
    removed = 0
    while some := _purge_some(older_than):
        removed += some
    return removed


@transaction.atomic
def _purge_some(older_than: timedelta) -> int:
    old = Cart.objects.filter(customer=None, updated_at__lte=Now() - older_than).order_by("updated_at")
    held = old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:PURGED_AT_ONCE]
    removed = list(held)
    CartLine.objects.filter(cart__in=removed).delete()
    Cart.objects.filter(pk__in=removed).delete()
    return len(removed)


def _locked(cart: Cart) -> None:
    """Let nobody else change the cart until the transaction ends, and note that it is in use; raises Refused
    if it is gone, as by a login in another tab."""
    if not Cart.objects.filter(pk=cart.pk).update(updated_at=Now()):
        message = _("Your cart has changed in another window. Look at it, and try again.")
        raise Refused([Problem(Code.EMPTY, message)])
