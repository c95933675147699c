"""manage.py check_stock: compare every product's stock with its ledger."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from shop import stock


class Command(BaseCommand):
    """Exit code 0 when every stock is its opening stock and its movements, 1 when some are not."""

    help = "List the products whose stock is not what its ledger comes to."

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for one in stock.mismatches():
            wrong += 1
            self.stdout.write(f"{one.sku}: the stock is {one.stock:,}, its ledger comes to {one.ledger:,}.")
        if wrong:
            self.stderr.write(f"{wrong:,} product{'s differ' if wrong > 1 else ' differs'} from the ledger.")
            sys.exit(1)
        self.stdout.write("Every product's stock is what its ledger comes to.")
