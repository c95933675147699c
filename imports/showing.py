"""What an import would make of its columns, as a table for the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from imports import families, previewing, sampling, shaping
from imports.columns import COLUMNS
from imports.models import ImportRun
from imports.receiving import sample_rows

_NAMES = 20  # of unused columns


def print_preview(run: ImportRun, console: Console) -> None:
    """Print for each of our columns the file's, some cells and what they become, and what looks wrong."""
    shop = sampling.shop_sample(run)
    shown = previewing.preview(run, sample_rows(run), shop)
    table = Table("column", "of the file", "what stands there", "becomes", "look at", box=None)
    for column in COLUMNS:
        if made := shown.get(column.name):
            cells = [(one.text, "rejected" if one.error else one.becomes) for one in made.samples]
            texts = ["\n".join(column) for column in zip(*cells, strict=True)] or ["", ""]
            table.add_row(
                column.name, *map(escape, [_theirs(run, column.name), *texts, made.warning or made.note])
            )
    console.print(table)
    if shop:
        found = families.families(run, shop)
        console.print(f"The first {found.records:,} rows come to {found.said}.", markup=False)
        for line, message in found.reasons:
            console.print(f"Line {line:,} would be rejected: {message}", markup=False)
    for name, text in run.constants.items():
        console.print(
            f"{name}, where absent or blank:"
            f" {previewing.constant(name, text, adjusts=run.adjusts_stock).becomes}",
            markup=False,
        )
    if run.adjusts_stock:
        console.print("stock: pieces to add, or with a minus to take away", markup=False)
    unused = _unused(run)
    if unused:
        rest = f" and {len(unused) - _NAMES:,} more" if len(unused) > _NAMES else ""
        console.print(f"Not used: {', '.join(unused[:_NAMES])}{rest}.", markup=False)


def _theirs(run: ImportRun, ours: str) -> str:
    """What the file calls one of our columns."""
    if ours not in run.mapping:
        return "–"
    return run.header[run.mapping[ours]] or f"#{run.mapping[ours] + 1}"


def _unused(run: ImportRun) -> list[str]:
    return [run.header[index].strip() or f"#{index + 1}" for index in shaping.unused_columns(run)]
