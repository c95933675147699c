"""Mails that people asked for, as staff see them: who agreed to what, when, and what became of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from shop import subscriptions
from shop.models import Subscription
from tasks.admin import ReadOnlyAdmin
from tasks.listing import spoken

_COLOURS = {
    Subscription.State.ASKED: "warning",
    Subscription.State.CONFIRMED: "primary",
    Subscription.State.USED: "success",
    Subscription.State.ENDED: "",
}


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Read-only, as the record of a consent must be. Staff may take one back, as its owner asks."""

    list_display = ["email", "kind", "how_far", "asked"]
    list_filter = [("kind", ChoicesDropdownFilter)]
    search_fields = ["email"]  # the field is there; what it searches says get_search_results
    search_help_text = "A whole e-mail address"
    actions = ["take_back"]
    fieldsets = [
        (None, {"fields": ["how_it_stands", "email", "kind", "what_about", "wording"]}),
        ("Course", {"fields": ["asked_at", "confirmed_at", "used_at", "ended_at", "reason"]}),
        ("More", {"fields": ["language", "customer"]}),
    ]
    readonly_fields = ["how_it_stands", "what_about"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Those of the address, by its index."""
        term = search_term.strip()
        return (queryset.of_address(term) if term else queryset), False  # type: ignore[attr-defined] # ours

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("shop.change_subscription")

    @admin.action(description="Take back", permissions=["end"])
    def take_back(self, request: HttpRequest, chosen: QuerySet[Subscription]) -> None:
        """End those that stand; their owners get no such mail."""
        standing = list(chosen.filter(ended_at=None).order_by("pk"))
        for subscription in standing:
            subscriptions.withdraw(subscription)
            self.log_change(request, subscription, "Taken back")
        self.message_user(request, f"{len(standing):,} taken back.", messages.SUCCESS)

    @display(description="state", label=_COLOURS)
    def how_far(self, subscription: Subscription) -> tuple[str, str]:
        return subscription.state, subscription.state.label

    @display(description="state")
    def how_it_stands(self, subscription: Subscription) -> str:
        return str(subscription.state.label)

    @display(description="asked", ordering="asked_at")
    def asked(self, subscription: Subscription) -> SafeString | str:
        return spoken(subscription.asked_at)

    @display(description="about")
    def what_about(self, subscription: Subscription) -> str:
        """The product, where there is one; a cart has no page here."""
        if subscription.kind == Subscription.Kind.CART:
            return "A cart" if subscription.cart_id else "A cart that is gone"
        return str(subscription.known_product or "A product that was deleted")
