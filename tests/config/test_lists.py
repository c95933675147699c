"""No list takes more queries when it is longer: every list of the admin, and the storefront's."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_results.models import TaskResult

from imports.models import ExportRun, ImportRun, SavedMapping
from invoices.models import Document
from monitoring.models import Alert
from notifications.models import KindSwitch, Message, Suppression
from reports.models import ReportFile, ReportRun, ReportSchedule
from reports.scheduling import run_now
from shop.models import (
    Category,
    DataRequest,
    DeliveryMethod,
    DiscountCode,
    Order,
    Product,
    Subscription,
    TaxRate,
)
from tasks.models import Job, Queue
from tests.reports.schedules import a_schedule
from tests.shop.factories import a_category, a_product
from tests.shop.orders import a_paid_order
from tests.shop.shopping import index_all

pytestmark = pytest.mark.django_db

MOST = 12
_numbers = count(1)


def an_order_of_somebody(number: int) -> None:
    product = a_product(stock=10)
    order = a_paid_order({product.sku: 1}, email=f"{number}@example.com")
    Order.objects.filter(pk=order.pk).update(customer=User.objects.create(username=f"customer-{number}"))


def an_import(number: int) -> None:
    owner = User.objects.create(username=f"owner-{number}")
    first = ImportRun.objects.create(
        filename="a.csv", size=1, sha256=str(number), state="completed", finished_at=timezone.now(),
        owner=owner, rows=1, created=1, lines=1,
    )  # fmt: skip
    ImportRun.objects.create(
        filename="",
        size=0,
        sha256="",
        state="completed",
        finished_at=timezone.now(),
        kind="undo",
        undoes=first,
    )


def a_product_with_variants(number: int) -> None:
    parent = a_product(category=a_category(f"Home > Category {number}"))
    a_product(parent=parent, options={"Size": "M"})


def a_job(number: int) -> None:
    """One of each of the things that have jobs, with another owner."""
    now, owner = timezone.now(), User.objects.create(username=f"boss-{number}")
    export = ExportRun.objects.create(owner=owner)
    report = ReportRun.objects.create(owner=owner, title="x", question={})
    an_import(number)
    run = ImportRun.objects.latest("pk")
    subjects = [export.subject, report.subject, run.subject, "document/1", "search"]
    for subject in subjects:
        Job.objects.create(
            kind="x", title="x", queue="default", subject=subject, run_after=now, created_at=now
        )


def a_report_schedule(number: int) -> None:
    schedule = a_schedule(since=timezone.now(), name=f"Schedule {number}")
    run = run_now(schedule, now=timezone.now())
    ReportFile.objects.create(run=run, format="csv", name="x.csv", mimetype="text/csv", file="x", size=1)
    ReportRun.objects.filter(pk=run.pk).update(state="done", finished_at=timezone.now())


# How to make another row of each list; whoever registers another model says so here.
MAKERS: dict[type[Model], Callable[[int], Any]] = {
    Product: a_product_with_variants,
    Category: lambda number: a_category(f"Home > Category {number}"),
    Order: an_order_of_somebody,
    Document: an_order_of_somebody,
    DeliveryMethod: lambda number: DeliveryMethod.objects.create(code=f"way-{number}", name="Way"),
    TaxRate: lambda number: TaxRate.objects.create(country="DE", region=f"Region {number}", percent=1),
    DiscountCode: lambda number: DiscountCode.objects.create(code=f"CODE{number}", percent=1),
    DataRequest: lambda number: DataRequest.objects.create(kind="export", subject=str(number)),
    Subscription: lambda number: Subscription.objects.create(kind="cart", email=f"{number}@example.com"),
    ImportRun: an_import,
    ExportRun: lambda number: ExportRun.objects.create(
        owner=User.objects.create(username=f"exporter-{number}")
    ),
    SavedMapping: lambda number: SavedMapping.objects.create(
        signature=str(number), header=["sku"], values={"profile": ""}
    ),
    Message: lambda number: Message.objects.create(kind="x", event=str(number), about="x", recipient="x"),
    Suppression: lambda number: Suppression.objects.create(address=str(number), why="staff", scope="all"),
    KindSwitch: lambda number: KindSwitch.objects.create(kind=f"x{number}", is_on=False, by="x"),
    ReportSchedule: a_report_schedule,
    ReportRun: a_report_schedule,
    Job: a_job,
    Queue: lambda number: Queue.objects.create(name=str(number)),
    Alert: lambda number: Alert.objects.create(check_name=f"x{number}", raised_at=timezone.now()),
    TaskResult: lambda number: TaskResult.objects.create(task_id=str(number), task_name="x"),
    PeriodicTask: lambda number: PeriodicTask.objects.create(
        name=str(number), task="x", interval=IntervalSchedule.objects.create(every=number, period="days")
    ),
    User: lambda number: User.objects.create(username=f"user-{number}"),
    Group: lambda number: Group.objects.create(name=f"group-{number}"),
}


def queries(client: Client, address: str) -> list[str]:
    """The SQL of a page that is there."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)
    assert (address, answer.status_code) == (address, 200)
    return [query["sql"] for query in captured]


def test_every_list_of_the_admin_is_looked_at() -> None:
    assert {model.__name__ for model in admin.site._registry} == {model.__name__ for model in MAKERS}


@pytest.fixture
def clerk(client: Client) -> Client:
    """Somebody who may do everything, because of permissions that have to be read."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    client.force_login(user)
    return client


@pytest.mark.parametrize("model", MAKERS, ids=lambda model: model.__name__)
def test_list_of_the_admin_takes_few_queries_whatever_its_length(clerk: Client, model: type[Model]) -> None:
    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    taken = {}
    for length in (3, 30):
        for _ in range(length):
            MAKERS[model](next(_numbers))
        taken[length] = queries(clerk, address)

    assert len(taken[30]) <= MOST, taken[30]
    assert len(taken[30]) <= len(taken[3]), taken[30]


@pytest.mark.parametrize("address", ["/", "/?q=thing", "/c/home/", "/c/home/?sort=price&in_stock=on"])
def test_list_of_the_storefront_takes_few_queries_whatever_its_length(client: Client, address: str) -> None:
    taken = {}
    for length in (3, 30):
        for _ in range(length):
            number = next(_numbers)
            parent = a_product(name=f"Thing {number}", category=a_category("Home"), stock=3)
            a_product(parent=parent, options={"Size": str(number)}, stock=3)
        index_all()
        taken[length] = queries(client, address)

    assert len(taken[30]) <= MOST, taken[30]


@pytest.mark.parametrize("length", [3, 30])
def test_page_of_a_product_takes_few_queries_whatever_its_variants(client: Client, length: int) -> None:
    parent = a_product(slug="shirt", category=a_category("Home > Shirts"))
    for number in range(length):
        a_product(parent=parent, options={"Size": str(number)}, stock=3)
    index_all()

    assert len(queries(client, "/p/shirt/")) <= MOST
