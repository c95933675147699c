"""What keeps a cart from becoming an order, said so that the customer can go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from babel.numbers import format_currency
from django.conf import settings

from shop.languages import locale
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
        return Problem(Code.QUANTITY, f"{name}: a quantity of {quantity:,} is none; take 1 or more.", sku)
    if quantity > MAX_QUANTITY:
        message = f"{name}: {quantity:,} are too many at once; {MAX_QUANTITY:,} is the most."
        return Problem(Code.QUANTITY, message, sku)
    return None


def of_line(line: CartLine, product: Product | None) -> Problem | None:
    """What has become of a line since it was put into the cart, if anything that the customer must know.

    `product` is the line's product as it is now, with its parent and `has_variants`; None if there is none
    any more.
    """
    if product is None:
        return Problem(Code.GONE, f"{line.name} is no longer sold.", line.sku)
    parent = product.parent
    if not product.published or (parent and not parent.published):
        return Problem(Code.UNPUBLISHED, f"{line.name} is not for sale at the moment.", line.sku)
    if product.has_variants:
        message = f"{line.name} comes in several kinds now. Choose one on its page."
        return Problem(Code.VARIANTS, message, line.sku)
    if product.stock <= 0:
        return Problem(Code.SOLD_OUT, f"{line.name} is sold out.", line.sku, left=0)
    if product.stock < line.quantity:
        message = f"{line.name}: only {product.stock:,} left, and you have {line.quantity:,} in your cart."
        return Problem(Code.TOO_FEW, message, line.sku, left=product.stock)
    if product.price != line.price:
        now, then = amount_text(product.price), amount_text(line.price)
        message = f"{line.name} now costs {now} instead of {then}."
        return Problem(Code.REPRICED, message, line.sku, price=product.price)
    return None


def amount_text(amount: Decimal) -> str:
    """`€1,234.50`, as the reader writes it, for messages."""
    return format_currency(amount, settings.STORE_CURRENCY, locale=locale())
