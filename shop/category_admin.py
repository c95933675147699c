"""The tree of categories in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from shop import caching, indexing
from shop.categories import obstacles
from shop.models import TREE_ORDER, Category, CategoryQuerySet
from tasks.listing import spoken


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
