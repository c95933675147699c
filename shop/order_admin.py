"""Orders in the admin: their list, actions for many at once, and the doors to an order's own pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from shop import ordering
from shop.filters import DayRangeFilter, OwedFilter
from shop.models import Order, OrderLine
from shop.order_pages import acting, refunding, showing
from shop.order_pages.steps import CANCEL, FULFIL, RECEIVE, REFUND, STATE_COLOURS, Done, in_bulk, money
from tasks.listing import BigListAdmin, spoken, stacked

MOST_AT_ONCE = 500  # each is a transaction of its own, and the browser waits for all of them
_TOLD = 5  # orders that an action could do nothing about are named so far

type View = Callable[..., HttpResponseBase]  # of the request, the order, and what else the address has


@admin.register(Order)
class OrderAdmin(BigListAdmin):
    """Nothing is added, edited or deleted in the usual way: orders go from state to state by their verbs.

    The list is sorted by what has an index, and by nothing else: by total, a page would sort a million.
    """

    list_display = ["numbered", "whose", "state_shown", "in_all", "pieces", "placed"]
    list_display_links = ["numbered"]
    list_filter = [("state", ChoicesDropdownFilter), ("placed_at", DayRangeFilter), OwedFilter]
    search_fields = ["number"]  # the field is there; what it searches says get_search_results
    search_help_text = "An order's number, the beginning of an e-mail address, or a SKU"
    actions = ["send_rest", "mark_delivered"]

    def get_urls(self) -> list[URLPattern]:
        """An order's page shows and never edits it; what can be done with it has doors of its own."""
        pages: dict[str, tuple[str, View, str]] = {
            "change": ("<uuid:pk>/change/", showing.order, ""),
            "fulfil": ("<uuid:pk>/fulfil/", acting.fulfil, FULFIL),
            "tracking": ("<uuid:pk>/tracking/<int:number>/", acting.tracking, FULFIL),
            "deliver": ("<uuid:pk>/deliver/", acting.deliver, FULFIL),
            "cancel": ("<uuid:pk>/cancel/", acting.cancel, CANCEL),
            "received": ("<uuid:pk>/received/", acting.received, RECEIVE),
            "refund": ("<uuid:pk>/refund/", refunding.refund, REFUND),
        }
        doors = [
            path(route, self._door(view, permission), name=f"shop_order_{name}")
            for name, (route, view, permission) in pages.items()
        ]
        numbered = self.admin_site.admin_view(self._by_number)
        return [*doors, path("number/<int:number>/", numbered, name="shop_order_number"), *super().get_urls()]

    def _door(self, view: View, permission: str) -> Callable[..., HttpResponseBase]:
        """Who may see orders comes in, and where something is done, who may do that."""

        def with_order(request: HttpRequest, pk: Any, **more: int) -> HttpResponseBase:
            if not self.has_view_permission(request) or permission not in {"", *_granted(request)}:
                raise PermissionDenied
            order = get_object_or_404(Order.objects.select_related("customer"), pk=pk)
            return view(request, order, **more)

        return self.admin_site.admin_view(with_order)

    def _by_number(self, request: HttpRequest, number: int) -> HttpResponseBase:
        """Where the stock ledger leads: it knows an order by its number."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        order = get_object_or_404(Order, number=number)
        return HttpResponseRedirect(reverse("admin:shop_order_change", args=[order.pk]))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """With how many pieces each has: a subquery, because a page shows few of many orders."""
        lines = OrderLine.objects.filter(order=OuterRef("pk")).order_by().values("order")
        pieces = Subquery(lines.annotate(pieces=Sum("quantity")).values("pieces"))
        orders: QuerySet[Order] = super().get_queryset(request)
        return orders.annotate(pieces=pieces)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """Orders with that number; or with that SKU; or those by an address that begins so. All by index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        number = term.removeprefix("#")
        if number.isascii() and number.isdecimal() and len(number) < 19:
            found = queryset.filter(number=int(number))
            if found.exists():
                return found, False
        lines = OrderLine.objects.filter(sku__in={term, term.upper(), term.lower()})
        if lines.exists():
            return queryset.filter(pk__in=lines.values("order")), False
        return queryset.filter(email__istartswith=term), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def has_fulfil_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(FULFIL)

    @display(description="order", ordering="number")
    def numbered(self, order: Order) -> str:
        return str(order.number)

    @display(description="customer")
    def whose(self, order: Order) -> SafeString | str:
        if order.erased_at:
            return "erased"
        return stacked(order.shipping_address.get("name") or order.email, order.email)

    @display(description="state", label=STATE_COLOURS)
    def state_shown(self, order: Order) -> tuple[str, str]:
        return order.state, order.get_state_display()

    @display(description="total", formatting="price")
    def in_all(self, order: Order) -> str:
        return money(order.total, order)

    @display(description="items", formatting="price")
    def pieces(self, order: Any) -> str:
        return f"{order.pieces or 0:,}"

    @display(description="placed", ordering="placed_at")
    def placed(self, order: Order) -> SafeString | str:
        return spoken(order.placed_at)

    @admin.action(description="Send all that is left", permissions=["fulfil"])
    def send_rest(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        by = request.user.get_username()
        self._each(request, orders, "sent", lambda order: ordering.fulfil(order=order, by=by))

    @admin.action(description="Mark delivered", permissions=["fulfil"])
    def mark_delivered(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        by = request.user.get_username()
        self._each(request, orders, "marked delivered", lambda order: ordering.deliver(order=order, by=by))

    def _each(
        self, request: HttpRequest, orders: QuerySet[Order], what: str, do: Callable[[Order], object]
    ) -> None:
        """Do it to each order by itself, and say what became of which."""
        chosen = list(orders.order_by("number")[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            text = f"Nothing was done: choose {MOST_AT_ONCE:,} orders at most."
            self.message_user(request, text, messages.ERROR)
            return
        outcome: Done = in_bulk(chosen, do)
        if outcome.done:
            self.message_user(request, f"{_orders(outcome.done)} {what}.", messages.SUCCESS)
        for reason in outcome.refused[:_TOLD]:
            self.message_user(request, reason, messages.WARNING)
        if (more := len(outcome.refused) - _TOLD) > 0:
            text = f"Nothing could be done about {more:,} more of them either."
            self.message_user(request, text, messages.WARNING)


def _granted(request: HttpRequest) -> set[str]:
    return {
        permission for permission in (FULFIL, CANCEL, RECEIVE, REFUND) if request.user.has_perm(permission)
    }


def _orders(numbers: list[int]) -> str:
    """`Order 10001 was`, `3 orders were`."""
    return f"Order {numbers[0]} was" if len(numbers) == 1 else f"{len(numbers):,} orders were"
