"""The table of columns on the second page: what was found for each of ours, and what its cells become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imports import families, numbers, previewing, sampling, shaping
from imports.columns import COLUMNS, Column, normalise
from imports.models import ImportRun
from imports.number_columns import Price

_UNTOLD = {"format": Price.options["format"][numbers.AUTO], "currency": "none"}


@dataclass(frozen=True, slots=True)
class Theirs:
    """A column of the file."""

    index: int
    name: str
    label: str  # tells it from others of the same name


@dataclass(frozen=True, slots=True)
class Option:
    """Something that may be chosen for a column of ours."""

    name: str
    chosen: str  # "" to go by the sample
    found: str  # what the sample shows, for people
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ours:
    """A column of ours, the file's that was found for it, how its cells are read and what they become."""

    column: type[Column]
    chosen: Theirs | None
    options: list[Option]
    shown: previewing.Preview | None
    constant: str
    constant_shown: previewing.Sample | None
    is_put_together: bool  # from several columns and rows of a shop's file, whatever is chosen here


def table(run: ImportRun, rows: list[list[str]]) -> dict[str, Any]:
    """What the template needs to show the draft's mapping, with `rows` of the file as the sample."""
    theirs = _theirs(run.header)
    shop = sampling.shop_sample(run) if rows else None
    shown = previewing.preview(run, rows, shop) if rows else {}
    return {
        "theirs": theirs,
        "ours": [_ours(run, column, theirs, shown.get(column.name)) for column in COLUMNS],
        "unused": [theirs[index] for index in shaping.unused_columns(run)],
        "families": families.families(run, shop) if shop else None,
    }


def _theirs(header: list[str]) -> list[Theirs]:
    """The file's columns; those without a name, or with that of another, are told by their number."""
    names = Counter(map(normalise, header))
    return [
        Theirs(index, name, name if names[normalise(name)] == 1 and name.strip() else _numbered(name, index))
        for index, name in enumerate(header)
    ]


def _numbered(name: str, index: int) -> str:
    return f"{name.strip() or 'no name'} (column {index + 1:,})"


def _ours(
    run: ImportRun, column: type[Column], theirs: list[Theirs], shown: previewing.Preview | None
) -> Ours:
    at = run.mapping.get(column.name)
    chosen = run.options.get(column.name, {})
    found = _found(run, at)
    options = [
        Option(name, chosen.get(name, ""), found[name], values) for name, values in column.options.items()
    ]
    constant = run.constants.get(column.name, "")
    return Ours(
        column,
        theirs[at] if at is not None and at < len(theirs) else None,
        options,
        shown,
        constant,
        previewing.constant(column.name, constant, adjusts=run.adjusts_stock) if constant else None,
        is_put_together=run.is_shaped and column.name in shaping.PUT_TOGETHER,
    )


def _found(run: ImportRun, index: int | None) -> dict[str, str]:
    """How the sample says that the column's numbers are written, for people."""
    detected = run.numbers[index] if index is not None and index < len(run.numbers) else {}
    return _UNTOLD | {option: Price.options[option][value] for option, value in detected.items()}
