"""Lists of products: filtered, sorted, and read page after page by a cursor.

A cursor says which product was the last one, and never how many there were: so any page costs what the first
one costs, and products that come in meanwhile shift nothing.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from shop import pictures, search
from shop.models import Product, SearchDocument
from shop.search import Bounds

PAGE = 24  # divides by 2, 3 and 4, so that rows of cards are full


class Sort(models.TextChoices):
    """In which order products are listed."""

    RELEVANCE = "relevance", _("Best match")
    NEWEST = "newest", _("Newest")
    CHEAPEST = "price", _("Price, low to high")
    DEAREST = "-price", _("Price, high to low")
    NAME = "name", _("Name")


# The column each order goes by, before the key, and whether it goes down.
_ORDERS = {
    Sort.RELEVANCE: ("rank", True),
    Sort.NEWEST: (None, True),
    Sort.CHEAPEST: ("price", False),
    Sort.DEAREST: ("price", True),
    Sort.NAME: ("sort_name", False),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is asked for; `words` are as `search.words_of` has them, `categories` their ids."""

    words: str = ""
    categories: tuple[int, ...] | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None
    in_stock: bool = False
    sort: Sort = Sort.NEWEST


@dataclass(frozen=True, slots=True)
class Card:
    """A product in a list. `price` is what it costs at least; stock is asked for separately."""

    id: UUID
    slug: str
    name: str
    price: Decimal
    highest_price: Decimal
    compare_at_price: Decimal | None
    image: pictures.Picture | None

    @property
    def varies(self) -> bool:
        """Whether its variants cost different amounts."""
        return self.highest_price > self.price

    @property
    def struck(self) -> Decimal | None:
        """What it cost before, where that is more than it costs now."""
        before = self.compare_at_price
        return before if before and not self.varies and before > self.price else None


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list. `alike`: next to nothing had the words, so names like them are in it. `after` leads
    to the next page; blank on the last."""

    cards: list[Card]
    alike: bool
    after: str


def _price(value: Any) -> Decimal:
    """Raises ValueError or ArithmeticError for what no price can be, such as NaN."""
    price = Decimal(value)
    if not 0 <= price < _NO_PRICE:
        raise ValueError(value)
    return price


def _text(value: Any) -> str:
    """Raises ValueError for what no column of text holds: NUL, and half a pair of UTF-16."""
    text = str(value)
    if b"\0" in text.encode():
        raise ValueError(value)
    return text


_NO_PRICE = Decimal(10) ** 10  # the column ends below it
_KINDS: dict[str, Callable[[Any], Any]] = {"price": _price, "sort_name": _text, "rank": float}


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the pages of a list have in common: its order, whether names that are alike are in it, and which
    products are ranked, if not all are."""

    sort: Sort
    alike: bool = False
    bounds: Bounds | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page begins: behind a product, in a list of this kind."""

    kind: _Kind
    value: Any
    id: UUID

    @property
    def text(self) -> str:
        kind, bounds = self.kind, self.kind.bounds
        value = str(self.value) if isinstance(self.value, Decimal) else self.value
        parts = [kind.sort.value, int(kind.alike), value, self.id.hex]
        parts += [bounds.named.hex, bounds.anywhere.hex] if bounds else []
        return urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, sort: Sort) -> _Place | None:
        """None for what is no cursor, or one of another order: the list then begins at its beginning."""
        try:
            order, alike, value, *keys = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            column, _ = _ORDERS[Sort(order)]
            pk, *bounds = [UUID(hex=key) for key in keys]
            kind = _Kind(Sort(order), bool(alike), Bounds(*bounds) if bounds else None)
            place = cls(kind, _KINDS[column](value) if column else None, pk)
        except (ValueError, TypeError, ArithmeticError, AttributeError):
            return None
        return place if kind.sort == sort else None


def listing(wanted: Wanted, *, after: str = "") -> Listing:
    """The page of the list behind the product that the cursor `after` names, or its first one.

    Two queries for the page, and up to three more where words are searched for.
    """
    place = _Place.read(after, wanted.sort) if after else None
    kind = place.kind if place else _kind(wanted)
    rows = _rows(wanted, kind, place)
    more, rows = len(rows) > PAGE, rows[:PAGE]
    column, _ = _ORDERS[wanted.sort]
    last = rows[-1] if more else None
    end = _Place(kind, getattr(last, column) if column else None, last.pk).text if last else ""
    return Listing(_cards(rows), kind.alike, end)


def _kind(wanted: Wanted) -> _Kind:
    if not wanted.words:
        return _Kind(wanted.sort)
    if wanted.sort == Sort.RELEVANCE:
        documents = _narrowed(SearchDocument.objects.all(), wanted)
        bounds = search.bounds(documents, wanted.words)
        if isinstance(bounds, Bounds):
            return _Kind(wanted.sort, bounds=bounds)
        if bounds >= search.FEW:
            return _Kind(wanted.sort)
    return _Kind(wanted.sort, alike=search.needs_typos(wanted.words))


def _rows(wanted: Wanted, kind: _Kind, place: _Place | None) -> list[Any]:
    """The documents of a page, and one more if there is one."""
    if not wanted.words:
        return _part(wanted, SearchDocument.objects.all(), place)
    if kind.bounds and wanted.sort == Sort.RELEVANCE:
        return _rows_within(wanted, kind.bounds, place)
    if not kind.alike:
        return _part(wanted, search.found(wanted.words, alike=False), place)
    with transaction.atomic():
        search.tolerant()
        return _part(wanted, search.found(wanted.words, alike=True), place)


def _rows_within(wanted: Wanted, bounds: Bounds, place: _Place | None) -> list[Any]:
    """First those that are ranked, then the rest, whose rank is 0."""
    rows = []
    if place is None or place.value > 0:
        rows, place = _part(wanted, search.ranked_within(wanted.words, bounds), place), None
    if len(rows) <= PAGE:
        rows += _part(wanted, search.rest(wanted.words, bounds), place, sort=Sort.NEWEST)
    return rows[: PAGE + 1]


def _part(
    wanted: Wanted, documents: QuerySet[Any], place: _Place | None, *, sort: Sort | None = None
) -> list[Any]:
    column, down = _ORDERS[sort or wanted.sort]
    documents = _filtered(documents, wanted)
    if place:
        documents = documents.filter(_behind(place, column, down))
    sign = "-" if down else ""
    order = [f"{sign}{name}" for name in (column, "product_id") if name]
    return list(documents.order_by(*order).select_related("product").only(*_SHOWN)[: PAGE + 1])


_SHOWN = [
    "price", "highest_price", "sort_name",
    "product__slug", "product__name", "product__price", "product__compare_at_price",
]  # fmt: skip


def _filtered(documents: QuerySet[Any], wanted: Wanted) -> QuerySet[Any]:
    """The product is asked whether it is still sold, and still there: the document may be behind."""
    documents = _narrowed(documents, wanted).filter(product__published=True, product__parent=None)
    if wanted.in_stock:
        variants = Product.objects.filter(parent=OuterRef("pk"), published=True, stock__gt=0)
        alone = Q(variants_version=0, product__stock__gt=0)
        documents = documents.filter(alone | (~Q(variants_version=0) & Exists(variants)))
    return documents


def _narrowed(documents: QuerySet[Any], wanted: Wanted) -> QuerySet[Any]:
    """As far as the documents know by themselves."""
    if wanted.categories is not None:
        documents = documents.filter(category__in=wanted.categories)
    if wanted.lowest is not None:
        documents = documents.filter(price__gte=wanted.lowest)
    if wanted.highest is not None:
        documents = documents.filter(price__lte=wanted.highest)
    return documents.filter(available=True) if wanted.in_stock else documents


def _behind(place: _Place, column: str | None, down: bool) -> Any:
    """One comparison of two rows, which an index answers; two comparisons with OR it would not."""
    if column is None:
        return Q(product_id__lt=place.id)
    fields: dict[str, models.Field[Any, Any]] = {
        "rank": models.FloatField(),
        "price": models.DecimalField(max_digits=12, decimal_places=2),
        "sort_name": models.TextField(),
    }
    field = fields[column]
    here = Func(F(column), F("product_id"), function="ROW", output_field=field)
    there = Func(
        Value(place.value, field), Value(place.id, models.UUIDField()), function="ROW", output_field=field
    )
    sign = " < " if down else " > "
    return Func(here, there, template="%(expressions)s", arg_joiner=sign, output_field=BooleanField())


def _cards(documents: Sequence[Any]) -> list[Card]:
    images = pictures.first_of([document.pk for document in documents])
    return [
        Card(
            document.pk,
            document.product.slug,
            document.product.name,
            document.price,
            document.highest_price,
            document.product.compare_at_price,
            images.get(document.pk),
        )
        for document in documents
    ]


def sold_out(products: Iterable[UUID]) -> set[UUID]:
    """Those of which nothing is left, nor of a variant. Asked anew for each page: stock is never kept."""
    rows: Any = Product.objects.filter(pk__in=list(products)).with_variant_figures()
    figures = rows.values_list("pk", "stock", "variant_count", "variant_stock")
    return {pk for pk, stock, variants, of_variants in figures if not (of_variants if variants else stock)}
