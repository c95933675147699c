"""The stock report: what lies how long, what runs out, how much of what was there has sold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from reports import columns
from reports.catalogue import Report, register
from reports.periods import Period
from reports.queries import stock
from reports.queries.sales import MOST_GROUPS
from reports.queries.stock import Item, Shelf
from reports.questions import Grouping, Question
from reports.results import Answer, Chart, Column, Figure, Kind, Row, Series, Shape, Table, Text, Value
from reports.wording import BY, NO_CATEGORY, OTHERS, TITLES, TOTAL, what_by
from shop.languages import number_text

_SKU, _NAME = (
    Column("sku", pgettext_lazy("report", "SKU"), Kind.TEXT),
    Column("name", _("Product"), Kind.TEXT),
)
_STOCK = Column("stock", pgettext_lazy("report", "In stock"), Kind.COUNT)
_VALUE = Column("value", _("Value at price"), Kind.MONEY)
_SOLD = Column("sold", pgettext_lazy("report", "Sold"), Kind.COUNT)
_THROUGH = Column("sell_through", _("Sell-through"), Kind.SHARE)
_PRODUCTS = Column("products", pgettext_lazy("report", "Products"), Kind.COUNT)
_TITLE = pgettext_lazy("report", "Stock")
_AGES = {
    "30": _("0 to 30 days"),
    "90": _("31 to 90 days"),
    "180": _("91 to 180 days"),
    "365": _("181 to 365 days"),
    stock.OLDER: _("more than a year"),
}
_TOP = 10
_WORTH, _LAST = pgettext_lazy("report", "Value"), _("Last sold")
_OF_SHELVES = (_PRODUCTS, _STOCK, _VALUE, _SOLD, _THROUGH)


def connect() -> None:
    """Be among the reports; called once, when Django is ready."""
    groupings = (Grouping.VARIANT, Grouping.CATEGORY)
    register(Report("stock", _TITLE, answer, groupings, ("category", "sku"), compares=False))


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
        title=_TITLE,
        currency=settings.STORE_CURRENCY,
        made_at=timezone.now(),
        figures=_figures(whole, stock.count_low(period, filters)),
        charts=[_aged(ages), _valued(shelves)],
        tables=[main, _ages(ages), _low(period, filters)],
        notes=[
            _(
                "Stock is as it is now, at today's prices. Sell-through is what sold in these days, of that"
                " and what is left. Something ages from the day it last sold; from when it came, if not in a"
                " year."
            )
        ],
    )


def _through(sold: int, left: int) -> Value:
    return columns.share(Decimal(sold), Decimal(sold + left))


def _together(shelves: Sequence[Shelf]) -> Shelf:
    return Shelf(
        "",
        sum(one.products for one in shelves),
        sum(one.stock for one in shelves),
        sum((one.value for one in shelves), Decimal("0.00")),
        sum(one.sold for one in shelves),
    )


def _figures(whole: Shelf, low: int) -> list[Figure]:
    return [
        Figure(_STOCK.key, _STOCK.title, Kind.COUNT, whole.stock, is_good_when_higher=None),
        Figure(_VALUE.key, _VALUE.title, Kind.MONEY, whole.value, is_good_when_higher=None),
        Figure(_SOLD.key, _SOLD.title, Kind.COUNT, whole.sold),
        Figure(_THROUGH.key, _THROUGH.title, Kind.SHARE, _through(whole.sold, whole.stock)),
        Figure("low", _("Low, and selling"), Kind.COUNT, low, is_good_when_higher=False),
    ]


def _aged(ages: Sequence[Shelf]) -> Chart:
    values = [one.value for one in ages]
    title, labels = _("Value by days since it last sold"), [_AGES[one.name] for one in ages]
    return Chart(title, Shape.BARS, Kind.MONEY, labels, [Series(_WORTH, values)])


def _valued(shelves: Sequence[Shelf]) -> Chart:
    top, others = shelves[:_TOP], shelves[_TOP:]
    labels, values = [one.name or NO_CATEGORY for one in top], [one.value for one in top]
    if others:
        labels.append(OTHERS)
        values.append(_together(others).value)
    return Chart(what_by(_WORTH, Grouping.CATEGORY), Shape.BARS, Kind.MONEY, labels, [Series(_WORTH, values)])


def _shelf(name: Text, one: Shelf) -> Row:
    return Row((name, one.products, one.stock, one.value, one.sold, _through(one.sold, one.stock)))


def _categories(shelves: Sequence[Shelf], whole: Shelf) -> Table:
    head = Column("category", TITLES[Grouping.CATEGORY], Kind.TEXT)
    rows = [_shelf(one.name or NO_CATEGORY, one) for one in shelves]
    return Table(BY[Grouping.CATEGORY], (head, *_OF_SHELVES), rows, _shelf(TOTAL, whole))


def _ages(ages: Sequence[Shelf]) -> Table:
    rows, last = [_shelf(_AGES[one.name], one) for one in ages], _shelf(TOTAL, _together(ages))
    note = _("What is in stock only.")
    return Table(_("Ageing"), (Column("age", _LAST, Kind.TEXT), *_OF_SHELVES), rows, last, note)


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
        _SKU, _NAME, _STOCK, _VALUE, _SOLD, _THROUGH, Column("last_sold", _LAST, Kind.DAY),
        Column("age", _("Days since"), Kind.COUNT),
    )  # fmt: skip
    rows, is_stream = _found(lambda: stock.all_items(period, filters), row)
    through = _through(whole.sold, whole.stock)
    last = Row((TOTAL, "", whole.stock, whole.value, whole.sold, through, None, None))
    return Table(BY[Grouping.PRODUCT], headings, rows, last, is_stream=is_stream)


def _low(period: Period, filters: Mapping[str, str]) -> Table:
    def row(one: Item) -> Row:
        days: Any = one.stock * period.days // one.sold
        return Row((one.sku, one.name, one.stock, one.sold, days))

    headings = (_SKU, _NAME, _STOCK, _SOLD, Column("days_left", _("Lasts for days"), Kind.COUNT))
    rows, is_stream = _found(lambda: stock.low(period, filters), row)
    return Table(_("Low stock"), headings, rows, note=lazy(_low_in_words, str)(), is_stream=is_stream)


def _low_in_words() -> str:
    return ngettext(
        "Published, %(count)s piece or fewer, and sold in these days.",
        "Published, %(count)s pieces or fewer, and sold in these days.",
        settings.LOW_STOCK,
    ) % {"count": number_text(settings.LOW_STOCK)}
