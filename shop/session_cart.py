"""Which cart a visitor has: a customer's own, or that of the session, which knows it by a key."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Sum
from django.http import HttpRequest

from shop import carts
from shop.models import Cart, CartLine

KEY = "cart"  # of the session; what `carts.merge` takes at login


def customer_of(request: HttpRequest) -> User | None:
    """Who is logged in."""
    return request.user if request.user.is_authenticated else None


def found(request: HttpRequest) -> Cart | None:
    """The visitor's cart, None if there is none yet, or not any more."""
    owner = _owner(request)
    return Cart.objects.filter(**owner).first() if owner else None


def opened(request: HttpRequest) -> Cart:
    """The visitor's cart, made if there is none."""
    customer = customer_of(request)
    if customer is None and KEY not in request.session:
        request.session[KEY] = carts.new_key()
    return carts.of(customer=customer, key=request.session.get(KEY))


def pieces(request: HttpRequest) -> int:
    """How many pieces are in it. Who has no session costs no query."""
    owner = {f"cart__{name}": value for name, value in _owner(request).items()}
    lines = CartLine.objects.filter(**owner) if owner else CartLine.objects.none()
    return lines.aggregate(pieces=Sum("quantity"))["pieces"] or 0


def is_forgotten(request: HttpRequest) -> bool:
    """Whether the browser names a session that there is none of any more: it has expired."""
    named = settings.SESSION_COOKIE_NAME in request.COOKIES
    return named and KEY not in request.session and request.session.session_key is None


def _owner(request: HttpRequest) -> dict[str, object]:
    if customer := customer_of(request):
        return {"customer": customer}
    key = request.session.get(KEY)
    return {"key": key} if key else {}
