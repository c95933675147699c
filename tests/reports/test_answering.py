"""What a sales report finds."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from reports.answering import answer
from reports.periods import Period
from reports.questions import Question
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order, refund

pytestmark = pytest.mark.django_db


def test_today_has_an_order_and_its_refund() -> None:
    a_product(sku="A", price=Decimal(10), stock=10)
    order = a_paid_order({"A": 2})
    refund(order, "5.00")
    today = timezone.now().date()
    found = answer(Question("sales", Period(today, today, ZoneInfo("UTC"))))
    figures = {figure.key: figure.value for figure in found.figures}
    assert figures["gross"] == Decimal("21.60")
    assert figures["refunds"] == Decimal("5.00")
