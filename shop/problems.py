"""What keeps a cart from becoming an order, said so that the customer can go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from babel.numbers import format_currency
from django.conf import settings
from django.utils.translation import gettext as _

from shop.languages import locale, number_text
from shop.models import MAX_QUANTITY, CartLine, Product


class Code(StrEnum):
    """What is wrong; pages may say it in words of their own."""

    EMPTY = "empty"
    TOO_MANY_LINES = "too_many_lines"
    QUANTITY = "quantity"
    GONE = "gone"
    UNPUBLISHED = "unpublished"
    VARIANTS = "variants"
    REPRICED = "repriced"
    SOLD_OUT = "sold_out"
    TOO_FEW = "too_few"
    DELIVERY = "delivery"
    DISCOUNT = "discount"
    TOTAL = "total"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Problem:
    """One of them. `sku` is blank where it is about no line; `left` is how many pieces could be had, `price`
    what a piece, or the order, costs now."""

    code: Code
    message: str
    sku: str = ""
    left: int | None = None
    price: Decimal | None = None


class Refused(Exception):  # noqa: N818 - an outcome, not a fault
    """Nothing was done, for these reasons."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


def of_quantity(quantity: int, *, name: str, sku: str) -> Problem | None:
    """Why nobody can order so many pieces of anything, if so."""
    if quantity < 1:
        said = _("%(name)s: a quantity of %(quantity)s is none; take 1 or more.")
        return Problem(Code.QUANTITY, said % {"name": name, "quantity": number_text(quantity)}, sku)
    if quantity > MAX_QUANTITY:
        said = _("%(name)s: %(quantity)s are too many at once; %(most)s is the most.")
        figures = {"quantity": number_text(quantity), "most": number_text(MAX_QUANTITY)}
        return Problem(Code.QUANTITY, said % {"name": name, **figures}, sku)
    return None


def of_line(line: CartLine, product: Product | None) -> Problem | None:
    """What has become of a line since it was put into the cart, if anything that the customer must know.

    `product` is the line's product as it is now, with its parent and `has_variants`; None if there is none
    any more.
    """
    name = {"name": line.name}
    if product is None:
        return Problem(Code.GONE, _("%(name)s is no longer sold.") % name, line.sku)
    parent = product.parent
    if not product.published or (parent and not parent.published):
        return Problem(Code.UNPUBLISHED, _("%(name)s is not for sale at the moment.") % name, line.sku)
    if product.has_variants:
        message = _("%(name)s comes in several kinds now. Choose one on its page.") % name
        return Problem(Code.VARIANTS, message, line.sku)
    if product.stock <= 0:
        return Problem(Code.SOLD_OUT, _("%(name)s is sold out.") % name, line.sku, left=0)
    if product.stock < line.quantity:
        said = _("%(name)s: only %(left)s left, and you have %(wanted)s in your cart.")
        figures = {"left": number_text(product.stock), "wanted": number_text(line.quantity)}
        return Problem(Code.TOO_FEW, said % (name | figures), line.sku, left=product.stock)
    if product.price != line.price:
        said = _("%(name)s now costs %(now)s instead of %(then)s.")
        amounts = {"now": amount_text(product.price), "then": amount_text(line.price)}
        return Problem(Code.REPRICED, said % (name | amounts), line.sku, price=product.price)
    return None


def amount_text(amount: Decimal) -> str:
    """`€1,234.50`, as the reader writes it, for messages."""
    return format_currency(amount, settings.STORE_CURRENCY, locale=locale())
