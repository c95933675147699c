"""`python -m bench.reports`: how long reports of a big shop take, from the roll-up and from its orders.

Two years of sample sales; the last year, compared with the one before, from each of both, which must say the
same. Then all lines, and those of a week, as files, each by a process of its own. Replaces the section of its
name in bench/results.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bench import sections
from bench.memory import peak_bytes
from bench.servers import own_servers
from config import embedded

if TYPE_CHECKING:
    from reports.questions import Grouping
    from reports.results import Answer

BASE_DIR = Path(__file__).resolve().parent.parent
_DAYS = 730
_ROUNDS = 3
_EXPORTED = {"a week": 7, "two years": _DAYS + 1}


@dataclass(frozen=True)
class Timed:
    """Seconds of a report, from the roll-up and from the orders."""

    by: str
    rolled: float
    direct: float


@dataclass(frozen=True)
class Export:
    """A file of all lines of some days: lines, bytes, seconds, and the most bytes that its process held."""

    days: str
    format: str
    lines: int
    size: int
    seconds: float
    peak: int


def main() -> None:
    """Measure and write the section; exit code 1 when both ways differ."""
    parser = argparse.ArgumentParser(prog="python -m bench.reports", description=__doc__)
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--out", type=Path, default=BASE_DIR / "bench" / "results.md")
    options = parser.parse_args()
    folder = embedded.data_dir(os.environ.get("TALLYMAN_DATA_DIR"), BASE_DIR) / "bench"
    with own_servers(folder):
        making, lines, orders = _make(options.lines)
        rolling = _roll()
        timed = _timed()
        products = _products()
        exports = [_exported(days, format, folder) for format in ("csv", "xlsx") for days in _EXPORTED]
    section = _section(timed, making=making, lines=lines, orders=orders, products=products, rolling=rolling)
    section += _files(exports)
    print(section)
    sections.replace(options.out, sections.REPORTS, section)


def _make(lines: int) -> tuple[float, int, int]:
    """Make the sales, as far as reports need them; returns the seconds, the lines and the orders."""
    from django.db import connection
    from django.utils import timezone

    from reports.samples.making import make

    begun = time.monotonic()
    made = make(lines, days=_DAYS, until=timezone.now(), with_history=False)
    seconds = time.monotonic() - begun
    print(f"{made.lines:,} lines made in {seconds:,.0f} s", flush=True)
    with connection.cursor() as cursor:
        for table in ("shop_order", "shop_orderline", "shop_payment", "shop_refund", "reports_refundpart"):
            cursor.execute(f"VACUUM ANALYZE {table}")
    return seconds, made.lines, made.orders


def _products() -> int:
    from shop.models import Product

    return Product.objects.count()


def _roll() -> float:
    """Sum up all days; returns the seconds."""
    from django.db import connection

    from reports import rolling

    begun = time.monotonic()
    while rolling.sum_up():
        pass
    seconds = time.monotonic() - begun
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE reports_dailysales, reports_dailyitem, reports_rolledday")
    print(f"rolled up in {seconds:,.0f} s", flush=True)
    return seconds


def _timed() -> list[Timed]:
    """Each report both ways: without a day that is summed up, orders are asked."""
    from reports.models import RolledDay
    from reports.questions import Grouping

    asked = (Grouping.DAY, Grouping.CATEGORY, Grouping.PRODUCT, Grouping.COUNTRY)
    rolled = {by: _measure(by) for by in asked}
    days = list(RolledDay.objects.all())
    RolledDay.objects.all().delete()
    direct = {by: _measure(by, rounds=1) for by in asked}
    RolledDay.objects.bulk_create(days)
    for by in asked:
        if rolled[by][1] != direct[by][1]:
            sys.exit(f"By {by}, the roll-up says something else than the orders.")
    return [Timed(by.value, rolled[by][0], direct[by][0]) for by in asked]


def _measure(by: Grouping, *, rounds: int = _ROUNDS) -> tuple[float, object]:
    """The seconds of a year up to yesterday with the year before, and what it found."""
    from django.conf import settings
    from django.utils import timezone

    from reports.answering import answer
    from reports.periods import Period
    from reports.questions import Comparison, Question

    last = timezone.localdate() - timedelta(days=1)
    period = Period(_first(last), last, ZoneInfo(settings.TIME_ZONE))
    question = Question("sales", period, by, Comparison.YEAR)
    seconds, found = [], None
    for _ in range(rounds):
        begun = time.monotonic()
        found = _said(answer(question))
        seconds.append(time.monotonic() - begun)
    return median(seconds), found


def _exported(days: str, format: str, folder: Path) -> Export:
    """Lines of so many days up to today, by `manage.py sales_report`, Python's start included."""
    from django.utils import timezone

    from shop.models import OrderLine

    today = timezone.localdate()
    first = today - timedelta(days=_EXPORTED[days] - 1)
    out = folder / f"lines.{format}"
    command = [
        *(sys.executable, "manage.py", "sales_report", "--output", str(out)),
        *("--start-date", f"{first}", "--end-date", f"{today}"),
    ]
    begun, peak = time.monotonic(), 0
    process = subprocess.Popen(command, cwd=BASE_DIR)
    while process.poll() is None:
        peak = max(peak, peak_bytes(process.pid))
        time.sleep(0.05)
    seconds = time.monotonic() - begun
    if process.returncode:
        sys.exit(f"The {format} of {days} was not made.")
    lines = OrderLine.objects.filter(order__paid_at__date__gte=first).count()
    found = Export(days, format, lines, out.stat().st_size, seconds, peak)
    print(found, flush=True)
    out.unlink()
    return found


def _files(exports: list[Export]) -> str:
    rows = "\n".join(
        f"| {one.days} | {one.format.upper()} | {one.lines:,} | {one.size / 1e6:,.1f} | {one.seconds:,.1f}"
        f" | {one.peak / 1e6:,.0f} |"
        for one in exports
    )
    return f"""
Every line of some days as a file, by `manage.py sales_report` from its start to its end:

| days | file | lines | MB | seconds | peak MB |
|---|---|---:|---:|---:|---:|
{rows}
"""


def _first(last: date) -> date:
    return last - timedelta(days=364)


def _said(found: Answer) -> object:
    return [figure.value for figure in found.figures], [list(table.rows) for table in found.tables]


def _section(
    timed: list[Timed], *, making: float, lines: int, orders: int, products: int, rolling: float
) -> str:
    rows = "\n".join(
        f"| {one.by.replace('_', ' ')} | {one.rolled * 1000:,.0f} ms | {one.direct:,.1f} s |"
        f" {one.direct / one.rolled:,.0f} × |"
        for one in timed
    )
    return f"""## {sections.REPORTS}

{lines:,} lines of {products:,} products in {orders:,} orders of two years, made in {making:,.0f} s by `COPY`;
all days summed up in {rolling:,.0f} s. A report of the last year, compared with the year before: figures,
chart and table. Both ways say the same. From the roll-up: the median of {_ROUNDS}.

| by | from the roll-up | from the orders | |
|---|---|---|---|
{rows}
"""


if __name__ == "__main__":
    main()
