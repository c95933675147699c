"""The catalogue's pages in the admin: products here, categories in a module of their own."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display

from shop import indexing, ledger, stock
from shop.category_admin import CategoryAdmin as CategoryAdmin
from shop.doors import product_doors
from shop.filters import CategoryFilter, DayRangeFilter, FamilyFilter, StockFilter
from shop.forms import ProductForm
from shop.inlines import ProductImageInline, VariantInline
from shop.models import Product, ProductQuerySet, StockLevel, StockMovement, new_key
from shop.order_admin import OrderAdmin as OrderAdmin
from shop.panels import panels_of
from shop.personal_data_admin import DataRequestAdmin as DataRequestAdmin
from shop.selling_admin import DiscountCodeAdmin as DiscountCodeAdmin
from shop.subscription_admin import SubscriptionAdmin as SubscriptionAdmin
from tasks.listing import BigListAdmin, spoken, stacked

_OF_VARIANTS = "Variant"
_LEDGER = "Stock ledger"
_LEVEL_COLOURS = {StockLevel.OUT: "danger", StockLevel.LOW: "warning", StockLevel.IN: "success"}


@admin.register(Product)
class ProductAdmin(BigListAdmin):
    """Products: find them, see what is left, publish and feature them."""

    form = ProductForm
    autocomplete_fields = ["category", "parent"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["created_at", "updated_at", "stock_ledger"]
    warn_unsaved_form = True
    change_form_outer_after_template = "shop/panels.html"
    fieldsets = [
        (None, {"fields": ["name", ("sku", "slug"), "category", "description"]}),
        ("Price and stock", {"fields": [("price", "compare_at_price"), "stock", ("published", "featured")]}),
        (_OF_VARIANTS, {"fields": ["parent", "options"]}),
        (_LEDGER, {"fields": ["stock_ledger"]}),
        ("More", {"fields": ["metadata", ("created_at", "updated_at")]}),
    ]

    list_display = ["short_name", "sku", "category", "priced", "in_stock", "published", "featured", "changed"]
    list_filter = [
        ("category", CategoryFilter),
        ("published", BooleanRadioFilter),
        ("featured", BooleanRadioFilter),
        StockFilter,
        FamilyFilter,
        ("created_at", DayRangeFilter),
    ]
    list_select_related = ["category"]
    search_fields = ["sku", "name"]
    search_help_text = "Beginning of the SKU, or words"
    actions = ["publish", "unpublish", "feature", "unfeature"]

    def get_queryset(self, request: HttpRequest) -> ProductQuerySet:
        products: ProductQuerySet = super().get_queryset(request)
        return products.with_variant_figures()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Ours, and those that lead through a door of another app."""
        actions: dict[str, Any] = super().get_actions(request)
        doors = [] if IS_POPUP_VAR in request.GET else product_doors
        open_doors = [door for door in doors if door.is_open_to(request)]
        return actions | {door.name: (door.go, door.name, door.action) for door in open_doors}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, with buttons that lead through the doors of other apps."""
        query = request.GET.urlencode()
        doors = [(door.button, door.address(query)) for door in product_doors if door.is_open_to(request)]
        return super().changelist_view(request, {"doors": doors, **(extra_context or {})})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A product that has variants can't be one, so nothing asks whose; a new one has no ledger."""
        without = {_LEDGER} if obj is None else {_OF_VARIANTS} if obj.variants.exists() else set()
        return [one for one in super().get_fieldsets(request, obj) if one[0] not in without]

    def get_inlines(self, request: HttpRequest, obj: Product | None) -> list[type[TabularInline]]:
        """A variant has no variants, and a product that is not stored yet has none so far."""
        can_have_variants = obj is not None and obj.parent_id is None
        return [VariantInline, ProductImageInline] if can_have_variants else [ProductImageInline]

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Product, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Give a new product its key now: until it is saved it has an expression, which no formset takes."""
        if not isinstance(obj.pk, UUID):
            obj.pk = new_key()
        formset_kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, *args, **kwargs)
        return formset_kwargs

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add the panels below the form of a product that is stored."""
        product = kwargs.get("obj")
        if product is not None and not context.get("is_popup"):
            context["panels"] = panels_of(request, product)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_search_results(
        self, request: HttpRequest, queryset: ProductQuerySet, search_term: str
    ) -> tuple[QuerySet[Product], bool]:
        """Products whose SKU begins with the term; when there are none, those with its words in the name.

        Most look for a SKU, and the unique index answers that in a millisecond at any size. Words in names
        need a look at every row (about a second for a million products), so that is asked for last.
        """
        if request.GET.get("field_name") == "parent":  # asked by the field that chooses one
            queryset = queryset.top_level()
        term = search_term.strip()
        by_sku = queryset.sku_begins(term)
        if term and by_sku.exists():
            return by_sku, False
        for word in term.split():
            queryset = queryset.filter(name__icontains=word)
        return queryset, False

    def save_model(self, request: HttpRequest, obj: Product, form: ProductForm, change: bool) -> None:
        """The ledger says who corrected a stock; who typed it hears when it moved meanwhile."""
        with stock.announced(StockMovement.Kind.CORRECTION, by=request.user.get_username()):
            super().save_model(request, obj, form, change)
        if form.moved:
            pieces = f"{abs(form.moved):,} of {obj.sku} {'came in' if form.moved > 0 else 'left'}"
            text = f"While the page was open, {pieces}: the stock is {obj.stock:,}."
            self.message_user(request, text, messages.WARNING)

    def save_related(self, request: HttpRequest, form: ProductForm, formsets: Any, change: bool) -> None:
        """The storefront hears of the product, its pictures included, and of the one whose variant it was."""
        super().save_related(request, form, formsets, change)
        before = form.initial.get("parent")
        indexing.products_changed([form.instance.pk, *([before] if before else [])])

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        gone = [obj.pk, *([obj.parent_id] if obj.parent_id else [])]
        super().delete_model(request, obj)
        indexing.products_changed(gone)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        with transaction.atomic():
            super().delete_queryset(request, queryset)
            indexing.catalogue_changed()

    @display(description="latest movements")
    def stock_ledger(self, product: Product) -> SafeString:
        return ledger.panel(product)

    @display(description="name", ordering="name")
    def short_name(self, product: Any) -> SafeString:
        name = Truncator(product.name).chars(80)
        if product.parent_id:
            return stacked(name, product.options_text or "variant")
        count = product.variant_count
        return stacked(name, f"{count:,} variant{'' if count == 1 else 's'}" if count else "")

    @display(description="price", ordering="price", formatting="price")
    def priced(self, product: Product) -> Any:
        return product.price

    @display(description="stock", ordering="stock", label=_LEVEL_COLOURS)
    def in_stock(self, product: Any) -> tuple[StockLevel, str]:
        """What is left; of a product that is sold as its variants, what is left of these."""
        stock = product.variant_stock if product.variant_count else product.stock
        level = StockLevel.of(stock)
        return level, level.text(stock)

    @display(description="changed", ordering="updated_at")
    def changed(self, product: Product) -> str:
        return spoken(product.updated_at)

    @admin.action(description="Publish", permissions=["change"])
    def publish(self, request: HttpRequest, products: ProductQuerySet) -> None:
        self._switch(request, products, "published", on=True, state="published")

    @admin.action(description="Unpublish", permissions=["change"])
    def unpublish(self, request: HttpRequest, products: ProductQuerySet) -> None:
        self._switch(request, products, "published", on=False, state="unpublished")

    @admin.action(description="Feature", permissions=["change"])
    def feature(self, request: HttpRequest, products: ProductQuerySet) -> None:
        self._switch(request, products, "featured", on=True, state="featured")

    @admin.action(description="Stop featuring", permissions=["change"])
    def unfeature(self, request: HttpRequest, products: ProductQuerySet) -> None:
        self._switch(request, products, "featured", on=False, state="no longer featured")

    def _switch(
        self,
        request: HttpRequest,
        products: ProductQuerySet,
        flag: Literal["published", "featured"],
        *,
        on: bool,
        state: str,
    ) -> None:
        with transaction.atomic():
            count = products.switch(flag, on=on)
            if count:
                indexing.catalogue_changed()
        if not count:
            self.message_user(request, f"Nothing to do: all of them were {state} already.", messages.INFO)
            return
        noun, verb = ("product", "is") if count == 1 else ("products", "are")
        now = "" if state.startswith("no longer") else "now "
        self.message_user(request, f"{count:,} {noun} {verb} {now}{state}.", messages.SUCCESS)
