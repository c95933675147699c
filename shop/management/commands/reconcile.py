"""manage.py reconcile: does all that the shop says of stock, orders and money add up?"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from shop import reconciling


class Command(BaseCommand):
    """Exit code 0 when everything adds up, 1 when something is off."""

    help = (
        "Compare stock with its ledger, orders with lines, payments, invoices, events, shipments and codes."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        off = 0
        for sentence in reconciling.findings():
            off += 1
            self.stdout.write(sentence)
        if off:
            self.stderr.write(f"{off:,} {'things are' if off > 1 else 'thing is'} off.")
            sys.exit(1)
        self.stdout.write("Stock, orders, payments, invoices, events, shipments and discount codes add up.")
