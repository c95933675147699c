"""What a product's page shows: the product, its pictures and its variants, and which of them is chosen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.utils.translation import gettext

from shop import pictures
from shop.models import Product
from shop.pictures import Picture


@dataclass(frozen=True, slots=True)
class Sold:
    """Something that can be bought: a product, or one of its variants."""

    id: UUID
    sku: str
    name: str
    price: Decimal
    compare_at_price: Decimal | None
    options: dict[str, str]
    images: list[Picture]

    @property
    def struck(self) -> Decimal | None:
        """What it cost before, where that is more than it costs now."""
        return self.compare_at_price if (self.compare_at_price or 0) > self.price else None


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A product with its published variants. `has_variants`: it is sold as these only, published or not."""

    product: Sold
    slug: str
    description: str
    category: int | None
    has_variants: bool
    variants: list[Sold] = field(default_factory=list)

    @property
    def lowest(self) -> Decimal:
        return min((variant.price for variant in self.variants), default=self.product.price)

    @property
    def varies(self) -> bool:
        return any(variant.price != self.lowest for variant in self.variants)

    def variant(self, sku: str) -> Sold | None:
        """The variant with this SKU, or none."""
        return next((variant for variant in self.variants if variant.sku == sku), None)

    def images_with(self, chosen: Sold | None) -> list[Picture]:
        """Those of the chosen variant first."""
        own = chosen.images if chosen else []
        return [*own, *(image for image in self.product.images if image not in own)]


class Choice(NamedTuple):
    """A value of an option, and the variant that choosing it leads to."""

    value: str
    sku: str
    chosen: bool
    fits: bool  # with what is chosen of the other options


class Option(NamedTuple):
    """What sets variants apart: Colour, with red and blue."""

    name: str
    choices: list[Choice]


def read(slug: str) -> ProductPage | None:
    """The page of a published product, None where there is none. Three queries."""
    product = Product.objects.published().top_level().filter(slug=slug).first()
    if product is None:
        return None
    every = list(Product.objects.variants_of(product).order_by("sku"))
    published = [variant for variant in every if variant.published]
    images = pictures.of([product.pk, *(variant.pk for variant in published)])
    return ProductPage(
        product=_sold(product, images),
        slug=slug,
        description=product.description,
        category=product.category_id,
        has_variants=bool(every),
        variants=[_sold(variant, images) for variant in published],
    )


def _sold(product: Product, images: dict[UUID, list[Picture]]) -> Sold:
    return Sold(
        product.pk,
        product.sku,
        product.name,
        product.price,
        product.compare_at_price,
        {str(name): str(value) for name, value in product.options.items()},
        images.get(product.pk, []),
    )


def whose_variant(slug: str) -> tuple[str, str] | None:
    """The slug of the product, and the SKU, where `slug` is a published variant's; else None."""
    variants = Product.objects.published().variants().filter(slug=slug, parent__published=True)
    return variants.values_list("parent__slug", "sku").first()


def stock_of(page: ProductPage) -> dict[UUID, int]:
    """Pieces left of all that the page sells. Asked anew for each page: stock is never kept."""
    ids = [variant.id for variant in page.variants] or [page.product.id]
    return dict(Product.objects.filter(pk__in=ids).values_list("pk", "stock"))


def options_of(variants: Iterable[Sold], chosen: Sold | None) -> list[Option]:
    """The options with their values, each leading to the variant that is most like the chosen one."""
    own = {variant.sku: _options(variant) for variant in variants}
    taken = own.get(chosen.sku, {}) if chosen else {}
    names = dict.fromkeys(name for options in own.values() for name in options)
    return [Option(name, _choices(name, own, taken)) for name in names]


def _options(variant: Sold) -> dict[str, str]:
    """What sets it apart; its name where it does not say."""
    return variant.options or {gettext("Variant"): variant.name}


def _choices(name: str, own: dict[str, dict[str, str]], taken: dict[str, str]) -> list[Choice]:
    """One for each value, in the order in which the variants have them."""
    best: dict[str, tuple[int, str]] = {}
    for sku, options in own.items():
        if name in options:
            agreeing = sum(options.get(other) == value for other, value in taken.items() if other != name)
            if options[name] not in best or agreeing > best[options[name]][0]:
                best[options[name]] = (agreeing, sku)
    others = len(taken.keys() - {name})
    return [
        Choice(value, sku, taken.get(name) == value, agreeing == others)
        for value, (agreeing, sku) in best.items()
    ]
