"""The catalogue's pages in the admin."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.options import IS_POPUP_VAR, IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.core.validators import EMPTY_VALUES
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    BooleanRadioFilter,
    RadioFilter,
    RangeDateFilter,
)
from unfold.decorators import display
from unfold.utils import parse_date_str

from shop import caching, indexing, ledger, stock
from shop.categories import obstacles
from shop.doors import product_doors
from shop.forms import ProductForm
from shop.inlines import ProductImageInline, VariantInline
from shop.models import (
    TREE_ORDER,
    Category,
    CategoryQuerySet,
    Product,
    ProductQuerySet,
    StockLevel,
    StockMovement,
    new_key,
)
from shop.panels import panels_of
from tasks.listing import BigListAdmin, spoken, stacked

_OF_VARIANTS = "Variant"
_LEDGER = "Stock ledger"
_LEVEL_COLOURS = {StockLevel.OUT: "danger", StockLevel.LOW: "warning", StockLevel.IN: "success"}


class CategoryFilter(AutocompleteSelectFilter):
    """A category with all that is below it; found by typing, so 500 of them are no burden."""

    def queryset(self, request: HttpRequest, queryset: ProductQuerySet) -> ProductQuerySet:
        if self.value() in EMPTY_VALUES:
            return queryset
        try:
            return queryset.by_category(Category.objects.get(pk=self.value()))
        except (ValueError, Category.DoesNotExist) as error:
            raise IncorrectLookupParameters(error) from error


class StockFilter(RadioFilter):
    """Out of stock, low, or in stock."""

    title = "stock"
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(level.value, str(level.label)) for level in StockLevel]

    def queryset(self, request: HttpRequest, queryset: ProductQuerySet) -> ProductQuerySet:
        if self.value() not in StockLevel.values:
            return queryset
        return queryset.at_stock_level(StockLevel(self.value()))


class DayRangeFilter(RangeDateFilter):
    """From one day to another, both included, in the current time zone.

    Unfold's own filter ends when the last day begins.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = self._day("from"), self._day("to")
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": first})
        if last:
            queryset = queryset.filter(**{f"{self.field_path}__lt": last + timedelta(days=1)})
        return queryset

    def _day(self, end: str) -> datetime | None:
        day = parse_date_str(self.used_parameters.get(f"{self.field_path}_{end}", ""))
        return timezone.make_aware(datetime.combine(day, time.min)) if day else None


class FamilyFilter(RadioFilter):
    """Variants, products that have some, or all that are no variant."""

    title = "variants"
    parameter_name = "family"
    _KINDS = {
        "top": ("Products without their variants", ProductQuerySet.top_level),
        "parents": ("Products with variants", ProductQuerySet.with_variants),
        "variants": ("Variants", ProductQuerySet.variants),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, (label, _) in self._KINDS.items()]

    def queryset(self, request: HttpRequest, queryset: ProductQuerySet) -> ProductQuerySet:
        kind = self._KINDS.get(self.value() or "")
        return kind[1](queryset) if kind else queryset


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


class CategoryForm(forms.ModelForm):
    """A category; without a slug it gets one from its name."""

    class Meta:
        model = Category
        fields = ["name", "slug", "parent"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:  # absent for those who may only look
            self.fields["slug"].required = False


@admin.register(Category)
class CategoryAdmin(ModelAdmin):
    """The tree of categories. What is in use can't be deleted, and the message says what uses it."""

    form = CategoryForm
    fields = ["name", "slug", "parent"]
    autocomplete_fields = ["parent"]
    prepopulated_fields = {"slug": ["name"]}
    list_display = ["branch", "full_path", "products", "changed"]
    ordering = [TREE_ORDER]
    search_fields = ["full_name"]
    search_help_text = "Words of the path"
    actions = ["delete_selected"]

    def get_queryset(self, request: HttpRequest) -> CategoryQuerySet:
        categories: CategoryQuerySet = super().get_queryset(request)
        return categories.with_product_counts()

    def save_model(self, request: HttpRequest, obj: Category, form: CategoryForm, change: bool) -> None:
        """Its products are found by the names of their categories."""
        super().save_model(request, obj, form, change)
        indexing.category_changed(obj)

    def delete_model(self, request: HttpRequest, obj: Category) -> None:
        """No product is left in it, so only the tree changes."""
        super().delete_model(request, obj)
        caching.forget()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        with transaction.atomic():
            super().delete_queryset(request, queryset)
            caching.forget()

    @display(description="name")
    def branch(self, category: Category) -> SafeString:
        depth = category.path.count("/")
        return format_html('<span class="tally-branch" style="--depth: {}">{}</span>', depth, category.name)

    @display(description="path")
    def full_path(self, category: Category) -> SafeString:
        return format_html('<span class="tally-soft">{}</span>', category.full_name)

    @display(description="products", ordering="product_count", formatting="price")
    def products(self, category: Any) -> SafeString:
        return format_html(
            '<a href="{}?category__id__exact={}" title="Show the products of {} and below">{}</a>',
            reverse("admin:shop_product_changelist"),
            str(category.pk),
            category.name,
            f"{category.product_count:,}",
        )

    @display(description="changed", ordering="updated_at")
    def changed(self, category: Category) -> str:
        return spoken(category.updated_at)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        category = self.get_object(request, unquote(object_id))
        may = self.has_delete_permission(request, category)
        if category and may and self._refused(request, Category.objects.filter(pk=category.pk)):
            return HttpResponseRedirect(reverse("admin:shop_category_change", args=[category.pk]))
        return super().delete_view(request, object_id, extra_context)

    @admin.action(description="Delete", permissions=["delete"])
    def delete_selected(
        self, request: HttpRequest, categories: QuerySet[Category]
    ) -> TemplateResponse | None:
        return None if self._refused(request, categories) else delete_selected(self, request, categories)

    def _refused(self, request: HttpRequest, categories: QuerySet[Category]) -> bool:
        """Tell why these can't be deleted. Django's own page would list each of a million products."""
        reasons = obstacles(categories)
        for reason in reasons[:5]:
            self.message_user(request, reason, messages.ERROR)
        if len(reasons) > 5:
            more = f"The same goes for {len(reasons) - 5:,} more of them."
            self.message_user(request, more, messages.ERROR)
        return bool(reasons)
