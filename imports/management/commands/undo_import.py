"""manage.py undo_import: take back what an import did."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imports import links, undoing, watching
from imports.management.steering import run_of
from imports.models import ImportRun


class Command(BaseCommand):
    """Exit code 0 when the undo completed (products kept or not), 1 when it failed or was cancelled, 2 when
    there is nothing that could be undone."""

    help = (
        "Take back what an import (or an undo, which is redo) did. What was changed since is kept and listed."
        " Workers do it; --wait shows their progress and the result."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, help="number of the import")
        parser.add_argument("--preview", action="store_true", help="show what it would do, and do nothing")
        parser.add_argument("--wait", action="store_true", help="wait for the result")
        parser.add_argument(
            "--json",
            action="store_true",
            help="wait, and print the result (or the preview) as one JSON object",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        run = run_of(options["id"])
        try:
            if options["preview"]:
                self._preview(run, as_json=options["json"])
                return
            undo = undoing.begin(run)
        except undoing.NotUndoable as refused:
            raise CommandError(str(refused), returncode=2) from None
        if not (options["wait"] or options["json"]):
            self.stdout.write(f"{undo} has begun. Watch it: {links.import_page(undo)}")
            return
        undo = watching.watch(undo, quiet=options["json"] and not sys.stderr.isatty())
        if options["json"]:
            self.stdout.write(json.dumps(undo.summary()))
        else:
            watching.print_result(undo)
        sys.exit(0 if undo.state == ImportRun.State.COMPLETED else 1)

    def _preview(self, run: ImportRun, *, as_json: bool) -> None:
        would = undoing.preview(run)
        if as_json:
            self.stdout.write(
                json.dumps(asdict(would) | {"id": run.pk, "kept": [kept._asdict() for kept in would.kept]})
            )
            return
        self.stdout.write(f"{run}, taken back. Of its products")
        for count, what in would.parts:
            self.stdout.write(f"  {count:>12,}  {what}")
        for kept in would.kept:
            self.stdout.write(f"  {kept.sku or '(gone)'}: {kept.reason}")
        if would.keep > len(would.kept):
            self.stdout.write(f"  … and {would.keep - len(would.kept):,} more are kept.")
        self.stdout.write("Nothing was changed. Leave out --preview to do it.")
