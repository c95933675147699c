"""The admin's first page: what needs somebody, each figure with the way to its list, and how sales go.

A handful of statements, each answered by an index or a small table, whatever the shop's size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from config.takings import takings
from imports.models import ImportRun
from shop import caching
from shop.models import Order, Product, StockLevel
from tasks.models import Job, Queue

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
    """Unfold's callback: add to the first page what this person may see the lists of."""
    may = request.user.has_perm
    figures: list[Figure] = []
    if may("shop.view_order"):
        figures += _of_orders()
    if may("shop.view_product"):
        figures.append(_of_stock())
    if may("imports.view_importrun"):
        figures += _of_imports()
    if may("tasks.view_job"):
        figures.append(_of_jobs())
    if may("tasks.view_queue"):
        figures += _of_queues()
    may_report = may("reports.view_reportrun")
    sales = takings(timezone.now(), may_report=may_report) if may_report or may("shop.view_order") else None
    return {**context, "figures": figures, "sales": sales}


def _list(model: str, **query: str) -> str:
    return reverse(f"admin:{model}_changelist") + (f"?{urlencode(query)}" if query else "")


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


def _of_queues() -> Iterator[Figure]:
    """Those that somebody has paused, and may have forgotten: no alert tells of what waits there."""
    paused = list(Queue.objects.filter(paused_at__isnull=False).order_by("paused_at"))
    if paused:
        since = naturaltime(paused[0].paused_at or timezone.now()).removesuffix(" ago")
        longest = f"since {since}, by {paused[0].paused_by}"
        yield Figure(
            "Paused queues" if len(paused) > 1 else "Paused queue",
            ", ".join(queue.name for queue in paused), _list("tasks_queue"), longest, "look",
        )  # fmt: skip


def _of_jobs() -> Figure:
    dead = Job.objects.filter(state=Job.State.DEAD).order_by().count()
    return Figure(
        "Jobs given up", f"{dead:,}", _list("tasks_job", state__exact="dead"), "", "bad" if dead else ""
    )
