"""The page that asks for a report: what it shows, hands out, refuses, and has made by a worker."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from reports import asking
from reports.models import ReportRun, ReportSchedule
from reports.period_rules import PeriodRule
from tests.reports.schedules import work
from tests.reports.selling import GivenBack, Sale, Ware, sell
from tests.shop.staffing import staff, text_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/reports/reportrun/ask/"
MARCH = {"report": "sales", "first": "2026-03-01", "last": "2026-03-31", "group_by": "day", "compare": ""}
KNIFE, MUG = Ware("KNIFE", "Home > Kitchen"), Ware("MUG", "Home > Table")


@pytest.fixture
def manager() -> Client:
    may = ("view_reportrun", "run_report", "add_reportschedule", "view_reportschedule")
    return staff(*may, name="manager")


@pytest.fixture
def sales() -> None:
    moment = datetime(2026, 3, 9, 12, tzinfo=UTC)
    sell(Sale(moment, [(KNIFE, 2, Decimal("50.00")), (MUG, 1, Decimal("9.00"))], country="DE"))
    sell(Sale(moment, [(MUG, 3, Decimal("9.00"))], country="CH", refunds=[GivenBack(100, 60)]))


def ask(client: Client, headers: dict[str, str] | None = None, **changes: str) -> Any:
    return client.get(PAGE, {**MARCH, **changes}, headers=headers)


def downloads(page: Any) -> dict[str, str]:
    """Format → address, of the links on the page."""
    links = re.findall(r'href="(/admin/reports/reportrun/ask/(\w+)/[^"]*)"', page.text)
    return {format: address.replace("&amp;", "&") for address, format in links}


@pytest.mark.usefixtures("sales")
def test_page_without_any_choice_shows_the_last_days_and_needs_no_script(manager: Client) -> None:
    page = manager.get(PAGE)

    assert page.status_code == 200
    assert re.search(r'<form method="get" action="/admin/reports/reportrun/ask/"', page.text)
    assert re.search(r'value="last_30_days"[^>]* aria-current="true"', page.text)


@pytest.mark.usefixtures("sales")
def test_change_gets_the_report_without_the_frame(manager: Client) -> None:
    part = ask(manager, {"HX-Request": "true"}, group_by="category")

    assert (part.headers["Vary"].startswith("HX-Request"), "<html" in part.text) == (True, False)
    assert "€146.88" in part.text  # 136.00 and 8 % of tax
    named = re.findall(r"<bdi>(Home[^<]*)</bdi>", part.text)
    assert named == ["Home", "Home &gt; Kitchen", "Home &gt; Table"]


@pytest.mark.usefixtures("sales")
@pytest.mark.parametrize(
    ("format", "begin"),
    [("csv", b"day,orders,"), ("xlsx", b"PK"), ("json", b"{"), ("html", b"<!DOCTYPE html>")],
)
def test_file_has_the_address_of_the_page_and_what_it_shows(
    manager: Client, format: str, begin: bytes
) -> None:
    address = downloads(ask(manager, category="home"))[format]

    answer: Any = manager.get(address)

    assert dict(parse_qsl(urlsplit(address).query)) == {
        "report": "sales", "first": "2026-03-01", "last": "2026-03-31", "zone": "UTC", "group_by": "day",
        "category": "home",
    }  # fmt: skip
    name = f'attachment; filename="sales-by-day-2026-03-01-2026-03-31.{format}"'
    assert (answer.status_code, answer.headers["Content-Disposition"]) == (200, name)
    assert b"".join(answer.streaming_content).startswith(begin)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"last": "2026-02-01"}, "The last day, 2026-02-01, is before the first one, 2026-03-01."),
        ({"last": "2026-02-30"}, "There is no 2026-02-30: February 2026 has 28 days."),
        ({"first": "2026-13-01"}, "There is no month 13 to report on in “2026-13-01”."),
        ({"first": "March"}, "“March” is not a day. Write it as year, month and day: 2026-01-31."),
        ({"first": ""}, "“” is not a day."),
        ({"zone": "Europe/Berln"}, "There is no time zone “Europe/Berln”. Did you mean Europe/Berlin?"),
        ({"country": "Narnia"}, "“Narnia” is no country. Write its code of two letters, such as DE or CH."),
        ({"payment": "barter"}, "There is no way to pay called “barter”"),
        (
            {"first": "2021-04-01", "group_by": "hour"},
            "1,826 days by the hour are too many to read; ask for 93 at most, or by day.",
        ),
    ],
)
def test_what_cannot_be_asked_is_said_with_what_to_do(
    manager: Client, typed: dict[str, str], said: str
) -> None:
    page = ask(manager, **typed)
    file = manager.get(f"{PAGE}csv/?{urlencode({**MARCH, **typed})}")

    assert page.status_code == 422
    assert f"No report. {said}" in text_of(page)
    assert file.status_code == 302


def test_days_without_a_sale_lead_to_the_last_one(manager: Client, sales: None) -> None:
    page = ask(manager, first="2020-01-01", last="2020-01-31")

    assert "Nothing in these days No order was paid, and nothing was given back." in text_of(page)
    assert "first=2026-03-01&amp;last=2026-03-31" in page.text


def test_what_is_not_in_the_shop_any_more_keeps_its_sales(manager: Client, sales: None) -> None:
    gone, unheard = ask(manager, sku="KNIFE"), ask(manager, category="Nope")

    assert "The product “KNIFE” is not in the shop any more; its sales stand here" in text_of(gone)
    assert "€108.00" in gone.text
    assert "The category “Nope” is not in the shop, and none was sold in these days." in text_of(unheard)


def test_report_of_many_lines_is_made_by_a_worker(manager: Client, sales: None, settings: Any) -> None:
    settings.REPORT_DOWNLOAD_LINES = 7  # six pieces and two orders make eight
    asked = {**MARCH, "group_by": ""}
    direct = manager.get(f"{PAGE}csv/?{urlencode(asked)}")
    page = manager.get(PAGE, asked)
    made = manager.post(f"{PAGE}make/", {**asked, "format": "csv"})
    run = ReportRun.objects.get()

    assert (direct.status_code, downloads(page)) == (302, {})
    assert "About 8 lines" in text_of(page)
    assert made.headers["Location"] == f"/admin/reports/reportrun/{run.pk}/change/"
    assert (run.title, run.formats, str(run.owner)) == ("Sales, 2026-03-01 to 2026-03-31", ["csv"], "manager")
    work(run)
    assert run.state == ReportRun.State.DONE
    assert run.files.get(format="csv").file.open("rb").read().count(b"\n") == 6


def test_report_that_takes_long_is_offered_to_a_worker(manager: Client, sales: None, settings: Any) -> None:
    settings.REPORT_PAGE_SECONDS = 0.001  # PostgreSQL needs longer only to plan it
    asked = {**MARCH, "zone": "UTC", "group_by": "customer", "compare": "year"}

    page = manager.get(PAGE, asked)
    direct = manager.get(f"{PAGE}csv/?{urlencode(asked)}")
    made = manager.post(f"{PAGE}make/", {**asked, "format": "csv"})

    assert (page.status_code, downloads(page)) == (200, {})
    assert "This report takes long to find. Have a worker make it" in text_of(page)
    assert dict(parse_qsl(urlsplit(direct.headers["Location"]).query)) == asked
    run = ReportRun.objects.get()
    assert made.headers["Location"] == f"/admin/reports/reportrun/{run.pk}/change/"
    work(run)
    assert run.state == ReportRun.State.DONE


def test_having_reports_made_takes_the_permission_to_run_them(sales: None) -> None:
    answer = staff("view_reportrun").post(f"{PAGE}make/", {**MARCH, "format": "csv"})

    assert (answer.status_code, ReportRun.objects.count()) == (403, 0)


def test_schedule_of_a_report_is_filled_in(manager: Client, sales: None) -> None:
    page = ask(manager, zone="Europe/Berlin", country="de", group_by="product", compare="year")
    [address] = re.findall(r'href="(/admin/reports/reportschedule/add/[^"]*)"', page.text)
    form = manager.get(address.replace("&amp;", "&")).context["adminform"].form
    begun = {
        name: form[name].value() for name in ("name", "period", "group_by", "compare", "zone", "country")
    }
    manager.post(
        address,
        {**{name: form[name].value() or "" for name in form.fields}, "to": "ada@example.com"},
    )
    schedule = ReportSchedule.objects.get()

    assert begun == {
        "name": "Sales by product, last month", "period": "last_month", "group_by": "product",
        "compare": "year", "zone": "Europe/Berlin", "country": "DE",
    }  # fmt: skip
    assert (schedule.filters, schedule.period, schedule.to) == (
        {"country": "DE"},
        "last_month",
        ["ada@example.com"],
    )


@pytest.mark.parametrize(
    ("first", "last", "rule"),
    [
        ("2026-11-22", "2026-11-22", PeriodRule.YESTERDAY),
        ("2026-10-01", "2026-10-31", PeriodRule.LAST_MONTH),
        ("2024-02-01", "2024-02-29", PeriodRule.LAST_MONTH),
        ("2024-01-01", "2024-12-31", PeriodRule.LAST_YEAR),
        ("2026-03-02", "2026-03-08", PeriodRule.LAST_WEEK),
        ("2026-03-03", "2026-03-09", PeriodRule.LAST_7_DAYS),
        ("2026-03-03", "2026-05-05", PeriodRule.LAST_30_DAYS),
    ],
)
def test_days_are_scheduled_as_days_of_their_kind(first: str, last: str, rule: PeriodRule) -> None:
    assert asking.rule_like(asking.period(first, last, "UTC")) == rule


def test_days_have_the_name_that_they_have_today() -> None:
    today = date(2026, 11, 25)
    named = {rule: asking.rule_of(rule.period(today, ZoneInfo("UTC")), today) for rule in PeriodRule}

    assert {rule: name for rule, name in named.items() if rule != name} == {}
