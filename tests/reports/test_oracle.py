"""Every figure equals an independent calculation, to the cent: by anything, in any zone, on any day, and
from the roll-up as from the orders."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import rolling
from reports.answering import answer
from reports.models import Change, RolledDay
from reports.periods import Period
from reports.questions import Grouping, Question
from reports.results import Row
from reports.things import name_of
from shop.models import Order, Refund
from tests.reports import oracle
from tests.reports.selling import GivenBack, Sale, Ware, sell

pytestmark = pytest.mark.django_db

WARES = (
    Ware("KNIFE", "Home > Kitchen"),
    Ware("MUG-RED", "Home > Kitchen > Mugs", "MUG"),
    Ware("MUG-BLUE", "Home > Kitchen > Mugs", "MUG"),
    Ware("LAMP", "Home"),
    Ware("BOOK", ""),
)
# In spring and in autumn, around the moment at which the clock moves.
ZONES = {
    "Europe/Berlin": ("2025-03-30T01:00Z", "2025-10-26T01:00Z"),
    "America/New_York": ("2025-03-09T07:00Z", "2025-11-02T06:00Z"),
    "Australia/Lord_Howe": ("2025-10-04T15:30Z", "2025-04-05T15:00Z"),
}
_money = st.decimals("0.01", "99.99", places=2)
_back = st.builds(GivenBack, st.integers(1, 100), st.integers(0, 4000), st.sampled_from([0, 0, 1, 2]))


@st.composite
def sales(draw: st.DrawFn, around: datetime) -> Sale:
    wares = draw(st.lists(st.sampled_from(WARES), min_size=1, max_size=3, unique=True))
    minutes = draw(st.integers(-300, 300) | st.integers(-16_000, 16_000))
    return Sale(
        paid_at=draw(st.just(around + timedelta(minutes=minutes)) | st.none()),
        wares=[(ware, draw(st.integers(1, 9)), draw(_money)) for ware in wares],
        discount=draw(st.just(Decimal(0)) | _money),
        fee=draw(st.sampled_from([Decimal(0), Decimal("4.99")])),
        percent=draw(st.sampled_from([Decimal(0), Decimal("8.1"), Decimal(19)])),
        included=draw(st.booleans()),
        country=draw(st.sampled_from(["CH", "DE", "FR"])),
        email=draw(st.sampled_from(["kim@example.com", "Kim@example.com", "lou@example.com"])),
        gateway=draw(st.sampled_from(["test-card", "invoice"])),
        refunds=draw(st.lists(_back, max_size=3)),
    )


@st.composite
def shops(draw: st.DrawFn) -> tuple[str, str, datetime, list[Sale]]:
    """The zone that is asked for, the store's, the moment that all is around, the sales."""
    zone = draw(st.sampled_from(sorted(ZONES)))
    around = datetime.fromisoformat(draw(st.sampled_from(ZONES[zone])))
    store = draw(st.sampled_from([zone, zone, "UTC"]))
    return zone, store, around, draw(st.lists(sales(around), min_size=1, max_size=6))


@given(shops())
@settings(max_examples=20, deadline=None)
def test_all_figures_are_those_of_an_independent_calculation(
    shop: tuple[str, str, datetime, list[Sale]],
) -> None:
    zone, store, around, sold = shop
    with transaction.atomic(), override_settings(TIME_ZONE=store):
        for sale in sold:
            sell(sale)
        day = around.astimezone(ZoneInfo(zone)).date()
        period = Period(day - timedelta(days=9), day + timedelta(days=9), ZoneInfo(zone))

        _check(period)
        while rolling.sum_up():
            pass
        assert _is_rolled(sold)
        _check(period)
        _change_something()
        _check(period, _SOME)
        while rolling.sum_up():
            pass
        _check(period, _SOME)

        transaction.set_rollback(True)


def _is_rolled(sold: list[Sale]) -> bool:
    is_any = any(sale.paid_at for sale in sold)
    return RolledDay.objects.exists() == is_any and not Change.objects.exists()


def _change_something() -> None:
    """By SQL, as somebody might who knows nothing of reports."""
    Order.objects.filter(paid_at__isnull=False).update(shipping_address={"country": "IT"})
    for refund in Refund.objects.filter(done_at__isnull=False)[:1]:
        later = (refund.done_at or datetime.now(UTC)) + timedelta(days=1)
        Refund.objects.filter(pk=refund.pk).update(done_at=later)


_SOME = (Grouping.DAY, Grouping.VARIANT, Grouping.COUNTRY)


def _check(period: Period, groupings: Iterable[Grouping] = Grouping) -> None:
    facts = list(oracle.facts())
    whole = oracle.sums(Question("sales", period, Grouping.LINES), facts).get("all", oracle.NOTHING)
    for grouping in groupings:
        question = Question("sales", period, grouping)
        found = answer(question)
        [table] = found.tables
        names = [column.key for column in table.columns]
        assert table.total
        if grouping == Grouping.LINES:
            rows = [dict(zip(names, row.cells, strict=True)) for row in table.rows]
            sold, kept = sum(row["quantity"] or 0 for row in rows), sum(row["total"] for row in rows)
            assert (sold, kept) == (whole["units"], Decimal(whole["gross"] - whole["refunds"]) / 100)
            assert table.total.cells[-1] == kept
            continue
        wanted = {
            _shown(grouping, key): seen
            for key, figures in oracle.sums(question, facts).items()
            if any((seen := _seen(names, figures)).values())
        }
        rows_found = {_key(grouping, row): _figures(names, row) for row in table.rows}
        assert {key: row for key, row in rows_found.items() if any(row.values())} == wanted, grouping
        assert _figures(names, table.total) == _seen(names, whole), grouping


def _key(grouping: Grouping, row: Row) -> Any:
    cell = row.cells[0] if row.cells[:2] != ("", "Delivery") else "Delivery"
    if grouping == Grouping.HOUR:
        assert isinstance(cell, datetime)
        return cell.replace(minute=0, tzinfo=None), cell.utcoffset()
    return cell


def _shown(grouping: Grouping, key: Any) -> Any:
    if grouping.is_time:
        return key
    return "Delivery" if key is None else name_of(grouping, key)


_NAMES = {"new_customers": "new"}


def _figures(names: list[str], row: Row) -> dict[str, int]:
    """Of a row of a report, in cents and pieces."""
    found = {_NAMES.get(name, name): value for name, value in zip(names, row.cells, strict=True)}
    return {
        name: int(value * 100) if isinstance(value, Decimal) else value
        for name, value in found.items()
        if name in oracle.NOTHING
    }  # type: ignore[return-value]


def _seen(names: list[str], figures: dict[str, int]) -> dict[str, int]:
    """The figures that such a report shows."""
    shown = {_NAMES.get(name, name) for name in names}
    return {name: value for name, value in figures.items() if name in shown}
