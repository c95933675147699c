"""`manage.py make_sales`: years of sample orders, to look at reports with."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models.functions import Now
from django.utils import timezone

from invoices.models import Counter
from reports import rolling
from reports.samples.making import make


class Command(BaseCommand):
    """Exit 0 when made, 1 on any failure, with nothing made."""

    help = (
        "Make sample orders of products of their own, with seasons, discounts, refunds and several countries,"
        " the same for the same arguments. For a shop that tries things out: they can't be taken away again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """LINES [--days N] [--seed N]."""
        parser.add_argument("lines", metavar="LINES", type=int, help="how many order lines, about")
        parser.add_argument("--days", metavar="N", type=int, default=400, help="up to now (400)")
        parser.add_argument("--seed", metavar="N", type=int, default=1, help="another number, other orders")

    def handle(self, *, lines: int, days: int, seed: int, **options: Any) -> None:
        """Make them and sum up their days."""
        begun = time.monotonic()
        try:
            made = make(lines, days=days, until=timezone.now(), seed=seed)
        except ValueError as error:
            raise CommandError(str(error)) from error
        # Sample orders have no invoices: the shop's own begin after them. Those that are there stay checked.
        Counter.objects.filter(since__isnull=False).update(since=Now())
        while rolling.sum_up():
            pass
        seconds = time.monotonic() - begun
        self.stdout.write(f"Made {made.orders:,} orders with {made.lines:,} lines in {seconds:,.0f} s.")
