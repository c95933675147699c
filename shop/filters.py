"""Filters of the lists in the admin."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.validators import EMPTY_VALUES
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RadioFilter, RangeDateFilter
from unfold.utils import parse_date_str

from shop.models import Category, OrderQuerySet, ProductQuerySet, StockLevel


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
        if last and last.date() < date.max:  # nothing comes after that day
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


class OwedFilter(RadioFilter):
    """Orders with money that must be given back."""

    title = "money"
    parameter_name = "money"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("owed", "To be given back")]

    def queryset(self, request: HttpRequest, queryset: OrderQuerySet) -> OrderQuerySet:
        return queryset.owed() if self.value() == "owed" else queryset
