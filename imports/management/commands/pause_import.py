"""manage.py pause_import: hold an import or an undo."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from imports import pausing
from imports.management.steering import refusing, run_of
from tasks.models import Job


class Command(BaseCommand):
    """Exit code 0 when it is paused, 1 when it has ended or has nothing to pause, 2 when there is none."""

    help = "Pause an import or an undo: parts that have begun are finished, no other one begins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, help="number of the import")

    def handle(self, *args: Any, **options: Any) -> None:
        run = run_of(options["id"])
        with refusing("paused"):
            run = pausing.pause(run=run)
        begun = Job.objects.of(run.subject).filter(state=Job.State.RUNNING).count()
        still = (
            f" {begun} part{'s' if begun > 1 else ''} that had begun will still be finished." if begun else ""
        )
        self.stdout.write(f"{run} is paused.{still} To let it go on: manage.py resume_import {run.pk}")
