"""Makes sample sales: all of them or none, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from reports.samples import following, goods
from reports.samples.customers import CODES, Customers
from reports.samples.writing import Writer, write


@dataclass(frozen=True, slots=True)
class Made:
    orders: int
    lines: int


def make(lines: int, *, days: int, until: datetime, seed: int = 1, with_history: bool = True) -> Made:
    """Sell about so many lines of the samples' products on so many days up to a moment.

    `with_history`: with ledger, events, shipments and uses of codes, as `reconcile` wants them; reports need
    none of these. Raises ValueError for no lines, or no days.
    """
    if lines < 1 or days < 1:
        raise ValueError("Ask for one line and one day at least.")
    chance = Random(seed)  # noqa: S311 - must repeat
    since = until - timedelta(days=days + 30)
    zone = ZoneInfo(settings.TIME_ZONE)
    with transaction.atomic(), connection.cursor() as cursor:
        sold = goods.goods(chance, count=min(3000, max(240, lines // 400)), since=since)
        _announce(cursor)
        cursor.execute("SELECT nextval('shop_order_number'), coalesce(max(id), 0) FROM shop_stockmovement")
        mark, last = cursor.fetchone()
        customers = Customers(chance, sold, included=settings.PRICES_INCLUDE_TAX)
        writer = Writer(cursor, chance, settings.STORE_CURRENCY, settings.PRICES_INCLUDE_TAX, str(mark))
        orders = write(writer, customers.orders(lines, days=days, until=until, zone=zone))
        parameters = {"zone": zone.key, "since": since, "last": last}
        parameters |= {"codes": list(CODES), "percents": list(CODES.values())}
        cursor.execute("ANALYZE sample_order")
        for statement in (*following.FIGURES, *(following.HISTORY if with_history else ())):
            cursor.execute(statement, parameters)
        cursor.execute("SELECT count(*) FROM sample_order s JOIN shop_orderline l ON l.order_id = s.order_id")
        [count] = cursor.fetchone()
        cursor.execute("DROP TABLE sample_order, sample_part")
    return Made(orders, count)


def _announce(cursor: CursorWrapper) -> None:
    """That marks and movements are written here, and, where the role may, that keys need no checks: all rows
    refer to each other."""
    cursor.execute(following.TEMPORARY)
    cursor.execute(
        "SELECT set_config('tallyman.report_days', 'marked', true),"
        " set_config('tallyman.stock_kind', 'written', true),"
        " has_parameter_privilege('session_replication_role', 'SET')"
    )
    if cursor.fetchone()[2]:
        cursor.execute("SET LOCAL session_replication_role = 'replica'")
