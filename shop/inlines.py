"""What a product's page shows below its own fields: its images and its variants."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from shop.models import Product, ProductImage, ProductQuerySet


class ProductImageInline(TabularInline):
    """The pictures of a product, in their order."""

    model = ProductImage
    fields = ["preview", "file", "source_url", "alt", "position"]
    readonly_fields = ["preview"]
    verbose_name, verbose_name_plural = "image", "images"
    # The plain field: Django's own repeats the address as a link, and the preview is one already.
    formfield_overrides = {models.URLField: {"widget": UnfoldAdminTextInputWidget}}
    show_title = False  # the address stands in a field of its own
    extra = 0

    @display(description="Preview")
    def preview(self, image: ProductImage) -> SafeString | str:
        """The stored picture; a link to one that is still elsewhere, since pages show none of other hosts."""
        if image.file:
            return format_html('<img src="{}" alt="{}" width="48">', image.file.url, image.alt)
        if not image.source_url:
            return "–"
        return format_html(
            '<a class="tally-link" href="{}" target="_blank" rel="noopener noreferrer">Open</a>',
            image.source_url,
        )


class VariantInline(TabularInline):
    """The variants of a product, each edited on a page of its own."""

    model = Product
    fk_name = "parent"
    verbose_name_plural = "variants"
    fields = readonly_fields = ["variant", "set_apart", "priced", "in_stock", "published"]
    ordering = ["sku"]
    per_page = 50  # some have hundreds
    show_title = False
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> ProductQuerySet:
        variants: ProductQuerySet = super().get_queryset(request)
        return variants.variants()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="SKU")
    def variant(self, product: Product) -> SafeString:
        address = reverse("admin:shop_product_change", args=[product.pk])
        return format_html('<a class="tally-link" href="{}">{}</a>', address, product.sku)

    @display(description="options")
    def set_apart(self, product: Product) -> str:
        return product.options_text or "–"

    @display(description="price", formatting="price")
    def priced(self, product: Product) -> Any:
        return product.price

    @display(description="stock")
    def in_stock(self, product: Product) -> str:
        return product.stock_text
