"""What a sales report says, of orders that went the way that orders go."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reports.answering import answer
from reports.periods import Period
from reports.questions import Comparison, Grouping, Question
from reports.results import Answer
from shop import ordering
from shop.models import Category, OrderLine, Product
from tests.reports.selling import GivenBack, Sale, Ware, sell
from tests.shop.factories import a_category, a_product
from tests.shop.orders import a_cart, a_checkout, a_paid_order, an_order, findings, refund

pytestmark = pytest.mark.django_db


def asked(grouping: Grouping = Grouping.DAY, report: str = "sales", **filters: str) -> Answer:
    """About today and yesterday."""
    today = timezone.now().date()
    period = Period(today - timedelta(days=1), today, ZoneInfo("UTC"))
    return answer(Question(report, period, grouping, filters=filters))


def figures(found: Answer) -> dict[str, Any]:
    return {figure.key: figure.value for figure in found.figures}


def rows(found: Answer, *names: str) -> dict[Any, tuple[Any, ...]]:
    """The cells of these columns by the first one."""
    [table] = found.tables
    keys = [column.key for column in table.columns]
    return {row.cells[0]: tuple(row.cells[keys.index(name)] for name in names) for row in table.rows}


def test_figures_are_those_of_paid_orders_and_of_money_given_back() -> None:
    a_product(sku="KNIFE", price=Decimal("10.00"), stock=20)
    a_product(sku="MUG", price=Decimal("5.00"), stock=20)
    refund(a_paid_order({"KNIFE": 2, "MUG": 1}), "12.00", restock={"KNIFE": 1})
    a_paid_order({"MUG": 1}, email="Kim@Example.com")
    ordering.cancel(order=an_order({"KNIFE": 9}))
    an_order({"KNIFE": 1})

    found = figures(asked())

    assert found == {
        "gross": Decimal("32.40"),  # 30.00 and 8 % of tax
        "refunds": Decimal("12.00"),
        "net": Decimal("18.89"),
        "tax": Decimal("1.51"),
        "orders": 2,
        "units": 4,
        "average": Decimal("16.20"),
        "discounts": 0,
        "delivery": 0,
        "new_customers": 1,
        "repeat_orders": 1,
    }
    assert rows(asked(Grouping.VARIANT), "gross", "refunds") == {
        "KNIFE": (Decimal("21.60"), Decimal("11.60")),  # the piece that came back, and its share of 1.20
        "MUG": (Decimal("10.80"), Decimal("0.40")),
    }
    assert findings() == []


def test_history_keeps_the_names_of_what_is_gone() -> None:
    mugs = a_category("Home > Mugs")
    mug = a_product(sku="MUG", name="Mug", category=mugs)
    red = a_product(sku="MUG-RED", name="Red mug", parent=mug, price=Decimal("5.00"), stock=5)
    a_paid_order({"MUG-RED": 2})

    Product.objects.filter(pk=red.pk).delete()
    mug.delete()
    for category in Category.objects.order_by("-path"):  # the lowest first
        category.delete()

    assert rows(asked(Grouping.CATEGORY), "units") == {"Home": (2,), "Home > Mugs": (2,)}
    assert rows(asked(Grouping.PRODUCT), "name", "units") == {"MUG": ("Mug", 2)}
    assert rows(asked(Grouping.VARIANT), "name", "units") == {"MUG-RED": ("Red mug", 2)}


def test_placing_asks_no_more_for_what_reports_keep() -> None:
    """One statement has the products with their categories, and those of what they are variants of."""
    mug = a_product(sku="MUG", category=a_category("Home > Mugs"))
    a_product(sku="MUG-RED", parent=mug, stock=5)
    a_product(sku="KNIFE", category=a_category("Home > Knives"), stock=5)
    cart, checkout = a_cart({"MUG-RED": 1, "KNIFE": 1}), a_checkout()

    with CaptureQueriesContext(connection) as asked_for:
        ordering.place(cart=cart, customer=None, key="one", checkout=checkout)

    about = [query["sql"] for query in asked_for if 'FROM "shop_category"' in query["sql"]]
    assert about == []
    kept = OrderLine.objects.values_list("sku", "category", "parent_sku")
    assert sorted(kept) == [("KNIFE", "Home > Knives", ""), ("MUG-RED", "Home > Mugs", "MUG")]


def test_filters_leave_other_orders_out_and_filters_of_lines_the_delivery_too() -> None:
    knife, mug = Ware("KNIFE", "Home > Kitchen"), Ware("MUG", "Home > Table")
    now, fee = timezone.now(), Decimal("4.00")
    cheap, dear = Decimal(10), Decimal(20)
    sell(Sale(now, [(knife, 1, cheap), (mug, 1, dear)], fee=fee, percent=Decimal(0), country="DE"))
    sell(Sale(now, [(mug, 1, dear)], fee=fee, percent=Decimal(0), country="FR", gateway="invoice"))

    def of(**filters: str) -> tuple[Any, ...]:
        found = figures(asked(**filters))
        return found["orders"], found["gross"], found["delivery"]

    assert of() == (2, Decimal(58), Decimal(8))
    assert of(country="de") == (1, Decimal(34), Decimal(4))
    assert of(payment="invoice") == (1, Decimal(24), Decimal(4))
    assert of(sku="MUG") == (2, Decimal(40), 0)
    assert of(category="home > KITCHEN") == (1, Decimal(10), 0)
    assert of(category="Home", country="FR") == (1, Decimal(20), 0)
    assert of(category="Hom") == (0, 0, 0)


def test_a_leap_day_is_not_lost_from_the_year_before() -> None:
    knife, none = Ware("KNIFE", "Home"), Decimal(0)
    for day, price in (("2024-02-28", 1), ("2024-02-29", 2), ("2025-02-28", 4), ("2025-03-01", 8)):
        sell(Sale(_noon(day), [(knife, 1, Decimal(price))], percent=none))
    period = Period(date(2025, 2, 27), date(2025, 3, 1), ZoneInfo("UTC"))

    [table] = answer(Question("sales", period, Grouping.DAY, Comparison.YEAR)).tables

    gross = [column.key for column in table.columns].index("gross")
    both = [(row.cells[gross], row.before and row.before[gross]) for row in [*table.rows, table.total] if row]
    assert both == [(0, 0), (4, 3), (8, 0), (12, 3)]


def test_hours_are_compared_with_the_same_hour_whatever_clocks_do() -> None:
    knife, zone = Ware("KNIFE", "Home"), ZoneInfo("Europe/Berlin")
    spring = date(2025, 3, 30)  # without an hour from 2 to 3
    for moment in ("2025-03-29T02:30+01:00", "2025-03-29T12:30+01:00", "2025-03-30T12:30+02:00"):
        sell(Sale(datetime.fromisoformat(moment), [(knife, 1, Decimal(1))], percent=Decimal(0)))

    question = Question("sales", Period(spring, spring, zone), Grouping.HOUR, Comparison.PREVIOUS)
    [table] = answer(question).tables

    found = [
        (cell.hour, row.cells[1], row.before[1])
        for row in table.rows
        if isinstance(cell := row.cells[0], datetime) and row.before
    ]
    assert len(found) == 23
    assert [one for one in found if one[1] or one[2]] == [(1, 0, 1), (12, 1, 1)]


def _noon(day: str) -> Any:
    return datetime.fromisoformat(f"{day}T12:00Z")


def _refused(grouping: Grouping, days: int, **filters: str) -> str:
    last = date(2026, 1, 1)
    period = Period(last - timedelta(days=days - 1), last, ZoneInfo("UTC"))
    with pytest.raises(ValueError) as refused:
        answer(Question("sales", period, grouping, filters=filters))
    return str(refused.value)


def test_what_cannot_be_asked_is_refused_in_words() -> None:
    hours = _refused(Grouping.HOUR, 2000)
    colour = _refused(Grouping.DAY, 9, colour="red")

    assert hours == "2,000 days by the hour are too many to read; ask for 93 at most, or by day."
    assert colour == (
        "“Sales” can't be filtered by colour. It can by: country, payment, discount, category, sku."
    )


def test_lines_are_a_list_with_delivery_and_refunds_that_comes_to_what_was_kept() -> None:
    now = timezone.now() - timedelta(hours=2)
    knife = Ware("KNIFE", "Home")
    back = GivenBack(50, 60, pieces=1)
    order = sell(Sale(now, [(knife, 2, Decimal(10))], fee=Decimal(5), percent=Decimal(0), refunds=[back]))

    [table] = asked(Grouping.LINES).tables

    assert [column.key for column in table.columns] == [
        "order_id", "date", "customer", "product", "sku", "quantity", "price", "total",
    ]  # fmt: skip
    cells = [(row.cells[0], *row.cells[3:]) for row in table.rows]
    number = str(order.number)
    assert cells == [
        (number, "Delivery: Post", "", None, Decimal(5), Decimal(5)),
        (number, "The KNIFE", "KNIFE", 2, Decimal(10), Decimal(20)),
        (number, "Refund: Delivery", "", None, None, Decimal("-0.83")),
        (number, "Refund: The KNIFE", "KNIFE", None, None, Decimal("-11.67")),
    ]
    assert table.total
    assert table.total.cells[5:] == (2, None, Decimal("12.50"))
