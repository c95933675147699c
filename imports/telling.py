"""Tell the SKU of a line that can't be read as a whole.

A mirror must not take a product out whose line is merely broken, so where it is not certain which product a
line is about, nothing is told.
"""

from __future__ import annotations

from imports.columns import CellError, Sku
from imports.models import ImportRun
from imports.reading import Problem

_CELLS_STAND = {"encoding", "nul_byte"}  # what is wrong is inside of a cell
_FIRST_STANDS = {"too_few_cells", "too_many_cells", "stray_quote", "line_break"}


def told_sku(run: ImportRun, problem: Problem) -> str:
    """The SKU of the one row that the line certainly is, or ""."""
    at, cells = run.mapping.get("sku"), problem.cells or []
    if at is None or at >= len(cells) or at == problem.column or not _is_one_row(run, problem, cells):
        return ""
    stands = problem.code in _CELLS_STAND or (at == 0 and problem.code in _FIRST_STANDS)
    text = cells[at].strip()
    if not stands or "\\x" in text:  # a byte that was no character
        return ""
    try:
        return Sku().clean(text)
    except CellError:
        return ""


def _is_one_row(run: ImportRun, problem: Problem, cells: list[str]) -> bool:
    """A quote left open may have swallowed lines, and a lost line end may have put two rows on one."""
    if problem.lines > 1 and problem.code != "line_break":
        return False
    return len(cells) < 2 * len(run.header) - 1 or len(run.header) == 1
