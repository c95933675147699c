"""Random imports, edits, sales, undos and redos: each undo does what it promises to every single product."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from imports import undoing
from imports.models import ImportRun
from shop import stock
from shop.models import Product, StockMovement
from tests.imports.running import csv_of, import_rows, row, work

pytestmark = pytest.mark.django_db

_SKUS = "ABCDEF"
# What is no content, or another one each time that a product comes back.
_ASIDE = "- 'updated_at' - 'source_hash' - 'opening_stock'"

type Snapshot = dict[str, dict[str, Any]]

skus = st.sampled_from(_SKUS)
some = st.lists(skus, min_size=1, max_size=4, unique=True)
values = st.integers(1, 3)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("import"), some, values),
        st.tuples(st.just("prices"), some, values),
        st.tuples(st.just("edit"), skus, values),
        st.tuples(st.just("sell"), skus, st.just(0)),
        st.tuples(st.just("delete"), skus, st.just(0)),
        st.tuples(st.just("undo"), st.integers(0, 3), st.just(0)),
    ),
    min_size=3,
    max_size=9,
)


@dataclass
class Written:
    """A run, the products before and after it, and how many sales there had been then."""

    run: ImportRun
    before: Snapshot
    after: Snapshot
    sales: int


class Shop:
    """The shop of one example; every run is done at once."""

    def __init__(self) -> None:
        self.runs: list[Written] = []

    def do(self, what: str, target: Any, value: int) -> None:
        getattr(self, f"_{what}")(target, value)
        assert _ledger_differs() == []

    def _import(self, skus: list[str], value: int) -> None:
        rows = [row(sku, name=f"{sku} {value}", price=str(value), stock=str(value), category=f"C{value}")
                for sku in skus]  # fmt: skip
        self._run(lambda: import_rows(rows))

    def _prices(self, skus: list[str], value: int) -> None:
        rows = [{"sku": sku, "price": str(value)} for sku in skus]
        self._run(lambda: import_rows(csv_of(rows)))

    def _run(self, write: Any) -> ImportRun:
        before = _snapshot()
        run: ImportRun = write()
        assert run.state == "completed", run.error
        sales = StockMovement.objects.exclude(kind__in=["import", "undo"]).count()
        self.runs.append(Written(run, before, _snapshot(), sales))
        return run

    def _edit(self, sku: str, value: int) -> None:
        _as_staff()
        Product.objects.filter(sku=sku).update(description=f"Edited {value}")

    def _sell(self, sku: str, value: int) -> None:
        _as_staff()
        if Product.objects.filter(sku=sku, stock__gt=0).exists():
            stock.move({sku: -1}, kind=StockMovement.Kind.SALE)

    def _delete(self, sku: str, value: int) -> None:
        _as_staff()
        Product.objects.filter(sku=sku).delete()

    def _undo(self, back: int, value: int) -> None:
        """Undo one of the last runs, if that is possible, and look at each product."""
        able = [one for one in self.runs if undoing.is_undoable(one.run)]
        if back >= len(able):
            return
        undone = able[-1 - back]
        now = _snapshot()
        would = undoing.preview(undone.run)
        run = self._run(lambda: work(undoing.begin(undone.run)))
        then = _snapshot()
        kept = set(run.set_aside.values_list("sku", flat=True))
        for sku in _SKUS:
            self._check(sku, undone, now.get(sku), then.get(sku), kept)
        assert (would.restore, would.remove, would.bring_back, would.keep) == (
            run.updated, run.removed, run.created, run.skipped,
        )  # fmt: skip

    def _check(self, sku: str, undone: Written, now: Any, then: Any, kept: set[str]) -> None:
        before, after = undone.before.get(sku), undone.after.get(sku)
        if before == after:
            assert then == now, "the run did not touch it"
            return
        wrote_stock = not before or not after or before["stock"] != after["stock"]
        sold = wrote_stock and after and _moved_since(after["id"], undone.sales)
        if _content(now, wrote_stock) != _content(after, wrote_stock) or sold:
            assert then == now
            assert sku in kept or now is None or (after and now["id"] != after["id"])
        else:
            assert then == (before if wrote_stock else before | {"stock": now["stock"]})
            assert sku not in kept


def _content(cells: dict[str, Any] | None, with_stock: bool) -> dict[str, Any] | None:
    return cells and {name: value for name, value in cells.items() if with_stock or name != "stock"}


def _moved_since(product: str, sales: int) -> bool:
    """Whether people moved the product's stock after the first so many movements of all products."""
    moves = StockMovement.objects.exclude(kind__in=["import", "undo"]).order_by("pk")
    return product in [str(pk) for pk in moves.values_list("product_id", flat=True)[sales:]]


def _snapshot() -> Snapshot:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT sku, (to_jsonb(p) {_ASIDE})::text FROM shop_product p")
        return {sku: json.loads(cells) for sku, cells in cursor.fetchall()}


def _ledger_differs() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT sku FROM shop_product p WHERE stock <> opening_stock + coalesce(
                (SELECT sum(quantity) FROM shop_stockmovement m WHERE m.product_id = p.id), 0)
            """
        )
        return [sku for (sku,) in cursor.fetchall()]


def _as_staff() -> None:
    """All of an example is one transaction, in which what imports announce would go on to be said."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('tallyman.source_hash', '', true),"
                       " set_config('tallyman.stock_kind', '', true)")  # fmt: skip


@given(operations)
@settings(max_examples=25, deadline=None)
def test_undo_keeps_its_promise_whatever_happened(history: list[tuple[str, Any, int]]) -> None:
    with transaction.atomic():
        shop = Shop()
        for operation in history:
            shop.do(*operation)
        transaction.set_rollback(True)
