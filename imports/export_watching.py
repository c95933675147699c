"""Watch an export from a terminal."""

from __future__ import annotations

import sys
import time

from rich.console import Console

from imports.models import ExportRun
from imports.watching import bar, look_again

_EVERY = 0.2  # seconds between two looks
_WORRY_AFTER = 15.0  # seconds without any worker taking the job


def watch(run: ExportRun) -> ExportRun:
    """Wait until the export has ended and return it as it is then; a bar of progress goes to stderr."""
    began, worried = time.monotonic(), False
    with bar(Console(stderr=True)) as progress:
        shown = progress.add_task("", total=100, detail="")
        while True:
            look_again(run)
            progress.update(
                shown,
                completed=run.percent,
                description=run.get_state_display(),
                detail=f"{run.done:,} of {run.products:,} products",
            )
            if run.has_ended:
                return run
            is_late = run.state == ExportRun.State.WAITING and time.monotonic() - began > _WORRY_AFTER
            if is_late and not worried:
                worried = True
                print("No worker has taken the export yet. Is one running? (`make up`)", file=sys.stderr)
            time.sleep(_EVERY)
