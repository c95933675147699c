"""manage.py import_catalog: import a CSV file from the command line."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imports import choices, columns, links, pipeline, receiving, watching
from imports.dialect import RefusedFile
from imports.management import correcting
from imports.models import ImportRun


class Command(BaseCommand):
    """Exit code 0 when the import completed (rejected rows or not), 1 when it failed or was cancelled,
    2 on bad usage: an unreadable or refused file, a mapping that can't be used."""

    help = "Import a CSV catalogue. Workers do it; --wait shows their progress and the result."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--mode", choices=ImportRun.Mode.values, default=ImportRun.Mode.UPSERT)
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="OUR=THEIRS",
            help=f"our column = the file's (none: leave it out). Ours: {', '.join(columns.BY_NAME)}",
        )
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="OUR=VALUE",
            help="what our column gets where the file has no such column or a blank cell"
            " (category=Home > Kitchen), or how its cells are read (price.format=comma, price.currency=EUR)",
        )
        parser.add_argument("--keep-unknown", action="store_true", help="keep other columns in the metadata")
        parser.add_argument(
            "--blank",
            choices=ImportRun.Blank.values,
            default=ImportRun.Blank.KEEP,
            help="what a blank cell does: keep the field (default) or clear it where that is possible",
        )
        parser.add_argument(
            "--clear-token",
            metavar="TEXT",
            help="a cell with just this text clears its field (default: __clear__)",
        )
        correcting.add_options(parser)
        parser.add_argument("--wait", action="store_true", help="wait for the result")
        parser.add_argument(
            "--json", action="store_true", help="wait, and print the result as one JSON object"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        run = self._started(options)
        if options["wait"] or options["json"]:
            run = watching.watch(run, quiet=options["json"] and not sys.stderr.isatty())
            if options["json"]:
                self.stdout.write(json.dumps(run.summary()))
            else:
                watching.print_result(run)
            sys.exit(0 if run.state == ImportRun.State.COMPLETED else 1)
        self.stdout.write(f"{run} has begun. Watch it: {links.import_page(run)}")

    def _started(self, options: dict[str, Any]) -> ImportRun:
        path: Path = options["file"]
        try:
            with path.open("rb") as stream:
                run = receiving.receive(stream=stream, filename=path.name, **correcting.given(options))
        except OSError as error:
            raise CommandError(f"Can't read {path}: {error.strerror or error}.", returncode=2) from None
        except RefusedFile as refused:
            raise CommandError(f"{path.name}: {refused}", returncode=2) from None
        try:
            mapping = run.mapping | {}
            for pair in options["map"]:
                mapping = _mapped(run, mapping, pair)
            constants, chosen = _settings(options["set"])
            return pipeline.confirm(
                run=run,
                mapping=mapping,
                mode=options["mode"],
                keep_unknown=options["keep_unknown"],
                blank=options["blank"],
                clear_token=options["clear_token"],
                options=chosen,
                constants=constants,
            )
        except choices.MappingError as error:
            receiving.discard(run)
            raise CommandError(str(error), returncode=2) from None


def _mapped(run: ImportRun, mapping: dict[str, int], pair: str) -> dict[str, int]:
    """Apply one OUR=THEIRS; THEIRS is a column's name as in the file, ignoring case, spaces and hyphens."""
    ours, equals, theirs = pair.partition("=")
    ours = ours.strip()
    if not equals:
        raise choices.MappingError(f"“{pair}” is not of the form our=theirs, such as sku=Code.")
    rest = {name: index for name, index in mapping.items() if name != ours}
    if not theirs.strip():
        return rest
    wanted = columns.normalise(theirs)
    for index, name in enumerate(run.header):
        if columns.normalise(name) == wanted:
            return {name: at for name, at in rest.items() if at != index} | {ours: index}
    found = ", ".join(f"“{name}”" for name in run.header)
    raise choices.MappingError(f"{run.filename} has no column “{theirs.strip()}”. It has: {found}.")


def _settings(pairs: list[str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """The constants and the options of columns among OUR=VALUE and OUR.OPTION=VALUE."""
    constants: dict[str, str] = {}
    options: dict[str, dict[str, str]] = {}
    for pair in pairs:
        ours, equals, value = pair.partition("=")
        if not equals:
            raise choices.MappingError(f"“{pair}” is not of the form our=value, such as category=Kitchen.")
        name, dot, option = ours.strip().partition(".")
        if dot:
            options.setdefault(name, {})[option] = value.strip()
        else:
            constants[name] = value
    return constants, options
