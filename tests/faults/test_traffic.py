"""Customers and staff at the products that an import writes: nobody waits in a circle, nothing is lost."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.faults.conftest import Reference, start_import, state_of, wait_until_over
from tests.stack import Stack

_SEED = 20


def _until(
    ended: threading.Event, action: Callable[[], None], errors: list[BaseException]
) -> threading.Thread:
    def act() -> None:
        try:
            while not ended.is_set():
                action()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


class _Shop:
    """Orders of several products, as `shop.stock.move` takes them, and edits of single ones."""

    def __init__(self, stack: Stack, skus: list[str]) -> None:
        self._dice = random.Random(_SEED)
        self._skus = skus
        self._connection = psycopg.connect(stack.database_url)
        self.done = 0

    def sell(self) -> None:
        order = sorted(self._dice.sample(self._skus, 20))
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute("SELECT set_config('tallyman.stock_kind', 'sale', true)")
            cursor.execute(
                "SELECT count(*) FROM (SELECT FROM shop_product WHERE sku = ANY(%s) ORDER BY sku"
                " FOR NO KEY UPDATE) locked",
                [order],
            )
            cursor.execute(
                "UPDATE shop_product SET stock = stock - 1 WHERE sku = ANY(%s) AND stock > 0", [order]
            )
            self.done += cursor.rowcount

    def edit(self) -> None:
        with self._connection.transaction():
            self._connection.execute(
                "UPDATE shop_product SET featured = NOT featured WHERE sku = %s",
                [self._dice.choice(self._skus)],
            )
            self.done += 1


def test_sales_and_edits_go_on_beside_an_import(stack: Stack, catalogue: Path, reference: Reference) -> None:
    skus = [sku for (sku,) in stack.sql("SELECT sku FROM shop_product ORDER BY sku")]
    stack.launch("beat")
    stack.environment["WORKER_CONCURRENCY"] = "2"
    stack.launch("worker")
    ended, errors = threading.Event(), list[BaseException]()
    shops = [_Shop(stack, skus), _Shop(stack, skus)]
    run = start_import(stack, catalogue)
    threads = [_until(ended, shops[0].sell, errors), _until(ended, shops[1].edit, errors)]

    wait_until_over(stack, run)
    ended.set()
    for thread in threads:
        thread.join(30)

    assert errors == []
    assert [shop.done > 0 for shop in shops] == [True, True]
    assert state_of(stack, run) == "completed"
    assert (
        stack.sql(
            "SELECT p.sku FROM shop_product p LEFT JOIN LATERAL (SELECT sum(m.quantity) AS moved"
            " FROM shop_stockmovement m WHERE m.product_id = p.id) m ON true"
            " WHERE p.stock <> p.opening_stock + coalesce(m.moved, 0)"
        )
        == []
    )
    [(deadlocks,)] = stack.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert deadlocks == 0
    [(rows,)] = stack.sql("SELECT count(*) FROM shop_product")
    assert rows == len(reference.effects.products)
