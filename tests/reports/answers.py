"""Answers made by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from reports.periods import Period
from reports.questions import Comparison, Grouping, Question
from reports.results import Answer, Chart, Column, Figure, Kind, Row, Series, Shape, Table

BERLIN = ZoneInfo("Europe/Berlin")
MADE = datetime(2026, 2, 1, 5, 30, tzinfo=UTC)
ODD_NAMES = [
    "كوب من الخزف",
    "Mug 🫖☕",
    "=cmd|' /C calc'!A1",
    "@SUM(1)",
    "<b>bold</b> & co",
    "-20 % off",
    "茶碗",
]


def a_question(**changes: Any) -> Question:
    fields = {"report": "sales", "period": Period(date(2026, 1, 1), date(2026, 1, 31), BERLIN), **changes}
    return Question(**fields)


def an_answer(tables: Sequence[Table] = (), **changes: Any) -> Answer:
    """A report with these tables, in euros."""
    fields: dict[str, Any] = {
        "question": a_question(),
        "title": "Sales by day",
        "currency": "EUR",
        "made_at": MADE,
        "tables": tables,
    }
    return Answer(**(fields | changes))


DAILY = [
    Column("day", "Day", Kind.DAY),
    Column("orders", "Orders", Kind.COUNT),
    Column("gross", "Gross", Kind.MONEY),
    Column("refund_rate", "Refunded", Kind.SHARE),
]


def amounts(days: int, start: int = 7) -> list[Decimal]:
    """Some that go up and down by the week."""
    return [Decimal(900 + (at * 37 * start) % 610 + (at % 7) * 160 + at * 9) / 4 for at in range(days)]


def by_day(days: int = 31, *, compare: bool = True, language: str = "en") -> Answer:
    """Sales by day, the last one of them without any."""
    first = date(2026, 1, 1)
    period = Period(first, first + timedelta(days=days - 1), BERLIN)
    comparison = Comparison.PREVIOUS if compare else Comparison.NONE
    question = a_question(period=period, compare=comparison, language=language)
    now, then = amounts(days), amounts(days, 5)
    rows = [
        Row(
            (first + timedelta(days=at), int(now[at] // 40), now[at], Decimal("0.0125") * (at % 3)),
            (first + timedelta(days=at - days), int(then[at] // 40), then[at], Decimal(0))
            if compare
            else None,
        )
        for at in range(days)
    ]
    orders, gross = sum(int(one // 40) for one in now), sum(now, Decimal(0))
    was_orders, was = sum(int(one // 40) for one in then), sum(then, Decimal(0))
    total = Row(
        (None, orders, gross, Decimal("0.0121")), (None, was_orders, was, Decimal(0)) if compare else None
    )
    labels = [f"{row.cells[0]:%b} {row.cells[0].day}" for row in rows if isinstance(row.cells[0], date)]
    before = [Series("Before", then, is_before=True)] if compare else []
    return an_answer(
        [Table("By day", DAILY, rows, total)],
        question=question,
        compared=question.compared(),
        figures=[
            Figure("gross", "Gross", Kind.MONEY, gross, was if compare else None),
            Figure("orders", "Orders", Kind.COUNT, orders, was_orders if compare else None),
            Figure("average", "Average order", Kind.MONEY, Decimal("40.12"), Decimal("40.12")),
            Figure("refunds", "Given back", Kind.MONEY, Decimal("12.50"), Decimal(0), False),
            Figure("refund_rate", "Share given back", Kind.SHARE, Decimal("0.0121"), Decimal("0.031"), False),
        ],
        charts=[
            Chart("Gross by day", Shape.LINE, Kind.MONEY, labels, [Series("Gross", now), *before]),
            Chart(
                "Orders by day", Shape.LINE, Kind.COUNT, labels,
                [Series("Orders", [int(one // 40) for one in now])],
            ),
        ],
        notes=["Orders count on the day they were placed.", "Cancelled orders are left out."],
    )  # fmt: skip


def by_category(categories: int = 30) -> Answer:
    """A tree, with names in scripts that go either way, formulas, and more given back than sold."""
    columns = [
        Column("category", "Category", Kind.TEXT),
        Column("units", "Units", Kind.COUNT),
        Column("gross", "Gross", Kind.MONEY),
    ]
    names = [*ODD_NAMES, *(f"Category {at}" for at in range(categories - len(ODD_NAMES)))]
    values = [Decimal(52_000 - at * 1_750) / 7 for at in range(categories - 1)] + [Decimal("-1234.56")]
    values = [value.quantize(Decimal("0.01")) for value in values]
    rows = [
        Row(
            (name, at * 3, value),
            (name, at * 2, abs(value) * (at % 4) / 2) if at % 5 else None,
            depth=at % 4,
        )
        for at, (name, value) in enumerate(zip(names, values, strict=True))
    ]
    total = Row(("Total", 1_305, sum(values)), ("Total", 870, Decimal("51000.00")))
    before = [row.before[2] if row.before else Decimal(0) for row in rows]
    return an_answer(
        [Table("By category", columns, rows, total, note="A category holds those below it.")],
        title="Sales by category",
        question=a_question(group_by=Grouping.CATEGORY, compare=Comparison.YEAR),
        compared=a_question(compare=Comparison.YEAR).compared(),
        figures=[Figure("gross", "Gross", Kind.MONEY, sum(values), Decimal("51000.00"))],
        charts=[
            Chart(
                "Gross by category", Shape.BARS, Kind.MONEY, names,
                [Series("2026", values), Series("2025", before, is_before=True)],  # type: ignore[arg-type]
            )
        ],
    )  # fmt: skip


LINES = [
    Column("order_id", "Order", Kind.COUNT),
    Column("date", "Date", Kind.MOMENT),
    Column("customer", "Customer", Kind.TEXT),
    Column("product", "Product", Kind.TEXT),
    Column("sku", "SKU", Kind.TEXT),
    Column("quantity", "Quantity", Kind.COUNT),
    Column("price", "Price", Kind.MONEY),
    Column("total", "Total", Kind.MONEY),
]


def lines(count: int) -> Iterator[Row]:
    """Order lines, one at a time."""
    price = Decimal("19.99")
    for at in range(count):
        name = ODD_NAMES[at % len(ODD_NAMES)]
        moment = MADE + timedelta(seconds=at)
        quantity = at % 3 + 1
        yield Row(
            (
                10_001 + at,
                moment,
                f"kim{at}@example.com",
                name,
                f"SKU-{at}",
                quantity,
                price,
                price * quantity,
            )
        )


def by_line(rows: Iterator[Row]) -> Answer:
    total = Row((None, None, None, None, None, 6, None, Decimal("119.94")))
    return an_answer(
        [Table("Order lines", LINES, rows, total, is_stream=True)],
        title="Order lines",
        question=a_question(group_by=Grouping.LINES),
    )


def an_empty_answer() -> Answer:
    return an_answer(
        [Table("By day", DAILY, [], None)],
        figures=[
            Figure("gross", "Gross", Kind.MONEY, Decimal(0), Decimal(0)),
            Figure("average", "Average order", Kind.MONEY, None),
        ],
        charts=[Chart("Gross by day", Shape.LINE, Kind.MONEY, [], [Series("Gross", [])])],
    )
