"""Every order line by itself, from a cursor that the database keeps: millions take no memory.

The delivery and what was given back are lines of their own, so all lines come to what the other reports say.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from reports.queries.facts import Facts
from reports.questions import Question
from reports.results import Column, Kind, Row, Table
from reports.sums import Sums
from reports.wording import TOTAL

COLUMNS = (
    Column("order_id", _("Order"), Kind.TEXT),
    Column("date", _("Date"), Kind.MOMENT),
    Column("customer", pgettext_lazy("report", "Customer"), Kind.TEXT),
    Column("product", _("Product"), Kind.TEXT),
    Column("sku", pgettext_lazy("report", "SKU"), Kind.TEXT),
    Column("quantity", _("Quantity"), Kind.COUNT),
    Column("price", _("Price"), Kind.MONEY),
    Column("total", TOTAL, Kind.MONEY),
)
_BATCH = 2000


def table(question: Question, now: Sums, *, until: datetime) -> Table:
    """The table, whose rows are read when they are asked for; what comes after `until` is not in the sums."""
    last = Row((TOTAL, None, "", "", "", now.units, None, now.kept))
    note = _("Totals are with tax, after discounts. What was given back has lines of its own, on its day.")
    return Table(
        pgettext_lazy("report", "Lines"), COLUMNS, _Rows(question, until), last, note, is_stream=True
    )


class _Rows:
    """Read anew, from a cursor of its own, each time that it is iterated, with words of ours in the
    language that is active then."""

    def __init__(self, question: Question, until: datetime) -> None:
        self.question, self.until = question, until

    def __iter__(self) -> Iterator[Row]:
        period = self.question.period
        facts = Facts((), self.question.filters)
        sql = facts.each_line((period.begin, min(period.end, max(period.begin, self.until))))
        with connection.chunked_cursor() as cursor:
            cursor.execute(sql, facts.parameters)
            while found := cursor.fetchmany(_BATCH):
                yield from (_row(one, period.zone) for one in found)


def _row(found: tuple[Any, ...], zone: ZoneInfo) -> Row:
    number, at, *rest = found
    return Row((str(number), at.astimezone(zone), *rest))
