"""The stock report: what lies how long, what runs out, how much of what was there has sold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from django.conf import settings
from django.utils import timezone

from reports import columns
from reports.catalogue import Report, register
from reports.periods import Period
from reports.queries import stock
from reports.queries.sales import MOST_GROUPS
from reports.queries.stock import Item, Shelf
from reports.questions import Grouping, Question
from reports.results import Answer, Chart, Column, Figure, Kind, Row, Series, Shape, Table, Value

_SKU, _NAME = Column("sku", "SKU", Kind.TEXT), Column("name", "Product", Kind.TEXT)
_STOCK, _VALUE = Column("stock", "In stock", Kind.COUNT), Column("value", "Value at price", Kind.MONEY)
_SOLD = Column("sold", "Sold", Kind.COUNT)
_THROUGH = Column("sell_through", "Sell-through", Kind.SHARE)
_PRODUCTS = Column("products", "Products", Kind.COUNT)
_TOP = 10


def connect() -> None:
    """Be among the reports; called once, when Django is ready."""
    groupings = (Grouping.VARIANT, Grouping.CATEGORY)
    register(Report("stock", "Stock", answer, groupings, ("category", "sku"), compares=False))


def answer(question: Question) -> Answer:
    """The stock as it is now, beside what sold in the question's days."""
    period, filters = question.period, question.filters
    ages = stock.by_age(period, filters)
    shelves = stock.by_category(period, filters)
    whole = _together(shelves)
    by_category = question.group_by == Grouping.CATEGORY
    main = _categories(shelves, whole) if by_category else _each(period, filters, whole)
    return Answer(
        question=question,
        title="Stock",
        currency=settings.STORE_CURRENCY,
        made_at=timezone.now(),
        figures=_figures(whole, stock.count_low(period, filters)),
        charts=[_aged(ages), _valued(shelves)],
        tables=[main, _ages(ages), _low(period, filters)],
        notes=[
            "Stock is as it is now, at today's prices. Sell-through is what sold in these days, of that and"
            " what is left. Something ages from the day it last sold; from when it came, if not in a year."
        ],
    )


def _through(sold: int, left: int) -> Value:
    return columns.share(Decimal(sold), Decimal(sold + left))


def _together(shelves: Sequence[Shelf]) -> Shelf:
    return Shelf(
        "Total",
        sum(one.products for one in shelves),
        sum(one.stock for one in shelves),
        sum((one.value for one in shelves), Decimal("0.00")),
        sum(one.sold for one in shelves),
    )


def _figures(whole: Shelf, low: int) -> list[Figure]:
    return [
        Figure("stock", "In stock", Kind.COUNT, whole.stock, is_good_when_higher=None),
        Figure("value", "Value at price", Kind.MONEY, whole.value, is_good_when_higher=None),
        Figure("sold", "Sold", Kind.COUNT, whole.sold),
        Figure("sell_through", "Sell-through", Kind.SHARE, _through(whole.sold, whole.stock)),
        Figure("low", "Low, and selling", Kind.COUNT, low, is_good_when_higher=False),
    ]


def _aged(ages: Sequence[Shelf]) -> Chart:
    values = [one.value for one in ages]
    title = "Value by days since it last sold"
    return Chart(title, Shape.BARS, Kind.MONEY, [one.name for one in ages], [Series("Value", values)])


def _valued(shelves: Sequence[Shelf]) -> Chart:
    top, others = shelves[:_TOP], shelves[_TOP:]
    labels, values = [one.name or "No category" for one in top], [one.value for one in top]
    if others:
        labels.append("Others")
        values.append(_together(others).value)
    return Chart("Value by category", Shape.BARS, Kind.MONEY, labels, [Series("Value", values)])


def _shelf(one: Shelf) -> Row:
    cells = (one.products, one.stock, one.value, one.sold, _through(one.sold, one.stock))
    return Row((one.name or "No category", *cells))


def _categories(shelves: Sequence[Shelf], whole: Shelf) -> Table:
    headings = (Column("category", "Category", Kind.TEXT), _PRODUCTS, _STOCK, _VALUE, _SOLD, _THROUGH)
    return Table("By category", headings, [_shelf(one) for one in shelves], _shelf(whole))


def _ages(ages: Sequence[Shelf]) -> Table:
    headings = (Column("age", "Last sold", Kind.TEXT), _PRODUCTS, _STOCK, _VALUE, _SOLD, _THROUGH)
    note = "What is in stock only."
    return Table("Ageing", headings, [_shelf(one) for one in ages], _shelf(_together(ages)), note)


def _found(find: Callable[[], Iterator[Item]], row: Callable[[Item], Row]) -> tuple[Iterable[Row], bool]:
    """The rows, and whether they are so many that they are read as they are written."""
    first = list(islice(find(), MOST_GROUPS + 1))
    if len(first) > MOST_GROUPS:
        return _Rows(find, row), True
    return [row(one) for one in first], False


class _Rows:
    """Read anew, from a cursor of its own, each time that it is iterated."""

    def __init__(self, find: Callable[[], Iterator[Item]], row: Callable[[Item], Row]) -> None:
        self.find, self.row = find, row

    def __iter__(self) -> Iterator[Row]:
        return map(self.row, self.find())


def _each(period: Period, filters: Mapping[str, str], whole: Shelf) -> Table:
    def row(one: Item) -> Row:
        through = _through(one.sold, one.stock)
        return Row((one.sku, one.name, one.stock, one.value, one.sold, through, one.last_sold, one.age))

    headings = (
        _SKU, _NAME, _STOCK, _VALUE, _SOLD, _THROUGH, Column("last_sold", "Last sold", Kind.DAY),
        Column("age", "Days since", Kind.COUNT),
    )  # fmt: skip
    rows, is_stream = _found(lambda: stock.all_items(period, filters), row)
    through = _through(whole.sold, whole.stock)
    last = Row(("Total", "", whole.stock, whole.value, whole.sold, through, None, None))
    return Table("By product", headings, rows, last, is_stream=is_stream)


def _low(period: Period, filters: Mapping[str, str]) -> Table:
    def row(one: Item) -> Row:
        days: Any = one.stock * period.days // one.sold
        return Row((one.sku, one.name, one.stock, one.sold, days))

    headings = (_SKU, _NAME, _STOCK, _SOLD, Column("days_left", "Lasts for days", Kind.COUNT))
    note = f"Published, {settings.LOW_STOCK:,} pieces or fewer, and sold in these days."
    rows, is_stream = _found(lambda: stock.low(period, filters), row)
    return Table("Low stock", headings, rows, note=note, is_stream=is_stream)
