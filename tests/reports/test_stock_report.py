"""The stock report."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from reports import rolling
from reports.answering import answer
from reports.periods import Period
from reports.questions import Grouping, Question
from reports.results import Answer, Table
from shop.models import Product
from tests.reports.selling import Sale, Ware, sell
from tests.shop.factories import a_category, a_product

pytestmark = pytest.mark.django_db


def cells(table: Table) -> list[tuple[Any, ...]]:
    return [row.cells for row in table.rows]


def asked(by: Grouping) -> Answer:
    today = timezone.now().date()
    return answer(Question("stock", Period(today - timedelta(days=9), today, ZoneInfo("UTC")), by))


def test_stock_report_says_what_lies_what_runs_out_and_what_sold() -> None:
    home = a_category("Home")
    now = timezone.now()
    a_product(sku="KNIFE", name="Knife", price=Decimal(10), stock=2, category=home)
    a_product(sku="LAMP", name="Lamp", price=Decimal(5), stock=8)
    a_product(sku="GONE", name="Gone", stock=0)
    Product.objects.update(created_at=now - timedelta(days=100))
    for days, quantity in ((40, 1), (2, 8)):
        sold = [(Ware("KNIFE", "Home"), quantity, Decimal(10))]
        sell(Sale(now - timedelta(days=days), sold))
    rolling.sum_up()

    found, by_category = asked(Grouping.VARIANT), asked(Grouping.CATEGORY)

    products, ages, low = found.tables
    two_days_ago = (now - timedelta(days=2)).date()
    assert cells(products) == [
        ("KNIFE", "Knife", 2, Decimal(20), 8, Decimal("0.8"), two_days_ago, 2),
        ("LAMP", "Lamp", 8, Decimal(40), 0, Decimal(0), None, 100),
    ]
    assert products.total
    assert products.total.cells[2:6] == (10, Decimal(60), 8, Decimal("0.4444"))
    assert [row[:3] for row in cells(ages)] == [("0 to 30 days", 1, 2), ("91 to 180 days", 1, 8)]
    assert cells(low) == [("KNIFE", "Knife", 2, 8, 2)]
    assert [row[:4] for row in cells(by_category.tables[0])] == [
        ("No category", 1, 8, Decimal(40)),
        ("Home", 1, 2, Decimal(20)),
    ]
