"""manage.py resume_import: let a paused import or undo go on."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from imports import pausing
from imports.management.steering import refusing, run_of


class Command(BaseCommand):
    """Exit code 0 when it goes on (paused before or not), 1 when it has ended, 2 when there is none."""

    help = "Let a paused import or undo go on where it was."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, help="number of the import")

    def handle(self, *args: Any, **options: Any) -> None:
        run = run_of(options["id"])
        with refusing("resumed"):
            was_paused = run.paused_at is not None
            run = pausing.resume(run=run)
        self.stdout.write(f"{run} goes on." if was_paused else f"{run} was not paused.")
