"""The storefront's pages: lists of products, one product, its pictures. Thin: they ask and show."""

from __future__ import annotations

import posixpath
from functools import partial
from typing import Any

import nh3
from django.core.exceptions import SuspiciousOperation
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from shop import browsing, caching, departments, product_page, search
from shop.browsing import Sort, Wanted
from shop.departments import Department, Departments
from shop.forms import FilterForm
from shop.product_page import ProductPage, Sold
from shop.subscription_forms import STOCK_WORDING, own_address

_MAY_STAY = {
    "p",
    "br",
    "ul",
    "ol",
    "li",
    "b",
    "strong",
    "i",
    "em",
    "h2",
    "h3",
    "h4",
    "table",
    "tbody",
    "tr",
    "td",
    "th",
}


@require_safe
def products(request: HttpRequest, path: str = "") -> HttpResponse:
    """All products, or those of a category and below; found by words, filtered, sorted, a page at a time."""
    version = caching.version()
    tree = departments.departments(version=version)
    here = tree.at(path) if path else None
    if path and here is None:
        raise Http404(f"There is no category at “{path}”.")
    words = search.words_of(request.GET.get("q", ""))
    form = FilterForm(request.GET, has_words=bool(words))
    wanted = _wanted(form, words, tree, here)
    after = request.GET.get("after", "")[:1000]
    listing = caching.remembered(
        "list", wanted, after, version=version, make=lambda: browsing.listing(wanted, after=after)
    )
    context = {
        "here": here,
        "way": tree.way_to(here) if here else [],
        "inside": tree.inside(here),
        "total": here.total if here else tree.total,
        "words": request.GET.get("q", "").strip()[: search.MAX_LENGTH] if words else "",
        "form": form,
        "listing": listing,
        "sold_out": browsing.sold_out(card.id for card in listing.cards),
        "after": after,
    }
    return render(request, "storefront/products.html", context)


def _wanted(form: FilterForm, words: str, tree: Departments, here: Department | None) -> Wanted:
    """What the form asks for; what can't be understood is left out, and the form says so."""
    form.is_valid()
    asked = form.cleaned_data
    return Wanted(
        words=words,
        categories=tuple(tree.ids_below(here)) if here else None,
        lowest=asked.get("lowest"),
        highest=asked.get("highest"),
        in_stock=asked.get("in_stock", False),
        sort=Sort(asked.get("sort") or (Sort.RELEVANCE if words else Sort.NEWEST)),
    )


@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """One product; `?variant=SKU` chooses a variant. A variant's own address leads to its product."""
    version = caching.version()
    page = caching.remembered("product", slug, version=version, make=lambda: product_page.read(slug))
    if page is None:
        if found := product_page.whose_variant(slug):
            return HttpResponseRedirect(reverse("shop:product", args=[found[0]], query={"variant": found[1]}))
        raise Http404(f"There is no product at “{slug}”.")
    tree = departments.departments(version=version)
    here = tree.by_id.get(page.category) if page.category else None
    chosen = page.variant(request.GET.get("variant", ""))
    about_page = {
        "way": tree.way_to(here) if here else [],
        "reader_address": partial(own_address, request),  # asked for only where it is sold out
        "stock_wording": STOCK_WORDING,
    }
    return render(request, "storefront/product.html", _shown(page, chosen) | about_page)


def _shown(page: ProductPage, chosen: Sold | None) -> dict[str, Any]:
    stock = product_page.stock_of(page)
    alone = None if page.has_variants else page.product
    sold = chosen or alone
    left = stock.get(sold.id, 0) if sold else sum(stock.get(variant.id, 0) for variant in page.variants)
    return {
        "page": page,
        "product": page.product,
        "chosen": chosen,
        "sold": sold,
        "left": left,
        "images": page.images_with(chosen),
        "options": product_page.options_of(page.variants, chosen),
        "description": _safe(page.description),
    }


def _safe(description: str) -> SafeString:
    """Text with its line breaks, or the harmless part of the HTML that shops' exports have."""
    if nh3.is_html(description):
        harmless = nh3.clean(description, tags=_MAY_STAY, attributes={})
    else:
        harmless = linebreaks(description, autoescape=True)
    return mark_safe(harmless)  # noqa: S308 - just cleaned, or escaped


@require_safe
def picture(request: HttpRequest, name: str) -> FileResponse:
    """A stored picture of a product. Nothing else can be asked for: the storage has imports' files too."""
    path = f"products/{name}"
    try:
        if posixpath.normpath(path) != path:
            raise SuspiciousOperation(path)
        return FileResponse(default_storage.open(path))
    except (OSError, ValueError, SuspiciousOperation) as error:  # ValueError: a NUL in the name
        raise Http404("There is no such picture.") from error
