"""What an import would make of its columns, as a table for the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from imports import previewing
from imports.columns import COLUMNS, EXTRA_COLUMNS
from imports.models import ImportRun
from imports.receiving import sample_rows

_NAMES = 20  # of unused columns


def print_preview(run: ImportRun, console: Console) -> None:
    """Print for each of our columns the file's, some cells and what they become, and what looks wrong."""
    shown = previewing.preview(run, sample_rows(run))
    table = Table("column", "of the file", "what stands there", "becomes", "look at", box=None)
    for column in COLUMNS:
        if made := shown.get(column.name):
            cells = [(one.text, "rejected" if one.error else one.becomes) for one in made.samples]
            texts = ["\n".join(column) for column in zip(*cells, strict=True)] or ["", ""]
            theirs = run.header[run.mapping[column.name]] or f"#{run.mapping[column.name] + 1}"
            table.add_row(column.name, *map(escape, [theirs, *texts, made.warning or made.note]))
    console.print(table)
    for name, text in run.constants.items():
        console.print(
            f"{name}, where absent or blank: {previewing.constant(name, text).becomes}", markup=False
        )
    unused = _unused(run)
    if unused:
        rest = f" and {len(unused) - _NAMES:,} more" if len(unused) > _NAMES else ""
        console.print(f"Not used: {', '.join(unused[:_NAMES])}{rest}.", markup=False)


def _unused(run: ImportRun) -> list[str]:
    used = run.mapping.values()
    return [
        name.strip() or f"#{index + 1}"
        for index, name in enumerate(run.header)
        if index not in used and name not in EXTRA_COLUMNS
    ]
