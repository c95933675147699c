"""A cart as pages show it: each line with its picture, what it costs now, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from shop import carts, pictures
from shop.models import Cart, CartLine, Product
from shop.pictures import Picture
from shop.problems import Code, Problem, of_line

_NOT_TO_BE_HAD = (Code.GONE, Code.UNPUBLISHED, Code.VARIANTS, Code.SOLD_OUT)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a cart. `price` is that of today, or what was said last where the product is gone;
    `address` is the slug of the page to look at, blank where there is none."""

    product_id: UUID
    sku: str
    name: str
    options: dict[str, str]
    address: str
    is_variant: bool
    picture: Picture | None
    quantity: int
    price: Decimal
    problem: Problem | None

    @property
    def amount(self) -> Decimal:
        return self.price * self.quantity

    @property
    def can_be_had(self) -> bool:
        """Whether any piece of it can be ordered."""
        return self.problem is None or self.problem.code not in _NOT_TO_BE_HAD


def rows(cart: Cart) -> list[Row]:
    """The cart's lines in the order in which they were put in. Three queries."""
    lines = list(cart.lines.all())
    products = carts.products_of(lines)
    images = pictures.first_of(_with_pictures(products.values()))
    return [_row(line, products.get(line.product_id), images) for line in lines]


def subtotal(shown: Iterable[Row]) -> Decimal:
    """What the goods come to, without those that can't be had."""
    return sum((row.amount for row in shown if row.can_be_had), Decimal("0.00"))


def _with_pictures(products: Iterable[Product]) -> set[UUID]:
    return {pk for product in products for pk in (product.pk, product.parent_id) if pk}


def _row(line: CartLine, product: Product | None, images: dict[UUID, Picture]) -> Row:
    page = product and (product.parent or product)
    is_shown = bool(product and page and product.published and page.published)
    return Row(
        product_id=line.product_id,
        sku=line.sku,
        name=line.name,
        options=product.options if product else {},
        address=page.slug if page and is_shown else "",
        is_variant=bool(product and product.parent_id),
        picture=_picture(product, images) if product else None,
        quantity=line.quantity,
        price=product.price if product else line.price,
        problem=of_line(line, product),
    )


def _picture(product: Product, images: dict[UUID, Picture]) -> Picture | None:
    """A variant without one has that of the product above it."""
    own = images.get(product.pk)
    return images.get(product.parent_id) if own is None and product.parent_id else own
