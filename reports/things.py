"""Sales by what was sold, to whom, where to, how it was paid: a row for each, the largest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from babel.numbers import format_percent
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from reports import columns, tree
from reports.columns import OF_ORDERS, OF_THINGS, SHARE
from reports.queries import sales
from reports.queries.sales import Group
from reports.questions import Grouping, Question
from reports.results import Chart, Column, Kind, Row, Series, Shape, Table, Text, Value
from reports.sums import Sums
from reports.wording import BEFORE, BY, GROSS, NO_CATEGORY, OTHERS, TITLES, TOTAL, what_by
from shop import countries, gateways
from shop.gateways import UnknownMethod
from shop.languages import locale

_TOP = 10  # bars of a chart; the table has all
_THINGS = (Grouping.PRODUCT, Grouping.VARIANT, Grouping.CATEGORY)


def tables(question: Question, now: Sums, before: Sums | None) -> tuple[list[Table], list[Chart]]:
    """The table of the question's grouping, and its chart."""
    grouping = question.group_by
    asked = (grouping, question.period, question.compared(), question.filters)
    found = sales.groups(*asked)
    is_stream = len(found) > sales.MOST_GROUPS
    if grouping == Grouping.CATEGORY and not is_stream:
        found = tree.rolled_up(found)
    layout = _Layout(grouping, now, before)
    rows = map(layout.row, sales.each_group(*asked)) if is_stream else [layout.row(one) for one in found]
    table = Table(BY[grouping], layout.headings(), rows, layout.total(), layout.note, is_stream)
    return [table], [_chart(grouping, found, now, before)]


class _Layout:
    """How groups become rows."""

    def __init__(self, grouping: Grouping, now: Sums, before: Sums | None) -> None:
        self.grouping, self.now, self.before = grouping, now, before
        self.is_of_things = grouping in _THINGS
        self.has_name = grouping in (Grouping.PRODUCT, Grouping.VARIANT)
        self.shown = OF_THINGS if self.is_of_things else OF_ORDERS

    @property
    def note(self) -> Text:
        if self.grouping != Grouping.CATEGORY:
            return ""
        return _("A category has what was sold in those below it, too; the total counts everything once.")

    def headings(self) -> tuple[Column, ...]:
        title = TITLES[self.grouping]
        kind = Kind.SHARE if self.grouping == Grouping.TAX_RATE else Kind.TEXT
        heads = [Column(self.grouping.value, title, kind)]
        if self.has_name:
            heads = [
                Column("sku", pgettext_lazy("report", "SKU"), Kind.TEXT),
                Column("name", title, Kind.TEXT),
            ]
        return (*heads, *columns.headings(self.shown), SHARE)

    def row(self, group: Group) -> Row:
        before = self._cells(group.before, self.before) if self.before else None
        heads = self._heads(group)
        blanks = (None,) * len(heads)
        return Row(
            (*heads, *self._cells(group.now, self.now)),
            (*blanks, *before) if before else None,
            depth=tree.depth(group.key) if self.grouping == Grouping.CATEGORY else 0,
        )

    def _heads(self, group: Group) -> tuple[Value, ...]:
        if group.key is None:
            return ("", _("Delivery")) if self.has_name else (_("Delivery"),)
        return (group.key, group.name) if self.has_name else (name_of(self.grouping, group.key),)

    def _cells(self, sums: Sums, whole: Sums) -> tuple[Value, ...]:
        return (*columns.cells(self.shown, sums), columns.share(sums.gross, whole.gross))

    def total(self) -> Row:
        heads: tuple[Value, ...] = (TOTAL, "") if self.has_name else (TOTAL,)
        before = (*(None for _ in heads), *self._cells(self.before, self.before)) if self.before else None
        return Row((*heads, *self._cells(self.now, self.now)), before)


def name_of(grouping: Grouping, key: Any) -> Value:
    """What a key is called, or the share that a tax rate is."""
    match grouping:
        case Grouping.TAX_RATE:
            return Decimal(key) / 100
        case Grouping.COUNTRY:
            return _country(key) if key else pgettext_lazy("country", "Unknown")
        case Grouping.PAYMENT:
            return _method(key)
    blank = {
        Grouping.CATEGORY: NO_CATEGORY, Grouping.CUSTOMER: _("Erased customers"),
        Grouping.DISCOUNT: _("No code"),
    }  # fmt: skip
    return key or blank.get(grouping, "")


_country = lazy(countries.name_of, str)


def _method(code: str) -> Text:
    if not code:
        return _("Nothing to pay")
    try:
        return gateways.named(code).method.name
    except UnknownMethod:
        return code


def _chart(grouping: Grouping, found: Sequence[Group], now: Sums, before: Sums | None) -> Chart:
    """The largest, and all others together; of categories those at the top of the tree."""
    things = [one for one in found if one.key is not None]
    if grouping == Grouping.CATEGORY:
        things = [one for one in things if not tree.depth(one.key)]
    top, more = things[:_TOP], len(things) > _TOP
    labels = [_label(grouping, one) for one in top]

    def values(of: Callable[[Group], Sums], whole: Sums) -> list[Decimal]:
        shown = [of(one).gross for one in top]
        if not more:
            return shown
        delivery = sum((of(one).gross for one in found if one.key is None), Decimal("0.00"))
        return [*shown, whole.gross - sum(shown) - delivery]

    series = [Series(GROSS, values(lambda one: one.now, now))]
    if before:
        series.append(Series(BEFORE, values(lambda one: one.before, before), is_before=True))
    title = what_by(GROSS, grouping)
    return Chart(title, Shape.BARS, Kind.MONEY, [*labels, *([OTHERS] if more else [])], series)


def _label(grouping: Grouping, group: Group) -> Text:
    if grouping == Grouping.TAX_RATE:
        return format_percent(Decimal(group.key) / 100, decimal_quantization=False, locale=locale())
    return group.name or str(name_of(grouping, group.key))
