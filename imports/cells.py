"""The three states of a cell: what it says, blank, or cleared on purpose.

A column that the file does not have is not read at all, unless a constant stands in for it. A blank cell
takes the constant, if there is one; else it keeps what the catalogue has, or clears it where the import's
policy says so and the column allows it. A cell that holds the import's token is cleared under either
policy. What is staged for a cleared cell is the column's own value of emptiness, because NULL means "keep"
there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from imports import marks, profiles
from imports.columns import BY_NAME, CellError, Column, StockChange
from imports.models import ImportRun
from imports.workbooks import NO_VALUE

# What spreadsheets show, and export, where a formula came to nothing: never what anybody means.
_FAULTS = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", NO_VALUE}
)


@dataclass(frozen=True, slots=True)
class Cells:
    """How an import reads the cells of one of our columns."""

    column: Column
    at: int | None  # index of the file's column; None if all cells are blank, the file having no such column
    blank: str | None  # what a blank cell is staged as; None keeps what is there
    token: str  # the text that clears
    marked: bool = False  # may cells be guarded or exact?

    def clean(self, text: str) -> str | None:
        """Return stripped text as it is staged; raises CellError."""
        if not text:
            return self.blank
        if text in _FAULTS:
            raise _fault(text)
        if text != self.token:
            return self._marked(text) if self.marked and text[0] == "'" else self.column.clean(text)
        if self.column.cleared is None:
            message = f"{self.column.label} can't be cleared. Write a value instead of {self.token}."
            raise CellError("cannot_be_cleared", message)
        return self.column.cleared

    def _marked(self, text: str) -> str:
        exact = marks.exact_text(text)
        return self.column.clean(marks.unguarded(text)) if exact is None else self.column.exact(exact)

    def of(self, row: Sequence[str]) -> str:
        """The stripped text that a row of the file has for the column."""
        return "" if self.at is None else row[self.at].strip()

    def clean_all(self, by_column: Sequence[Sequence[str]], bad: set[int]) -> list[str | None]:
        """Clean the raw cells of many rows, given by the file's columns; adds the indexes of broken ones to
        `bad`."""
        if self.at is None:
            return [self.blank] * len(by_column[0])
        stripped = list(map(str.strip, by_column[self.at]))
        if "" not in stripped and not self._are_special(stripped):
            at_once = self.column.clean_all(stripped)
            if at_once is not None:
                return cast("list[str | None]", at_once)
        cleaned: list[str | None] = []
        for index, text in enumerate(stripped):
            try:
                cleaned.append(self.clean(text))
            except CellError:
                bad.add(index)
                cleaned.append(None)
        return cleaned

    def _are_special(self, stripped: list[str]) -> bool:
        """Whether any of the cells clears, is a fault, or may be marked. One look at the text of all spares
        most the look at each."""
        whole = marks.joined(stripped)
        if self.marked and marks.may_be_marked(whole):
            return True
        # One character is found ten times as quickly as several: most texts have not even that.
        clears = self.token[:1] in whole and self.token in whole
        return clears or ("#" in whole and not _FAULTS.isdisjoint(stripped))


def _fault(text: str) -> CellError:
    if text == NO_VALUE:
        return CellError(
            "formula_without_value",
            "The formula in this cell has no value saved. Open the workbook in a spreadsheet program, save it"
            " and upload it again, or type the value.",
        )
    return CellError(
        "formula_error", f"{text} is the error of a formula. Correct the formula, or type the value."
    )


def cells_of(run: ImportRun, *, shaped: bool = False) -> list[Cells]:
    """How the import reads each column that it writes, in our order: from rows of the file, or from
    `shaped` ones, which have a cell for each of our columns."""
    at = {name: index for index, name in enumerate(BY_NAME)} if shaped else run.mapping
    written = run.written
    return [_cells(run, name, at.get(name), shaped=shaped) for name in BY_NAME if name in written]


def _cells(run: ImportRun, name: str, at: int | None, *, shaped: bool) -> Cells:
    # A shop's row has it as the file writes prices; nobody maps it, so it has no choices of its own.
    chosen = run.options.get("price" if shaped and name == "compare_at_price" else name)
    column = column_of(name, adjusts=run.adjusts_stock)(chosen)
    blank = column.cleared if run.blank == ImportRun.Blank.CLEAR else None
    if name in run.constants:
        blank = clean_constant(name, run.constants[name], adjusts=run.adjusts_stock)
    return Cells(column, at, blank, run.clear_token, marked=has_marks(run))


def has_marks(run: ImportRun) -> bool:
    """Whether the import's file is one of ours, whose cells may be guarded or exact."""
    profile = profiles.BY_NAME.get(run.profile)
    return profile is not None and profile.marked


def column_of(name: str, *, adjusts: bool) -> type[Column]:
    """The class that cleans our column `name`, in an import that sets the stock or `adjusts` it."""
    return StockChange if adjusts and name == "stock" else BY_NAME[name]


def clean_constant(name: str, text: str, *, adjusts: bool = False) -> str:
    """A constant as it is staged; raises CellError. It need not be written as the file writes numbers."""
    return column_of(name, adjusts=adjusts)().clean(text)
