"""Delivery methods, tax rates and discount codes in the admin; orders keep copies of all of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display

from shop.models import DeliveryMethod, DiscountCode, TaxRate
from shop.problems import amount_text
from shop.selling_forms import DeliveryMethodForm, DiscountCodeForm, TaxRateForm
from tasks.listing import BigListAdmin, spoken, stacked

_CODE_COLOURS = {
    "in use": "success",
    "not begun": "primary",
    "used up": "warning",
    "over": "",
    "switched off": "",
}


@admin.register(DeliveryMethod)
class DeliveryMethodAdmin(ModelAdmin):
    """What customers may choose between at checkout."""

    form = DeliveryMethodForm
    list_display = ["named", "costs", "goes_to", "position", "active"]
    prepopulated_fields = {"code": ["name"]}
    fieldsets = [
        (None, {"fields": [("name", "code"), ("fee", "free_from"), "countries", ("position", "active")]}),
    ]

    @display(description="delivery method", ordering="name")
    def named(self, method: DeliveryMethod) -> SafeString:
        return stacked(method.name, method.code)

    @display(description="fee", ordering="fee", formatting="price")
    def costs(self, method: DeliveryMethod) -> SafeString:
        free = "" if method.free_from is None else f"free from {amount_text(method.free_from)}"
        return stacked(amount_text(method.fee) if method.fee else "free", free)

    @display(description="countries")
    def goes_to(self, method: DeliveryMethod) -> str:
        return ", ".join(method.countries) or "everywhere"


@admin.register(TaxRate)
class TaxRateAdmin(ModelAdmin):
    """The rates of countries and regions; where there is none, the setting TAX_PERCENT holds."""

    form = TaxRateForm
    list_display = ["country", "whole_or_region", "rate"]
    list_display_links = ["country", "whole_or_region"]
    search_fields = ["country__iexact", "region__istartswith"]
    search_help_text = "A country's code, or a region"
    fieldsets = [(None, {"fields": [("country", "region"), "percent"]})]

    @display(description="region", ordering="region")
    def whole_or_region(self, rate: TaxRate) -> str:
        return rate.region or "all of it"

    @display(description="tax", ordering="percent", formatting="price")
    def rate(self, rate: TaxRate) -> str:
        return f"{rate.percent.normalize():f} %"


@admin.register(DiscountCode)
class DiscountCodeAdmin(BigListAdmin):
    """What takes something off orders. One that orders have is switched off, not deleted."""

    form = DiscountCodeForm
    list_display = ["code", "off", "state_shown", "uses", "from_to"]
    list_filter = [("active", BooleanRadioFilter)]
    search_fields = ["code__istartswith"]
    search_help_text = "The beginning of a code"
    actions = ["switch_off"]
    readonly_fields = ["uses"]
    fieldsets = [
        (None, {"fields": ["code", ("percent", "amount"), "minimum"]}),
        ("Limits", {"fields": [("limit", "limit_per_customer"), "uses", ("starts_at", "ends_at"), "active"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: DiscountCode | None = None) -> list[str]:
        """Orders name the code that they have."""
        return ["uses", "code"] if obj and obj.used else ["uses"]

    def has_delete_permission(self, request: HttpRequest, obj: DiscountCode | None = None) -> bool:
        """Orders, also those that were called off, refer to it."""
        return super().has_delete_permission(request, obj) and (obj is None or not obj.uses.exists())

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Not the deleting of many, which would list every order that has one of them."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def save_model(self, request: HttpRequest, obj: DiscountCode, form: Any, change: bool) -> None:
        """Write what was typed and nothing else: `used` belongs to the orders that take it meanwhile."""
        if change:
            obj.save(update_fields=[*form.changed_data, "updated_at"])
        else:
            super().save_model(request, obj, form, change)

    @display(description="takes off", formatting="price")
    def off(self, code: DiscountCode) -> SafeString:
        worth = (
            amount_text(code.amount) if code.amount else f"{(code.percent or 0):.2f} %".replace(".00 ", " ")
        )
        return stacked(worth, f"from {amount_text(code.minimum)}" if code.minimum else "")

    @display(description="state", label=_CODE_COLOURS)
    def state_shown(self, code: DiscountCode) -> str:
        now = timezone.now()
        if not code.active:
            return "switched off"
        if code.ends_at and code.ends_at <= now:
            return "over"
        if code.starts_at and code.starts_at > now:
            return "not begun"
        return "used up" if code.limit is not None and code.used >= code.limit else "in use"

    @display(description="used", ordering="used", formatting="price")
    def uses(self, code: DiscountCode) -> str:
        """Orders that have it, of how many may."""
        return f"{code.used:,} of {code.limit:,}" if code.limit is not None else f"{code.used:,}"

    @display(description="from, to", ordering="starts_at")
    def from_to(self, code: DiscountCode) -> SafeString | str:
        return stacked(spoken(code.starts_at), code.ends_at and spoken(code.ends_at))

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, codes: QuerySet[DiscountCode]) -> None:
        count = codes.filter(active=True).update(active=False, updated_at=Now())
        what = "1 code is" if count == 1 else f"{count:,} codes are"
        text = f"{what} switched off." if count else "Nothing to do: all of them were switched off already."
        self.message_user(request, text, messages.SUCCESS if count else messages.INFO)
