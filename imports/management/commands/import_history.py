"""manage.py import_history: the imports so far, or what happened to a SKU."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterable
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from imports import history
from imports.history import Event
from imports.management.arguments import positive, text
from imports.models import ImportRun
from imports.wording import Teller, lasted

_WIDE = 160


class Command(BaseCommand):
    """Exit code 0; 2 where no import had to do with the SKU."""

    help = "Show the imports and undos, newest first, or with --sku what they did to one product."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sku", type=text, help="what happened to this SKU, written as in the catalogue")
        parser.add_argument(
            "--limit", type=positive, default=50, metavar="N", help="the newest N imports (default: 50)"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["sku"]:
            self._show(_events(options["sku"]), _as_table_of_events, _event_as_json, options)
        else:
            runs = ImportRun.objects.exclude(state=ImportRun.State.DRAFT).select_related("owner")
            self._show(list(runs[: options["limit"]]), _as_table_of_runs, _run_as_json, options)

    def _show[T](
        self,
        found: list[T],
        as_table: Callable[[list[T]], Table],
        as_json: Callable[[T], dict[str, Any]],
        options: dict[str, Any],
    ) -> None:
        if options["json"]:
            for one in found:
                self.stdout.write(json.dumps(as_json(one)))
        elif found:
            # Into a file or a pipe, lines may be as long as they are.
            width = None if self.stdout.isatty() else _WIDE
            Console(file=cast("IO[str]", self.stdout), width=width).print(as_table(found))
        else:
            self.stdout.write("No imports yet.")


def _events(sku: str) -> list[Event]:
    """What happened to the SKU; raises CommandError where nothing did."""
    if events := history.of_sku(sku):
        return events
    raise CommandError(
        f"No import had to do with the SKU “{sku}”, or its details were removed. SKUs are compared letter"
        " by letter: “ab-1” is not “AB-1”.",
        returncode=2,
    )


def _as_table_of_runs(runs: list[ImportRun]) -> Table:
    table = Table("import", "begun", "state", "mode", "who", box=None)
    for name in ("rows", "landed", "rejected", "took", "rows/s"):
        table.add_column(name, justify="right")
    for run in runs:
        result = run.summary()
        table.add_row(
            escape(str(run)),
            f"{timezone.localtime(run.created_at):%Y-%m-%d %H:%M}",
            run.get_state_display(),
            run.mode,
            escape(str(run.owner or "–")),
            f"{run.rows:,}",
            f"{run.landed:,}",
            f"{run.rejected:,}",
            lasted(round(result["seconds"], 1)),
            f"{result['rows_per_second']:,}",
        )
    return table


def _run_as_json(run: ImportRun) -> dict[str, Any]:
    return {
        **run.summary(),
        "kind": run.kind,
        "undoes": run.undoes_id,
        "mode": run.mode,
        "file": run.filename,
        "size": run.size,
        "sha256": run.sha256,
        "owner": str(run.owner) if run.owner else None,
        "created_at": run.created_at.isoformat(),
        "finished_at": run.finished_at and run.finished_at.isoformat(),
        "purged_at": run.purged_at and run.purged_at.isoformat(),
    }


def _as_table_of_events(events: list[Event]) -> Table:
    teller = Teller(side for event in events for side in (event.before, event.after))
    table = Table("when", "import", "line", "what", "how", box=None)
    for event in events:
        line = f"{event.line:,}" if event.line else "–"
        at = f"{timezone.localtime(event.at):%Y-%m-%d %H:%M}"
        how = escape("\n".join(_told(event, teller)))
        table.add_row(at, escape(str(event.run)), line, event.what, how)
    return table


def _told(event: Event, teller: Teller) -> Iterable[str]:
    if event.reason:
        yield event.reason
    if event.before is not None and event.after is not None:
        for change in teller.changes(event.before, event.after):
            yield f"{change.field}: {change.before} → {change.after}"


def _event_as_json(event: Event) -> dict[str, Any]:
    return {
        "at": event.at.isoformat(),
        "import": event.run.pk,
        "kind": event.run.kind,
        "file": event.run.filename,
        "what": event.what,
        "line": event.line,
        "before": event.before,
        "after": event.after,
        "reason": event.reason,
    }
