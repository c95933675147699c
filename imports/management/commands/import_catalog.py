"""manage.py import_catalog: import a CSV file from the command line."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from imports import choices, links, pipeline, receiving, remembering, showing, watching
from imports.dialect import RefusedFile
from imports.management import choosing, correcting, deciding, reaching
from imports.models import ImportRun


class Command(BaseCommand):
    """Exit code 0 when the import completed (rejected rows or not) or its preview is there, 1 when it failed,
    was cancelled or can't be approved, 2 on bad usage: an unreadable or refused file, a mapping that can't be
    used, an import that is not there."""

    help = "Import a CSV catalogue. Workers do it; --wait shows their progress and the result."

    def add_arguments(self, parser: ArgumentParser) -> None:
        deciding.add_options(parser)
        parser.add_argument(
            "--mode",
            choices=ImportRun.Mode.values,
            default=ImportRun.Mode.UPSERT,
            help="what becomes of the listed products; unpublish and delete read the SKU only",
        )
        reaching.add_options(parser)
        choosing.add_options(parser)
        correcting.add_options(parser)
        parser.add_argument("--wait", action="store_true", help="wait for the result")
        parser.add_argument(
            "--json", action="store_true", help="wait, and print the result as one JSON object"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        run = deciding.decided(options) or self._begun(options)
        if options["discard"] is not None:
            self.stdout.write(f"{run} was discarded. Nothing was written.")
            return
        is_preview = run.preview and run.approved_at is None
        if not (options["wait"] or options["json"] or is_preview):
            self.stdout.write(f"{run} has begun. Watch it: {links.import_page(run)}")
            return
        run = watching.watch(run, quiet=options["json"] and not sys.stderr.isatty())
        if options["json"]:
            self.stdout.write(json.dumps(deciding.as_json(run, limit=options["limit"])))
        elif run.state == ImportRun.State.PREVIEWED:
            deciding.print_preview(run, self._console(), limit=options["limit"])
        else:
            watching.print_result(run)
        if run.state not in (ImportRun.State.COMPLETED, ImportRun.State.PREVIEWED):
            sys.exit(1)

    def _begun(self, options: dict[str, Any]) -> ImportRun:
        run = self._received(options)
        try:
            chosen = choosing.given(run, options)
            if options["preview"] and not options["json"]:
                self._show_samples(run, chosen)
            reach = reaching.given(options, run)
            if reach["source"] and options["source"] is None:
                self.stderr.write(f"Source: “{run.source}”, as for that file (--source '' for none).")
            return pipeline.confirm(
                run=run, mode=options["mode"], preview=options["preview"], **chosen, **reach
            )
        except choices.MappingError as error:
            receiving.discard(run)
            raise CommandError(str(error), returncode=2) from None

    def _received(self, options: dict[str, Any]) -> ImportRun:
        path: Path = options["file"]
        try:
            with path.open("rb") as stream:
                run = receiving.receive(
                    stream=stream,
                    filename=path.name,
                    recall=not options["forget_mapping"],
                    **correcting.given(options),
                )
        except OSError as error:
            raise CommandError(f"Can't read {path}: {error.strerror or error}.", returncode=2) from None
        except RefusedFile as refused:
            raise CommandError(f"{path.name}: {refused}", returncode=2) from None
        if options["profile"]:
            receiving.choose_profile(run, options["profile"].replace("none", ""))
            remembering.forget(run)
            run.save()
        if run.saved_mapping:
            self.stderr.write(
                f"Columns as they were mapped on {run.saved_mapping.mapped_at:%-d %b %Y}, for the last file"
                " with this header (--forget-mapping guesses them anew)."
            )
        return run

    def _show_samples(self, run: ImportRun, chosen: dict[str, Any]) -> None:
        """Show what would become of the first rows."""
        for name, value in choices.checked(run, **chosen).items():
            setattr(run, name, value)
        showing.print_preview(run, self._console())

    def _console(self) -> Console:
        return Console(file=cast("IO[str]", self.stdout))
