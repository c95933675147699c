"""The admin's first page: figures, each with its list, and how sales go."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from config.takings import takings
from imports.models import ImportRun
from shop import ordering, paying
from tasks import operating
from tasks.models import Job
from tests.reports.selling import Sale, Ware, sell
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order, a_payment, an_order, refund
from tests.shop.staffing import ORDERS, staff

pytestmark = pytest.mark.django_db

START = "/admin/"


@pytest.fixture(autouse=True)
def goods() -> None:
    a_product(sku="A", price=Decimal(100), stock=1000)


def figures(client: Client) -> dict[str, tuple[str, str]]:
    """Label → value and address, as the page has them."""
    found = re.findall(
        r'<a href="([^"]*)"[^>]*>\s*<span[^>]*>([^<]*)</span>\s*<strong>([^<]*)</strong>',
        client.get(START).text,
    )
    return {label: (value, unescape(address)) for address, label, value in found}


def a_run(state: str, **fields: Any) -> ImportRun:
    ended = timezone.now() if state in ImportRun.ENDED else None
    return ImportRun.objects.create(
        state=state, filename="a.csv", size=1, sha256=state, finished_at=ended, **fields
    )


def a_dead_job() -> Job:
    now = timezone.now()
    return Job.objects.create(
        kind="x", title="x", queue="default", state="dead", run_after=now, created_at=now, finished_at=now
    )


def test_dashboard_counts_and_leads_to_the_lists(admin_client: Client) -> None:
    a_product(stock=2)
    a_product(stock=0)
    a_product(stock=1, published=False)
    a_paid_order({"A": 1})
    refund(a_paid_order({"A": 1}), "8.00")
    late = an_order({"A": 1})
    awaited = a_payment(late, gateway="invoice", awaiting=True)
    ordering.cancel(order=late)
    paying.mark_paid(payment=awaited)
    an_order({"A": 1})
    a_run("failed")
    a_dead_job()
    today = timezone.localdate().isoformat()

    shown = figures(admin_client)
    failed = shown.pop("Failed imports")
    gross, report = shown.pop("Today")
    spans = [shown.pop("This week"), shown.pop("This month")]

    assert (gross, report) == (
        "€216.00",
        f"/admin/reports/reportrun/ask/?report=sales&first={today}&last={today}",
    )
    assert shown == {
        "To be sent": ("2", f"{ORDERS}?state__exact=paid"),
        "Unpaid": ("1", f"{ORDERS}?state__exact=pending"),
        "Money to give back": ("1", f"{ORDERS}?money=owed"),
        "Low stock": ("1", "/admin/shop/product/?stock=low&published__exact=1"),
        "Imports running": ("0", "/admin/imports/importrun/"),
        "Jobs given up": ("1", "/admin/tasks/job/?state__exact=dead"),
    }
    assert failed[0] == "1"
    addresses = [failed[1], report, *(address for _, address in [*spans, *shown.values()])]
    assert [admin_client.get(address).status_code for address in addresses] == [200] * 10


def test_paused_queues_are_named_until_they_are_resumed(admin_client: Client) -> None:
    assert "Paused queue" not in figures(admin_client)

    operating.pause(["mail"], by="kim")
    assert figures(admin_client)["Paused queue"] == ("mail", "/admin/tasks/queue/")
    assert "by kim" in admin_client.get(START).text
    operating.pause(["search"], by="kim")
    assert figures(admin_client)["Paused queues"] == ("mail, search", "/admin/tasks/queue/")

    operating.resume(["mail", "search"], by="kim")
    assert "Paused" not in admin_client.get(START).text


SPANS = ["Today", "This week", "This month"]


@pytest.mark.parametrize(
    ("permission", "labels"),
    [
        ("view_order", [*SPANS, "To be sent", "Unpaid", "Money to give back"]),
        ("view_reportrun", SPANS),
        ("view_product", ["Low stock"]),
        ("view_importrun", ["Imports running", "Failed imports"]),
        ("view_job", ["Jobs given up"]),
        ("view_user", []),
    ],
)
def test_dashboard_shows_only_what_a_person_may_see(permission: str, labels: list[str]) -> None:
    client = staff(permission)

    assert list(figures(client)) == labels
    page = client.get(START).text
    assert ("Sales of the last 30 days" in page) == (labels[:3] == SPANS)
    assert ("/admin/reports/" in page) == (permission == "view_reportrun")


def test_dashboard_takes_few_queries_whatever_there_is(
    admin_client: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(15):
        a_paid_order({"A": 1})
        a_run("failed")
    with django_assert_max_num_queries(13):
        admin_client.get(START)


def sold(moment: str, amount: int) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    sell(Sale(at, [(Ware("A", "Home"), 1, Decimal(amount))], percent=Decimal(0)))


def test_sales_are_compared_with_those_before_by_the_same_time_of_the_shops_day(settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"  # 13 hours ahead, 12 from April on
    sold("2026-03-31T01:00", 1)  # Tuesday, 31 March, 14:00
    sold("2026-03-30T10:59:59", 2)  # the last second of Monday
    sold("2026-03-30T01:59:59", 4)  # Monday, 14:59:59: by this time of yesterday
    sold("2026-03-24T01:59:59", 8)  # the Tuesday before, by this time
    sold("2026-03-24T02:00:01", 16)  # … after it
    sold("2026-02-28T01:59:59", 32)  # the last day of February, by this time
    sold("2026-02-28T02:00:01", 64)
    sold("2026-01-31T10:59:59", 128)  # the last second of January there
    sold("2026-01-31T11:00:00", 256)  # the first of February

    found = takings(datetime(2026, 3, 31, 2, tzinfo=UTC), may_report=False)

    assert [(one.label, one.value, one.orders, one.before) for one in found.spans] == [
        ("Today", "€1.00", 1, "€4.00 yesterday by this time"),
        ("This week", "€7.00", 3, "€8.00 last week by this time"),
        ("This month", "€31.00", 5, "€288.00 last month by this time"),
    ]
    assert {f"{day.day:%d %b}": (day.gross, day.orders) for day in found.days if day.orders} == {
        "24 Mar": ("€24.00", 2),
        "30 Mar": ("€6.00", 2),
    }
    assert found.top.words == "The A: €30.00."


def test_dashboard_without_redis_still_counts_low_stock(admin_client: Client, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    a_product(stock=2)

    assert figures(admin_client)["Low stock"][0] == "1"
