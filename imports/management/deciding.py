"""Previews on the command line: showing what one found, and what to do with it."""

from __future__ import annotations

from argparse import ArgumentParser
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.table import Table

from imports import difference_file, links, pipeline, retrying
from imports.blast_radius import NotAccepted
from imports.management.arguments import count
from imports.management.steering import refusing, run_of
from imports.models import ImportRun

_SHOWN = 20  # differences, unless told
_LONGEST = 60  # characters of a value
# What would become of rows: in the forecast, and in the counters that it adds to.
_ROWS = {
    "create": "created", "update": "updated", "remove": "removed", "unchanged": "unchanged",
    "merged": "merged", "skip": "skipped", "superseded": "superseded", "reject": "rejected",
}  # fmt: skip


def add_options(parser: ArgumentParser) -> None:
    """The file, or the import that is to be decided on; and how much of a preview is shown."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("file", type=Path, nargs="?")
    what.add_argument("--approve", type=int, metavar="ID", help="write what this import's preview showed")
    what.add_argument("--discard", type=int, metavar="ID", help="end an import that waits for its approval")
    what.add_argument(
        "--retry-skipped",
        type=int,
        metavar="ID",
        help="preview the rows again that this import skipped as changed since its preview",
    )
    parser.add_argument(
        "--preview",
        action="store_true",
        help="show what would change, and write nothing before it is approved",
    )
    parser.add_argument(
        "--limit", type=count, default=_SHOWN, metavar="N", help=f"differences to show ({_SHOWN})"
    )
    parser.add_argument("--yes", action="store_true", help="with --approve: accept the preview's warnings")


def decided(options: dict[str, Any]) -> ImportRun | None:
    """Do what the options say about an earlier import, and return the one to be watched; None if they name
    none. Raises CommandError."""
    try:
        if options["approve"] is not None:
            with refusing("approved"):
                return pipeline.approve(run=run_of(options["approve"]), accept_warnings=options["yes"])
        if options["discard"] is not None:
            with refusing("discarded"):
                return pipeline.discard(run=run_of(options["discard"]))
        if options["retry_skipped"] is not None:
            return retrying.retry_skipped(run=run_of(options["retry_skipped"]))
    except NotAccepted as refused:
        raise CommandError(f"{refused} (--yes accepts the warnings.)", returncode=1) from None
    except retrying.NothingToRetry as refused:
        raise CommandError(str(refused), returncode=1) from None
    return None


def as_json(run: ImportRun, *, limit: int) -> dict[str, Any]:
    """The result, or what a preview found with its first differences."""
    if run.state != ImportRun.State.PREVIEWED:
        return run.summary()
    names = ("line", "sku", "action", "field", "before", "after")
    shown = [dict(zip(names, one, strict=True)) for one in islice(difference_file.differences(run), limit)]
    return {**run.summary(), "forecast": run.forecast, "warnings": run.warnings, "differences": shown}


def print_preview(run: ImportRun, console: Console, *, limit: int) -> None:
    """Print what the rows would become, the warnings, the first differences, and how to go on."""
    table = Table("what would become of the rows", "rows", "products by field", box=None)
    fields = ", ".join(f"{name} {count:,}" for name, count in sorted(run.forecast["fields"].items()))
    for name, outcome in _ROWS.items():
        if count := run.forecast.get(name, 0) + getattr(run, outcome):
            table.add_row(outcome, f"{count:,}", fields if name == "update" else "")
    table.add_row("rows in the file", f"{run.rows:,}", "")
    console.print(table)
    for warning in run.warnings:
        console.print(f"Warning: {warning['message']}", markup=False, soft_wrap=True)
    _print_differences(run, console, limit)
    yes = " --yes" if run.warnings else ""
    console.print(
        f"Nothing was written yet. To write it: manage.py import_catalog --approve {run.pk}{yes}\n"
        f"To discard it: manage.py import_catalog --discard {run.pk}\n"
        f"All differences: {links.import_page(run)}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _print_differences(run: ImportRun, console: Console, limit: int) -> None:
    total = run.planned_changes.count() + run.forecast["create"]
    for line, sku, action, field, before, after in islice(difference_file.differences(run), limit):
        change = f"{_short(before)} → {_short(after)}" if action != "create" else _short(after)
        console.print(
            f"  line {line} {sku}: {action} {field} {change}", markup=False, highlight=False, soft_wrap=True
        )
    if total and limit:
        console.print(f"These are of {total:,} products that would change.", markup=False, highlight=False)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return f"“{text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}”"
