"""manage.py cancel_import: stop an import or an undo for good."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from imports import cancelling, links
from imports.management.steering import refusing, run_of


class Command(BaseCommand):
    """Exit code 0 when it was cancelled, 1 when it has ended already, 2 when there is none."""

    help = "Cancel an import or an undo. What landed stays, unless it is undone as well."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, help="number of the import")
        parser.add_argument("--undo", action="store_true", help="take back what landed")

    def handle(self, *args: Any, **options: Any) -> None:
        run = run_of(options["id"])
        with refusing("cancelled"):
            undo = cancelling.cancel(run=run, undo=options["undo"])
        run.refresh_from_db()
        self.stdout.write(f"{run} is cancelled. {run.changed:,} products had been changed.")
        if undo:
            self.stdout.write(f"They are taken back. Watch it: {links.import_page(undo)}")
        elif options["undo"]:
            self.stdout.write("There is nothing to take back.")
