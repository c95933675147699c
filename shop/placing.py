"""What placing an order is made of: what was sent, what is wrong with it, the copy that becomes the order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from shop import countries, pricing
from shop.models import (
    Cart,
    CartLine,
    CheckoutKey,
    DeliveryMethod,
    DiscountCode,
    DiscountUse,
    Order,
    OrderLine,
    Product,
)
from shop.pricing import Totals
from shop.problems import Code, Problem, Refused, amount_text, of_line


class KeyConflict(Exception):  # noqa: N818 - an outcome, not a fault
    """The key was sent before, with something else: a page answers 409."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to, as the customer wrote it; `country` is an ISO code."""

    name: str
    line1: str
    city: str
    country: str
    line2: str = ""
    postcode: str = ""
    region: str = ""
    company: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Checkout:
    """All that a customer sends with the checkout. No prices: they come from the catalogue. `expected_total`
    is what the page showed; an order that comes to something else is refused."""

    email: str
    address: Address
    delivery: str  # the code of a DeliveryMethod
    billing: Address | None = None
    discount: str = ""
    language: str = "en"
    expected_total: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """The answer to a checkout, the same however often its key is sent."""

    order_id: UUID
    number: int
    token: str
    total: Decimal
    currency: str


def body_hash(*, cart: Cart, customer: User | None, checkout: Checkout) -> str:
    """SHA-256 of what makes two checkouts the same."""
    body = {"cart": cart.pk, "customer": customer and customer.pk, **asdict(checkout)}
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


