"""Days are summed up by jobs, and again when they changed, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from threading import Event, Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery import current_app
from django.db import connection, transaction
from django.utils import timezone

from reports import rolling
from reports.answering import answer
from reports.models import Change, DailySales, RefundPart, RolledDay
from reports.periods import Period
from reports.questions import Question
from shop.models import Order
from tasks.models import Job
from tests.reports.selling import GivenBack, Sale, Ware, sell

pytestmark = pytest.mark.django_db(transaction=True)
KNIFE = Ware("KNIFE", "Home")


@pytest.fixture
def order() -> Order:
    """Of five days ago; half of it went back a day later."""
    back = GivenBack(50, 1440)
    paid_at = timezone.now() - timedelta(days=5)
    return sell(Sale(paid_at, [(KNIFE, 1, Decimal(10))], percent=Decimal(0), refunds=[back]))


def gross() -> Any:
    today = timezone.now().date()
    period = Period(today - timedelta(days=9), today, ZoneInfo("UTC"))
    return answer(Question("sales", period)).figures[0].value


def work() -> list[str]:
    """Let a worker look at all jobs, by the real tasks and engine; returns what became of them."""
    while job := Job.objects.filter(kind="reports.roll", state="queued").first():
        current_app.tasks[job.kind].apply(kwargs={"job_id": job.pk})
    return list(Job.objects.filter(kind="reports.roll").values_list("state", flat=True))


@contextmanager
def meanwhile(change: Any) -> Iterator[None]:
    """Another session has made a change that it commits only afterwards."""
    made, commit = Event(), Event()

    def session() -> None:
        with transaction.atomic():
            change()
            made.set()
            commit.wait(20)
        connection.close()

    thread = Thread(target=session)
    thread.start()
    made.wait(20)
    try:
        yield
    finally:
        commit.set()
        thread.join()


def test_a_tick_has_all_days_summed_up_and_then_nothing(order: Order) -> None:
    rolling.look()

    assert work() == ["done"]
    assert (RolledDay.objects.count(), Change.objects.count()) == (5, 0)
    rolling.look()
    assert Job.objects.filter(kind="reports.roll").count() == 1


def test_a_change_that_is_committed_while_its_day_is_summed_up_is_not_missed(order: Order) -> None:
    def change() -> None:
        order.lines.update(subtotal=30, price=30, net=30, total=30)

    with meanwhile(change):
        rolling.sum_up()
        assert gross() == Decimal(10)

    assert gross() == Decimal(30)
    assert DailySales.objects.get(gross__gt=0).gross == Decimal(10)
    rolling.look()
    work()
    assert gross() == Decimal(30)
    assert DailySales.objects.get(gross__gt=0).gross == Decimal(30)


def test_a_roll_up_that_fails_half_way_leaves_days_as_they_were(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(rolling.claiming, "complete", dies)
    rolling.look()
    with pytest.raises(SystemExit):
        work()

    assert (RolledDay.objects.count(), DailySales.objects.count()) == (0, 0)
    assert Change.objects.exists()
    assert gross() == Decimal(10)


def test_refunds_that_nobody_shared_out_are_found(order: Order) -> None:
    RefundPart.objects.all().delete()
    rolling.sum_up()

    rolling.look()
    work()

    assert [part.amount for part in RefundPart.objects.all()] == [Decimal(5)]
    assert DailySales.objects.get(refunds__gt=0).refunds == Decimal(5)
