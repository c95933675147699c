"""What the cells of a sample would become: shown before an import runs, so that a wrong guess is seen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from imports import choices, shaping
from imports.cells import Cells, clean_constant, column_of, has_marks
from imports.column import CellError, short
from imports.columns import BY_NAME
from imports.models import ImportRun
from imports.sampling import ShopSample

_SHOWN = 3
_LONGEST = 40  # characters of a cell that are shown
_MISSING_SKU = "every row needs a SKU, and here it is blank."


@dataclass(frozen=True, slots=True)
class Sample:
    """A cell of the file, or a constant: as it is written, and what becomes of it or why it is refused."""

    text: str
    becomes: str = ""
    error: str = ""


@dataclass(slots=True)
class Preview:
    """What one of our columns makes of the sampled rows."""

    samples: list[Sample] = field(default_factory=list)  # some different cells
    rows: int = 0
    blank: int = 0
    rejected: int = 0
    repeated: int = 0  # SKUs that an earlier row has
    error: str = ""  # of the first cell that was refused

    @property
    def warning(self) -> str:
        """What looks wrong about the column, for people; "" where nothing does."""
        if self.rejected:
            filled = self.rows if self.error == _MISSING_SKU else self.rows - self.blank
            if self.rejected == filled:
                return f"Is this the right column? None of its sampled cells can be used: {self.error}"
            return f"{self.rejected:,} of {self.rows:,} sampled rows would be rejected: {self.error}"
        if self.repeated:
            return (
                f"{self.repeated:,} of {self.rows:,} sampled rows have the SKU of an earlier row;"
                " the last row of each SKU counts."
            )
        return ""

    @property
    def note(self) -> str:
        """What else is to be known about the column."""
        if not self.rows or not self.blank:
            return ""
        return "All sampled cells are blank." if self.blank == self.rows else f"{self.blank:,} blank"


def preview(
    run: ImportRun, rows: Sequence[Sequence[str]], shop: ShopSample | None = None
) -> dict[str, Preview]:
    """Our column → what it would make of the rows, for each that is mapped; `run` may be any draft.

    Of a shop's file, given as `shop`, what its rows are put together to, for each column that is filled.
    """
    cells = cells_of_draft(run)
    if shop:
        at = {name: index for name, index in run.mapping.items() if name not in shaping.PUT_TOGETHER}
        return {
            name: _preview(cells[name], shop.texts(name, at.get(name)))
            for name in BY_NAME
            if name in shop.columns
        }
    return {
        name: _preview(cells[name], [(row[at].strip(), row[at].strip()) for row in rows])
        for name, at in run.mapping.items()
        if name in BY_NAME and at < len(run.header)
    }


def cells_of_draft(run: ImportRun) -> dict[str, Cells]:
    """How a draft reads the cells of each of our columns; `run` may be any."""
    used, marked = _options(run), has_marks(run)
    return {
        name: Cells(
            column_of(name, adjusts=run.adjusts_stock)(used.get(name)), None, None, run.clear_token, marked
        )
        for name in BY_NAME
    }


def constant(name: str, text: str, *, adjusts: bool = False) -> Sample:
    """What a constant of our column would be, in an import that sets the stock or `adjusts` it."""
    try:
        return Sample(text, _shown(name, clean_constant(name, text, adjusts=adjusts)))
    except CellError as error:
        return Sample(text, error=str(error))


def _options(run: ImportRun) -> Mapping[str, Mapping[str, str]]:
    """How the draft's cells are read; choices that are not offered don't count."""
    try:
        return choices.checked_options(run, run.options, run.mapping)
    except choices.MappingError:
        return choices.checked_options(run, {}, run.mapping)


def _preview(cells: Cells, texts: Sequence[tuple[str | None, str]]) -> Preview:
    """`texts` has for each row what stands in the file (None: no one cell), and what of it is cleaned."""
    seen: dict[str, Sample] = {}
    made = Preview(rows=len(texts))
    is_key = cells.column.name == "sku"
    for written, text in texts:
        if text in seen and is_key:
            made.repeated += 1
        made.blank += not text
        if text or is_key:
            if text and text not in seen:
                seen[text] = sample_of(cells, written, text)
            sample = seen[text] if text else Sample("", error=_MISSING_SKU)
            made.rejected += bool(sample.error)
            made.error = made.error or sample.error
    made.samples = list(seen.values())[:_SHOWN]
    return made


def sample_of(cells: Cells, written: str | None, text: str, *, longest: int = _LONGEST) -> Sample:
    """What becomes of `text`, where `written` stands in the file, or no one cell that could be shown.

    Texts of more than `longest` characters are cut.
    """
    try:
        cleaned = cells.clean(text)
    except CellError as error:
        return Sample(_in_a_line(text if written is None else written, longest), error=str(error))
    becomes = "cleared" if text == cells.token else _shown(cells.column.name, cleaned or "", longest)
    return Sample(becomes if written is None else _in_a_line(written, longest), becomes)


def _shown(name: str, cleaned: str, longest: int = _LONGEST) -> str:
    if BY_NAME[name].db_type == "boolean":
        return "yes" if cleaned == "t" else "no"
    if name == "options" and cleaned:
        pairs = json.loads(cleaned).items()
        return _in_a_line(" | ".join(f"{option}: {value}" for option, value in pairs), longest)
    if name == "images" and cleaned:
        first, *more = json.loads(cleaned) or [""]
        return _in_a_line(first, longest) + (f" and {len(more)} more" if more else "")
    return _in_a_line(cleaned, longest)


def _in_a_line(text: str, longest: int) -> str:
    return short(" ".join(text.split()), longest)
