"""Sums up days that are over, and those again that changed since: the roll-up that reports.queries reads.

    beat's tick → reports.roll from the earliest day that is not summed up → the next days → …

What changes what was sold leaves a mark, in its own transaction (the triggers of migration 0001). A day with
a mark is not read from the roll-up. Whoever sums it up takes away the marks it saw and writes the sums, in
one transaction, the marks first: what is committed after that left a mark that stays.
"""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from reports import sharing
from reports.periods import Period
from reports.queries import dimensions
from reports.queries.dimensions import Dimension
from reports.queries.facts import Facts
from reports.sums import Sums
from shop.transitions import locked
from tasks import claiming
from tasks.claiming import Claim
from tasks.models import Job
from tasks.queueing import NewJob, create

KIND = "reports.roll"
_SUBJECT = "reports/days"
_ROLLING = 0x7A11_0009  # key of the advisory lock that lets one transaction at a time sum up
_DAYS = 31  # in one transaction
_REFUNDS = 500
_SALES = (dimensions.COUNTRY, dimensions.PAYMENT, dimensions.DISCOUNT, dimensions.TAX_RATE)
_ITEMS = (
    dimensions.CATEGORY, dimensions.PRODUCT, dimensions.PRODUCT_NAME, dimensions.SKU, dimensions.NAME,
)  # fmt: skip

# Days without sales are days, too. Those in another zone or currency are done again.
_DUE = """
WITH days AS (
    SELECT generate_series(
        (SELECT (min(paid_at) AT TIME ZONE %(zone)s)::date FROM shop_order WHERE paid_at IS NOT NULL),
        %(yesterday)s::date, interval '1 day'
    )::date AS day
), marked AS (
    SELECT DISTINCT (at AT TIME ZONE %(zone)s)::date AS day FROM reports_change
)
SELECT day FROM days
WHERE day IN (SELECT day FROM marked)
   OR day NOT IN (SELECT day FROM reports_rolledday WHERE zone = %(zone)s AND currency = %(currency)s)
ORDER BY day LIMIT %(limit)s
"""
_UNMARK = "DELETE FROM reports_change WHERE at >= %(begin)s AND at < %(end)s"
_NOTE = """
INSERT INTO reports_rolledday (day, zone, currency)
SELECT day, %(zone)s, %(currency)s FROM unnest(%(days)s::date[]) AS day
ON CONFLICT (day) DO UPDATE SET zone = excluded.zone, currency = excluded.currency, rolled_at = now()
"""


def look() -> None:
    """The tick: have days summed up that are due, unless that is going on."""
    if not Job.objects.of(_SUBJECT).unfinished().exists() and (due(limit=1) or sharing.unshared().exists()):
        create([NewJob(KIND, _SUBJECT, "Reports: summing up days")])


def roll(claim: Claim) -> None:
    """The job: share out refunds that nobody did, sum up some days; what is left is another job's."""
    with transaction.atomic():
        if share_out() or sum_up():
            create([NewJob(KIND, _SUBJECT, "Reports: summing up more days")])
        claiming.complete(claim)


def share_out() -> bool:
    """Share out some refunds that were done while nobody did; returns whether more may be left."""
    with transaction.atomic():
        refunds = list(sharing.unshared()[:_REFUNDS])
        for refund in refunds:
            sharing.share_out(locked(refund.payment.order), refund)
    return len(refunds) == _REFUNDS


def sum_up() -> bool:
    """Sum up the earliest days that are due; returns whether more are left."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ROLLING])
        days = due(limit=_DAYS + 1)
        for first, last in _runs(days[:_DAYS]):
            _sum_up(cursor, Period(first, last, ZoneInfo(settings.TIME_ZONE)))
    return len(days) > _DAYS


def due(*, limit: int) -> list[date]:
    """Days that are over, in the store's zone, and not summed up as they are now; the earliest first."""
    zone = ZoneInfo(settings.TIME_ZONE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT (now() AT TIME ZONE %s)::date - 1", [zone.key])
        [yesterday] = cursor.fetchone()
        parameters = {"zone": zone.key, "currency": settings.STORE_CURRENCY, "yesterday": yesterday}
        cursor.execute(_DUE, parameters | {"limit": limit})
        return [day for (day,) in cursor.fetchall()]


def _runs(days: list[date]) -> list[tuple[date, date]]:
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and day - runs[-1][1] == timedelta(days=1):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def _sum_up(cursor: CursorWrapper, period: Period) -> None:
    days = [period.first + timedelta(days=number) for number in range(period.days)]
    cursor.execute(_UNMARK, {"begin": period.begin, "end": period.end})
    _write(cursor, "reports_dailysales", _SALES, period)
    _write(cursor, "reports_dailyitem", _ITEMS, period)
    parameters = {"zone": period.zone.key, "currency": settings.STORE_CURRENCY, "days": days}
    cursor.execute(_NOTE, parameters)


def _write(cursor: CursorWrapper, table: str, kept: tuple[Dimension, ...], period: Period) -> None:
    facts = Facts(kept)
    inner = facts.of_spans([(period.begin, period.end)])
    day = f"(at AT TIME ZONE {facts.parameter(period.zone.key)})::date"
    names, numbers = ", ".join(one.name for one in kept), ", ".join(map(str, range(1, len(kept) + 2)))
    sums = ", ".join(f"sum({name})" for name in Sums._fields)
    cursor.execute(f"DELETE FROM {table} WHERE day BETWEEN %s AND %s", [period.first, period.last])  # noqa: S608
    cursor.execute(
        f"""
        INSERT INTO {table} (day, {facts.names})
        SELECT {day}, {names}, {sums} FROM ({inner}) f GROUP BY {numbers}
        """,  # noqa: S608 - no values in it
        facts.parameters,
    )
