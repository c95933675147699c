"""Watch an import from a terminal: a progress bar while it runs, a table of outcomes when it ended."""

from __future__ import annotations

import sys
import time

from django.db import OperationalError, connection
from django.db.models import Model
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from imports import links, mirroring, undoing
from imports.models import ImportRun
from imports.progress import progress_of
from tasks.models import Job

_EVERY = 0.2  # seconds between two looks
_FIRST_REPAIRED = 5
_FIRST_KEPT = 20
_WORRY_AFTER = 15.0  # seconds without any worker taking a job
_PATIENCE = 60.0  # seconds without the database: the work goes on when it is back


def watch(run: ImportRun, *, quiet: bool = False) -> ImportRun:
    """Wait until the import has ended, or its preview is there, and return it as it is then; `quiet` shows
    nothing meanwhile."""
    console = Console(stderr=True, quiet=quiet)
    began, worried, paused = time.monotonic(), False, False
    with bar(console) as progress:
        shown = progress.add_task("", total=100, detail="")
        while True:
            look_again(run)
            now = progress_of(run)
            rate = f"{now.rows_per_second:,} rows/s" if now.rows_per_second else ""
            progress.update(
                shown,
                completed=now.percent,
                description=now.phase,
                detail=f"{now.done:,} of {now.total:,} {now.unit} {rate}" if now.total else "",
            )
            if run.has_ended or run.state == ImportRun.State.PREVIEWED:
                return run
            if not worried and time.monotonic() - began > _WORRY_AFTER and not _taken(run):
                worried = True
                print("No worker has taken the import yet. Is one running? (`make up`)", file=sys.stderr)
            if run.paused_at and not paused:
                print(f"Paused. To let it go on: manage.py resume_import {run.pk}", file=sys.stderr)
            paused = run.paused_at is not None
            time.sleep(_EVERY)


def look_again(row: Model) -> None:
    """Read the row anew. Waits while the database restarts, and raises OperationalError after a minute."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return row.refresh_from_db()
        except OperationalError:
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(_EVERY)


def bar(console: Console) -> Progress:
    """A bar of progress, whose tasks have a `detail`; nothing is shown where no person watches."""
    return Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(complete_style="cyan", finished_style="green"),
        TaskProgressColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _taken(run: ImportRun) -> bool:
    connection.close_if_unusable_or_obsolete()
    return Job.objects.of(run.subject).filter(attempts__gt=0).exists()


def print_result(run: ImportRun) -> None:
    """Print the reconciled table of outcomes to stdout."""
    console = Console()
    console.print(f"[bold]{run}: {run.get_state_display()}", soft_wrap=True)
    table = Table()
    table.add_column("outcome")
    table.add_column("rows", justify="right")
    words = undoing.WORDS if run.kind == ImportRun.Kind.UNDO else {name: (name, "") for name in run.outcomes}
    for outcome, count in ((words[name][0], count) for name, count in run.outcomes.items() if name in words):
        table.add_row(outcome, f"{count:,}", style=None if count else "dim")
    table.add_section()
    table.add_row("sum", f"{sum(run.outcomes.values()):,}", style="bold")
    of_what = "products in the journal" if run.kind == ImportRun.Kind.UNDO else "rows in the file"
    table.add_row(of_what, f"{run.rows:,}", style="bold")
    console.print(table)
    result = run.summary()
    console.print(f"{result['seconds']:.1f} s, {result['rows_per_second']:,} rows/s")
    if run.error:
        console.print(f"[red]{run.error}")
    if said := mirroring.told(run):
        console.print(said, soft_wrap=True)
    if run.left_out:
        console.print(f"Not part of the table, and left out: {'; '.join(run.left_out)}.", soft_wrap=True)
    if run.stock_said:
        console.print(run.stock_said, soft_wrap=True, markup=False, highlight=False)
    if run.repaired:
        _print_repairs(console, run)
    if run.kind == ImportRun.Kind.UNDO and run.skipped:
        _print_kept(console, run)
    if run.rejected_file:
        console.print(f"Rejected rows: {_where(run)}", soft_wrap=True)
    console.print(f"Import page: {links.import_page(run)}", soft_wrap=True)


def _print_repairs(console: Console, run: ImportRun) -> None:
    """The first repaired lines; all of them are on the import's page."""
    console.print(f"Repaired or left out: {run.repaired:,} line{'s' if run.repaired > 1 else ''}")
    for repaired in run.repaired_rows.all()[:_FIRST_REPAIRED]:
        console.print(f"  {repaired}", soft_wrap=True, markup=False, highlight=False)


def _print_kept(console: Console, run: ImportRun) -> None:
    """The first products that an undo kept; all of them are on its page."""
    console.print(f"Kept as they are: {run.skipped:,}")
    for kept in run.set_aside.order_by("sku")[:_FIRST_KEPT]:
        said = f"  {kept.sku or '(gone)'}: {kept.reason}"
        console.print(said, soft_wrap=True, markup=False, highlight=False)


def _where(run: ImportRun) -> str:
    try:
        return run.rejected_file.path
    except NotImplementedError:  # a storage without local paths
        return links.rejected_rows(run)
