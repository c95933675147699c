"""The admin's first page: how the day goes and what needs somebody, each figure with the way to its list.

A handful of statements, each answered by an index or a small table, whatever the shop's size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from config.revenue_chart import Chart, Day, chart_of
from imports.models import ImportRun
from shop import caching
from shop.models import Order, Product, StockLevel
from tasks.models import Job

DAYS = 14
_FAILED_DAYS = 7  # an import that failed longer ago is history
_MOST = 1000  # low stock is counted so far


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name; `meaning` colours it where it needs somebody, `address` is its list."""

    label: str
    value: str
    address: str
    note: str = ""
    meaning: str = ""


def show(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback: add to the first page the figures that this person may see the lists of."""
    figures: list[Figure] = []
    chart: Chart | None = None
    if request.user.has_perm("shop.view_order"):
        days = revenue_of_days(timezone.localdate())
        chart = chart_of(days, currency=settings.STORE_CURRENCY)
        figures += [*_of_today(days[-1]), *_of_orders()]
    if request.user.has_perm("shop.view_product"):
        figures.append(_of_stock())
    if request.user.has_perm("imports.view_importrun"):
        figures += _of_imports()
    if request.user.has_perm("tasks.view_job"):
        figures.append(_of_jobs())
    return {**context, "figures": figures, "chart": chart}


def revenue_of_days(today: date) -> list[Day]:
    """The last 14 days, today last, in the store's time zone: orders placed then, and what was kept of their
    money."""
    first = today - timedelta(days=DAYS - 1)
    zone = timezone.get_default_timezone()
    begin = datetime.combine(first, time.min, zone)
    end = datetime.combine(today + timedelta(days=1), time.min, zone)
    placed = Order.objects.filter(placed_at__gte=begin, placed_at__lt=end).order_by()
    by_day = placed.values(day=TruncDate("placed_at", tzinfo=zone)).annotate(
        orders=Count("pk"), revenue=Sum(F("paid") - F("refunded"))
    )
    found = {row["day"]: row for row in by_day}
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return [
        Day(day, found[day]["orders"], found[day]["revenue"]) if day in found else Day(day, 0, Decimal(0))
        for day in days
    ]


def _list(model: str, **query: str) -> str:
    return reverse(f"admin:{model}_changelist") + (f"?{urlencode(query)}" if query else "")


def _of_today(today: Day) -> Iterator[Figure]:
    orders = _list("shop_order", placed_at_from=today.day.isoformat(), placed_at_to=today.day.isoformat())
    yield Figure("Orders today", f"{today.orders:,}", orders)
    revenue = f"{today.revenue:,.2f}"
    yield Figure("Revenue today", revenue, orders, note=settings.STORE_CURRENCY)


def _of_orders() -> Iterator[Figure]:
    """By state, from the index that leads with it."""
    waiting = Order.objects.filter(state__in=["paid", "pending"]).order_by()
    counts = dict(waiting.values_list("state").annotate(Count("pk")))
    yield Figure("To be sent", f"{counts.get('paid', 0):,}", _list("shop_order", state__exact="paid"))
    unpaid = counts.get("pending", 0)
    yield Figure("Unpaid", f"{unpaid:,}", _list("shop_order", state__exact="pending"))
    owed = Order.objects.owed().count()
    yield Figure(
        "Money to give back", f"{owed:,}", _list("shop_order", money="owed"), "orders", "look" if owed else ""
    )


def _of_stock() -> Figure:
    """Counted up to a limit, and again after some minutes: an index on stock would be written at every sale
    and by every import, and its absence makes those updates cheap."""
    low = caching.remembered("low-stock", settings.LOW_STOCK, version=0, make=_low_stock)
    value = f"{low:,}" if low < _MOST else f"{_MOST:,} or more"
    level, note = StockLevel.LOW.value, f"{settings.LOW_STOCK:,} pieces or fewer"
    return Figure("Low stock", value, _list("shop_product", stock=level, published__exact="1"), note)


def _low_stock() -> int:
    low = Product.objects.published().at_stock_level(StockLevel.LOW).order_by()
    return low[:_MOST].count()


def _of_imports() -> Iterator[Figure]:
    """One look at a table that grows by some rows a day."""
    states = ImportRun.State
    at_rest = [*ImportRun.ENDED, states.DRAFT, states.PREVIEWED]
    since = timezone.now() - timedelta(days=_FAILED_DAYS)
    counted = ImportRun.objects.aggregate(
        running=Count("pk", filter=~Q(state__in=at_rest)),
        approvable=Count("pk", filter=Q(state=states.PREVIEWED)),
        failed=Count("pk", filter=Q(state=states.FAILED, created_at__gte=since)),
    )
    note = f"{counted['approvable']:,} to be approved" if counted["approvable"] else ""
    yield Figure("Imports running", f"{counted['running']:,}", _list("imports_importrun"), note)
    failed = counted["failed"]
    since_day = timezone.localtime(since).date().isoformat()
    address = _list("imports_importrun", state__exact="failed", created_at_from=since_day)
    yield Figure("Failed imports", f"{failed:,}", address, f"{_FAILED_DAYS} days", "bad" if failed else "")


def _of_jobs() -> Figure:
    dead = Job.objects.filter(state=Job.State.DEAD).order_by().count()
    return Figure(
        "Jobs given up", f"{dead:,}", _list("tasks_job", state__exact="dead"), "", "bad" if dead else ""
    )
