"""Which products an export takes: its filter as stored, and the query that it stands for.

{}                                            all
{"ids": ["0199…", …]}                         these
{"list": "q=oak&published__exact=1"}          the admin's list as it was filtered and searched
{"category": "Home > Kitchen", "published": true}
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models.functions import Coalesce

from shop import categories
from shop.listing import listed
from shop.models import Category, Product, ProductQuerySet


class SelectionError(ValueError):
    """There is no such selection; the text is for people."""


def in_category(path: str, *, published: bool | None) -> dict[str, Any]:
    """The filter for a category ("" for all) with what is below it, and for one state of publication (None
    for both); raises SelectionError for a category that is not there."""
    chosen: dict[str, Any] = {}
    if path:
        chosen["category"] = _category(path).full_name
    if published is not None:
        chosen["published"] = published
    return chosen


def _category(path: str) -> Category:
    category = Category.objects.filter(key=categories.key_of(categories.split_path(path))).first()
    if category is None:
        raise SelectionError(f"There is no category “{path}”. Write its whole path, such as Home > Kitchen.")
    return category


def products_of(chosen: dict[str, Any]) -> ProductQuerySet:
    """The products that a filter stands for, in no order; raises SelectionError."""
    if "list" in chosen:
        return _listed(chosen["list"])
    products = Product.objects.order_by()
    if "ids" in chosen:
        products = _these(products, chosen["ids"])
    if "category" in chosen:
        products = products.by_category(_category(chosen["category"]))
    if "published" in chosen:
        products = products.filter(published=chosen["published"])
    return products


def _these(products: ProductQuerySet, ids: list[str]) -> ProductQuerySet:
    try:
        return products.filter(pk__in=ids)
    except ValidationError as error:
        raise SelectionError("These are no ids of products. Select them in the list again.") from error


def _listed(query: str) -> ProductQuerySet:
    try:
        return listed(query).order_by()
    except ValueError as error:
        raise SelectionError("The list’s filters can’t be read any more. Filter it again.") from error


def whole_families(products: ProductQuerySet) -> ProductQuerySet:
    """The same with all variants of each, and the product of each variant: shops have them together."""
    tops = products.values(top=Coalesce("parent_id", "pk")) if products.query.where else None
    everything = Product.objects.annotate(top=Coalesce("parent_id", "pk"))
    return everything if tops is None else everything.filter(top__in=tops)


def describe(chosen: dict[str, Any]) -> str:
    """The filter in words, for people."""
    if "ids" in chosen:
        count = len(chosen["ids"])
        return f"{count:,} chosen product{'' if count == 1 else 's'}"
    if "list" in chosen:
        return "the list as it was filtered" if chosen["list"] else "the whole catalogue"
    words = list(_words(chosen))
    return ", ".join(words) or "the whole catalogue"


def _words(chosen: dict[str, Any]) -> Iterable[str]:
    if "category" in chosen:
        yield chosen["category"]
    if "published" in chosen:
        yield "published" if chosen["published"] else "unpublished"
