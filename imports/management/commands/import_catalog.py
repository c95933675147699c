"""manage.py import_catalog: import a CSV file from the command line."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from imports import choices, columns, links, pipeline, profiles, receiving, remembering, showing, watching
from imports.dialect import RefusedFile
from imports.management import correcting, deciding, reaching
from imports.management.arguments import text
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
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="OUR=THEIRS",
            help="our column = the file's name or number, price=#4 (none: leave it out)."
            f" Ours: {', '.join(columns.BY_NAME)}",
        )
        parser.add_argument(
            "--set",
            action="append",
            type=text,
            default=[],
            metavar="OUR=VALUE",
            help="what our column gets where the file has no such column or a blank cell"
            " (category=Home > Kitchen), or how its cells are read (price.format=comma, price.currency=EUR)",
        )
        parser.add_argument(
            "--profile",
            choices=("none", *profiles.BY_NAME),
            help="the shop that wrote the file; recognised by its header where this is not given",
        )
        parser.add_argument(
            "--keep-unknown", action="store_true", default=None, help="keep other columns in the metadata"
        )
        parser.add_argument(
            "--blank",
            choices=ImportRun.Blank.values,
            help="what a blank cell does: keep the field (default) or clear it where that is possible",
        )
        parser.add_argument(
            "--clear-token",
            type=text,
            metavar="TEXT",
            help="a cell with just this text clears its field (default: __clear__)",
        )
        parser.add_argument(
            "--stock",
            choices=ImportRun.StockAs.values,
            dest="stock_as",
            help="what a number of stock means: the stock there is (set), or pieces to add and, with a minus,"
            " to take away (adjust)",
        )
        parser.add_argument(
            "--forget-mapping",
            action="store_true",
            help="ignore what was chosen for a file with the same header before",
        )
        parser.add_argument(
            "--no-repair", action="store_true", help="reject broken lines that could be repaired"
        )
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
            chosen = _choices(run, options)
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


def _choices(run: ImportRun, options: dict[str, Any]) -> dict[str, Any]:
    """What `pipeline.confirm` takes: the draft's own guess, changed by the options. Raises MappingError."""
    mapping = run.mapping
    for pair in options["map"]:
        mapping = _mapped(run, mapping, pair)
    constants, settings = _settings(options["set"])
    return {
        "mapping": mapping,
        "constants": run.constants | constants,
        "options": run.options
        | {name: run.options.get(name, {}) | chosen for name, chosen in settings.items()},
        "repair": not options["no_repair"],
        **{name: options[name] for name in ("keep_unknown", "blank", "clear_token", "stock_as")},
    }


def _mapped(run: ImportRun, mapping: dict[str, int], pair: str) -> dict[str, int]:
    """Apply one OUR=THEIRS; THEIRS is a column's name as in the file, ignoring case, spaces and hyphens, or
    its number, such as #4."""
    ours, equals, theirs = pair.partition("=")
    ours, theirs = ours.strip(), theirs.strip()
    if not equals:
        raise choices.MappingError(f"“{pair}” is not of the form our=theirs, such as sku=Code.")
    rest = {name: at for name, at in mapping.items() if name != ours}
    if not theirs:
        return rest
    index = _index(run, theirs)
    return {name: at for name, at in rest.items() if at != index} | {ours: index}


def _index(run: ImportRun, theirs: str) -> int:
    wanted = columns.normalise(theirs)
    for index, name in enumerate(run.header):
        if columns.normalise(name) == wanted and not theirs.startswith("#"):
            return index
    if theirs[:1] == "#" and theirs[1:].isdecimal() and 0 < int(theirs[1:]) <= len(run.header):
        return int(theirs[1:]) - 1
    raise choices.MappingError(
        f"{run.filename} has no column “{theirs}”. It has: {choices.named(run.header)}."
        " Columns can also be given by their number, such as #4."
    )


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
