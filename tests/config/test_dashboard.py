"""The admin's first page: figures, each with its list, and the chart of revenue."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from config import dashboard
from config.revenue_chart import Day, chart_of
from imports.models import ImportRun
from shop import ordering, paying
from shop.models import Order
from tasks.models import Job
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
    orders_today = f"{ORDERS}?placed_at_from={today}&placed_at_to={today}"

    shown = figures(admin_client)
    failed = shown.pop("Failed imports")

    assert shown == {
        "Orders today": ("4", orders_today),
        "Revenue today": ("316.00", orders_today),
        "To be sent": ("2", f"{ORDERS}?state__exact=paid"),
        "Unpaid": ("1", f"{ORDERS}?state__exact=pending"),
        "Money to give back": ("1", f"{ORDERS}?money=owed"),
        "Low stock": ("1", "/admin/shop/product/?stock=low&published__exact=1"),
        "Imports running": ("0", "/admin/imports/importrun/"),
        "Jobs given up": ("1", "/admin/tasks/job/?state__exact=dead"),
    }
    assert failed[0] == "1"
    addresses = [failed[1], *(address for _, address in shown.values())]
    assert [admin_client.get(address).status_code for address in addresses] == [200] * 9


@pytest.mark.parametrize(
    ("permission", "labels"),
    [
        ("view_order", ["Orders today", "Revenue today", "To be sent", "Unpaid", "Money to give back"]),
        ("view_product", ["Low stock"]),
        ("view_importrun", ["Imports running", "Failed imports"]),
        ("view_job", ["Jobs given up"]),
        ("view_user", []),
    ],
)
def test_dashboard_shows_only_what_a_person_may_see(permission: str, labels: list[str]) -> None:
    client = staff(permission)

    assert list(figures(client)) == labels
    assert ("tally-chart" in client.get(START).text) == (permission == "view_order")


def test_dashboard_takes_few_queries_whatever_there_is(
    admin_client: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(15):
        a_paid_order({"A": 1})
        a_run("failed")
    with django_assert_max_num_queries(12):
        admin_client.get(START)


def test_day_of_an_order_is_that_of_the_stores_time_zone(settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"
    moments = {"2026-03-09T10:59:59Z": 1, "2026-03-09T11:00:00Z": 2, "2026-03-10T10:59:59Z": 3}
    for moment, pieces in moments.items():
        order = a_paid_order({"A": pieces})
        Order.objects.filter(pk=order.pk).update(placed_at=moment)

    *_, eve, day = dashboard.revenue_of_days(date(2026, 3, 10))

    assert eve == Day(date(2026, 3, 9), 1, Decimal("108.00"))
    assert day == Day(date(2026, 3, 10), 2, Decimal("540.00"))


def test_chart_has_a_bar_for_each_day_with_revenue_and_a_row_for_each_day(admin_client: Client) -> None:
    a_paid_order({"A": 3})
    early = a_paid_order({"A": 1})
    Order.objects.filter(pk=early.pk).update(placed_at=timezone.now() - timedelta(days=13))
    page = admin_client.get(START).text

    assert len(re.findall("<rect", page)) == 2
    amounts = re.findall(r'<td class="tally-number">([\d,.]+)</td>\s*</tr>', page)
    assert (len(amounts), amounts[0], amounts[-1]) == (14, "108.00", "324.00")
    assert "432.00 EUR</span></h2>" in page


def test_bars_are_as_high_as_their_revenue_from_zero() -> None:
    days = [
        Day(date(2026, 1, number), 1, Decimal(amount)) for number, amount in ((1, 500), (2, 0), (3, 1000))
    ]

    bars = chart_of(days, currency="EUR").bars

    assert [bar.height for bar in bars] == [58.0, 0.0, 116.0]
    assert {bar.y + bar.height for bar in bars} == {136.0}
    assert [bar.label for bar in bars] == ["1", "2", "today"]
    assert [bar.value for bar in bars] == ["", "", "1k"]


def test_dashboard_without_redis_still_counts_low_stock(admin_client: Client, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    a_product(stock=2)

    assert figures(admin_client)["Low stock"][0] == "1"
