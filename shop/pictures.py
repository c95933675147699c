"""The pictures of products, as pages show them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from shop.models import ProductImage


class Picture(NamedTuple):
    """Where it is, and what it shows; the text is blank where nobody wrote one."""

    url: str
    alt: str


def of(products: Iterable[UUID]) -> dict[UUID, list[Picture]]:
    """All pictures of these products, in their order. One query."""
    found: dict[UUID, list[Picture]] = defaultdict(list)
    for image in ProductImage.objects.filter(product__in=list(products)):
        found[image.product_id].append(_picture(image))
    return dict(found)


def first_of(products: Iterable[UUID]) -> dict[UUID, Picture]:
    """The first picture of each product that has one. One query."""
    images = ProductImage.objects.filter(product__in=list(products)).order_by("product_id", "position", "pk")
    return {image.product_id: _picture(image) for image in images.distinct("product_id")}


def _picture(image: ProductImage) -> Picture:
    return Picture(image.file.url if image.file else image.source_url, image.alt)