def answered(*, key: str, body: str) -> Placed | None:
    """The answer that the key got before. Of transactions with the same key, one at a time gets past here.

    Raises KeyConflict if it came with another body.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"checkout {key}"])
    before = CheckoutKey.objects.filter(key=key).first()
    if before is None:
        return None
    if before.body_hash != body:
        raise KeyConflict(_("This checkout was sent before with other details. Open the checkout again."))
    said = before.answer
    total = Decimal(said["total"])
    return Placed(UUID(said["order_id"]), said["number"], said["token"], total, said["currency"])


def answer(order: Order, *, key: str, body: str) -> Placed:
    """Keep the answer with its key."""
    placed = Placed(order.pk, order.number, order.token, order.total, order.currency)
    said = {**asdict(placed), "order_id": str(order.pk), "total": str(order.total)}
    CheckoutKey.objects.create(key=key, body_hash=body, order=order, answer=said)
    return placed


def locked_goods(cart: Cart) -> list[tuple[CartLine, Product]]:
    """The cart's lines with their products, locked in SKU order, as everybody locks them; raises Refused.

    Nobody changes price or stock of a locked product, so what is checked here holds when it is written.
    """
    # Two tabs with keys of their own: the second waits here, and finds the cart empty, or gone by a login.
    here = Cart.objects.select_for_update().filter(pk=cart.pk).first()
    lines = list(here.lines.all()) if here else []
    if not lines:
        message = _("Your cart is empty. If you have just ordered, the order is in your mail.")
        raise Refused([Problem(Code.EMPTY, message)])
    wanted = Product.objects.filter(pk__in=[line.product_id for line in lines]).order_by("sku")
    related = wanted.with_has_variants().select_related("category", "parent__category")
    locked = related.select_for_update(no_key=True, of=("self",))
    products = {product.pk: product for product in locked}
    found = [of_line(line, products.get(line.product_id)) for line in lines]
    if problems := [problem for problem in found if problem]:
        raise Refused(problems)
    goods = [(line, products[line.product_id]) for line in lines]
    return sorted(goods, key=lambda one: one[1].sku)


def delivery_for(checkout: Checkout) -> DeliveryMethod:
    """The method that was chosen; raises Refused."""
    method = DeliveryMethod.objects.filter(code=checkout.delivery, active=True).first()
    if method is None:
        message = _("This way of delivery is not offered any more. Choose another.")
        raise Refused([Problem(Code.DELIVERY, message)])
    if not method.goes_to(checkout.address.country):
        message = _("%(way)s does not go to %(country)s. Choose another way of delivery.")
        there = {"way": method.name, "country": countries.name_of(checkout.address.country)}
        raise Refused([Problem(Code.DELIVERY, message % there)])
    return method


def claimed_code(checkout: Checkout, *, goods: Decimal) -> DiscountCode | None:
    """The discount code with one use more, if one was given; raises Refused.

    The update counts and checks at once, so a code with ten uses has ten, however many try. Its row stays
    locked, so the uses by one customer can be counted after it.
    """
    if not (text := _code(checkout.discount)):
        return None
    codes = DiscountCode.objects.filter(code=text)
    if not codes.usable().update(used=F("used") + 1):
        raise Refused([_unknown(text)])
    return _suitable(codes.get(), goods=goods, email=checkout.email)


def usable_code(text: str, *, goods: Decimal, email: str) -> DiscountCode | None:
    """The discount code, if one was given, as a page may show what it takes off; nobody has used it by that.
    Raises Refused."""
    if not (text := _code(text)):
        return None
    code = DiscountCode.objects.filter(code=text).usable().first()
    if code is None:
        raise Refused([_unknown(text)])
    return _suitable(code, goods=goods, email=email)


def _suitable(code: DiscountCode, *, goods: Decimal, email: str) -> DiscountCode:
    """The code, if it is good for these goods and this customer; raises Refused."""
    if goods < code.minimum:
        message = _("%(code)s needs goods worth %(amount)s.")
        raise Refused([_discount(message % {"code": code, "amount": amount_text(code.minimum)})])
    mine = code.uses.filter(email=email.lower(), returned_at=None)
    if code.limit_per_customer is not None and mine.count() >= code.limit_per_customer:
        message = _("You have used %(code)s as often as one customer may.")
        raise Refused([_discount(message % {"code": code})])
    return code


def _code(text: str) -> str:
    """A discount code as the table has it: staff's spaces are left out there, so customers' are, too."""
    return "".join(text.split()).upper()


def _unknown(text: str) -> Problem:
    return _discount(_("The discount code %(code)s is not valid, or not any more.") % {"code": text})


def _discount(message: str) -> Problem:
    return Problem(Code.DISCOUNT, f"{message} {_('Take it out, and you can order without it.')}")


def priced(
    goods: Sequence[tuple[CartLine, Product]],
    *,
    checkout: Checkout,
    method: DeliveryMethod,
    code: DiscountCode | None,
) -> Totals:
    """What it all costs; raises Refused if that is not what the customer saw."""
    items = [pricing.Item(product.price, line.quantity) for line, product in goods]
    tax = pricing.tax_for(country=checkout.address.country, region=checkout.address.region)
    totals = pricing.totals(items, tax=tax, code=code, method=method)
    if checkout.expected_total not in (None, totals.total):
        message = _("The order now comes to %(total)s. Look at it once more before you order.")
        said = message % {"total": amount_text(totals.total)}
        raise Refused([Problem(Code.TOTAL, said, price=totals.total)])
    return totals


def stored(
    goods: Sequence[tuple[CartLine, Product]],
    *,
    customer: User | None,
    checkout: Checkout,
    method: DeliveryMethod,
    code: DiscountCode | None,
    totals: Totals,
) -> Order:
    """The order with its lines and its use of the code, as it was agreed."""
    order = Order.objects.create(
        customer=customer,
        email=checkout.email,
        language=checkout.language,
        currency=settings.STORE_CURRENCY,
        prices_include_tax=totals.included,
        shipping_address=asdict(checkout.address),
        billing_address=asdict(checkout.billing or checkout.address),
        delivery_code=method.code,
        delivery_name=method.name,
        discount_code=code.code if code else "",
        expires_at=Now() + timedelta(minutes=settings.ORDER_PAYMENT_MINUTES),
        **{name: getattr(totals, name) for name in _AMOUNTS},
    )
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            product=product,
            sku=product.sku,
            name=product.name,
            options=product.options,
            **_standing(product),
            price=product.price,
            quantity=line.quantity,
            tax_percent=totals.percent,
            **asdict(amounts),
        )
        for (line, product), amounts in zip(goods, totals.lines, strict=True)
    )
    if code:
        DiscountUse.objects.create(code=code, order=order, email=checkout.email.lower())
    return order


def _standing(product: Product) -> dict[str, str]:
    """Where a product stands in the catalogue now. A variant without a category stands in its product's."""
    above = product.parent
    category = product.category or (above and above.category)
    return {
        "category": category.full_name if category else "",
        "parent_sku": above.sku if above else "",
        "parent_name": above.name if above else "",
    }


_AMOUNTS = ("subtotal", "discount", "delivery", "delivery_tax", "net", "tax", "total")
