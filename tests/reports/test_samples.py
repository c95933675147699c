"""Sample sales: they add up like real ones."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.utils import timezone

from reports import sharing
from reports.answering import answer
from reports.models import RefundPart
from reports.periods import Period
from reports.questions import Comparison, Grouping, Question
from shop.models import Order, OrderLine, Product, Refund
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order, findings

pytestmark = pytest.mark.django_db


def test_sample_sales_leave_nothing_for_reconcile_to_find() -> None:
    a_product(sku="REAL", stock=10)
    a_paid_order({"REAL": 2})
    said = StringIO()

    for seed in ("1", "2"):
        call_command("make_sales", "1500", "--days", "60", "--seed", seed, stdout=said)

    assert findings() == []
    assert OrderLine.objects.count() > 2500
    assert set(Order.objects.values_list("state", flat=True)) >= {"expired", "refunded", "delivered", "paid"}
    assert Product.objects.get(sku="REAL").stock == 8
    assert not Product.objects.filter(sku__startswith="SAMPLE-", stock__lte=0).count() > 10


def test_refunds_of_samples_are_shared_out_as_real_ones_are() -> None:
    call_command("make_sales", "600", "--days", "60", stdout=StringIO())
    parts = RefundPart.objects.order_by("refund", "line")
    made = list(parts.values_list("refund", "line", "amount", "tax"))

    parts.delete()
    for refund in Refund.objects.all():
        sharing.share_out(refund.payment.order, refund)

    assert made
    assert list(parts.values_list("refund", "line", "amount", "tax")) == made


def test_sample_sales_are_found_in_every_grouping() -> None:
    call_command("make_sales", "600", "--days", "30", stdout=StringIO())
    today = timezone.now().date()
    period = Period(today - timedelta(days=30), today, ZoneInfo("UTC"))

    totals = set()
    for grouping in Grouping:
        found = answer(Question("sales", period, grouping, Comparison.PREVIOUS))
        totals.add(found.figures[0].value)
        assert sum(1 for _ in found.tables[0].rows) > 1, grouping

    assert len(totals) == 1
