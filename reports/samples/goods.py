"""Products of the samples' own, so that nothing real is sold by them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from random import Random

from shop import categories
from shop.models import Product

PREFIX = "SAMPLE-"
_TREE = {
    "Home > Kitchen > Pots": ("Saucepan", "Stew pot", "Steamer"),
    "Home > Kitchen > Knives": ("Bread knife", "Paring knife", "Cleaver"),
    "Home > Table > Cups": ("Mug", "Espresso cup", "Tea bowl"),
    "Home > Table > Plates": ("Dinner plate", "Dessert plate", "Platter"),
    "Home > Light": ("Desk lamp", "Lantern", "Reading light"),
    "Garden > Tools": ("Hand rake", "Trowel", "Secateurs"),
    "Garden > Plants > Pots": ("Terracotta pot", "Balcony box", "Planter"),
    "Office > Paper": ("Notebook", "Drawing pad", "Envelopes"),
    "Office > Writing": ("Fountain pen", "Pencil set", "Marker"),
    "Textiles > Bath": ("Towel", "Bath mat", "Robe"),
    "Textiles > Bed": ("Duvet cover", "Pillowcase", "Blanket"),
    "Outdoors": ("Flask", "Rucksack", "Head torch"),
}
_KINDS = ("Plain", "Blue", "Oak", "Copper", "Linen", "Grand", "Small", "Striped", "Recycled", "Classic")
_NAMES = len(_KINDS) * sum(map(len, _TREE.values()))  # different ones; then they get numbers


@dataclass(frozen=True, slots=True)
class Good:
    """What lines are made of; `cents` is its price, `weight` how much it is liked."""

    id: str
    sku: str
    name: str
    category: str
    cents: int
    weight: float


def goods(chance: Random, *, count: int, since: datetime) -> list[Good]:
    """At least so many products, made where they are missing, as if they had been there since then."""
    _make(chance, count=count, since=since)
    stored = Product.objects.filter(sku__startswith=PREFIX).select_related("category").order_by("sku")
    return [_good(product, number) for number, product in enumerate(stored)]


def _good(product: Product, number: int) -> Good:
    category = product.category.full_name if product.category else ""
    liked = 1 / (1 + number % 60) ** 0.7
    return Good(str(product.pk), product.sku, product.name, category, int(product.price * 100), liked)


def _make(chance: Random, *, count: int, since: datetime) -> None:
    have = set(Product.objects.filter(sku__startswith=PREFIX).values_list("sku", flat=True))
    found = categories.ensure([categories.split_path(path) for path in _TREE])
    made = [_product(number, chance, found) for number in range(count)]
    Product.objects.bulk_create(product for product in made if product.sku not in have)
    Product.objects.filter(sku__startswith=PREFIX).exclude(sku__in=have).update(created_at=since)


def _product(number: int, chance: Random, found: dict[str, int]) -> Product:
    path, nouns = list(_TREE.items())[number % len(_TREE)]
    noun = nouns[number // len(_TREE) % len(nouns)]
    kind = _KINDS[number // (len(_TREE) * len(nouns)) % len(_KINDS)]
    sku, cents = f"{PREFIX}{number + 1:04}", chance.randrange(350, 12_000, 5)
    return Product(
        sku=sku,
        slug=sku.lower(),
        name=f"{kind} {noun.lower()}" + (f" {number // _NAMES + 1}" if number >= _NAMES else ""),
        price=Decimal(cents) / 100,
        category_id=found[categories.key_of(categories.split_path(path))],
    )
