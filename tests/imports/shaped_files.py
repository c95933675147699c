"""Shape the rows of shops' files without a database."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

from imports import numbers, profiles
from imports.columns import found_options
from imports.dialect import inspect
from imports.grouping import GroupShaper
from imports.number_columns import Price
from imports.profiles.profile import ByReference, Grouped
from imports.referring import Find, Found, References, ReferenceShaper
from imports.shaped import Shaped, Shaper
from imports.shop_cells import NAMES, ShopCells
from tests.imports.tables import reader_of

TODAY = date(2026, 5, 1)
FIXTURES = Path(__file__).parent.parent / "data" / "profiles"


def fixture(name: str) -> str:
    """The text of a file below tests/data/profiles."""
    return (FIXTURES / f"{name}.csv").read_text(encoding="utf-8")


def shape(text: str, profile: str | None = None) -> Shaped:
    """What a file comes to: recognised by its header, or read as of `profile`."""
    data = text.encode()
    seen = inspect(io.BytesIO(data))
    found = profiles.BY_NAME[profile] if profile else profiles.recognise(seen.header)
    assert found is not None
    mapping = profiles.guess_mapping(seen.header, found)
    detected = [numbers.detect(cells) for cells in zip(*seen.rows, strict=True)]
    price = Price(found_options("price", detected, mapping["price"]))
    cells = ShopCells(found, header=seen.header, mapping=mapping, price=price, today=TODAY)
    reader = reader_of(
        data[seen.dialect.data_offset :], len(seen.header), seen.dialect, seen.dialect.first_line
    )
    lines, rows = map(list, zip(*reader, strict=True))
    return in_pieces(shaper_of(cells, rows), lines, rows)


def shaper_of(cells: ShopCells, rows: Sequence[Sequence[str]]) -> Shaper:
    """The shaper of a profile; `rows` are all that refer to each other."""
    structure = cells.profile.structure
    if isinstance(structure, ByReference):
        notes = [note for row in rows for note in References(cells, structure).noted(row)]
        return ReferenceShaper(cells, structure, find=finding(notes))
    assert isinstance(structure, Grouped)
    return GroupShaper(cells, structure)


def finding(notes: Sequence[tuple[str, str]]) -> Find:
    """Looks keys up among these notes."""

    def find(keys: Collection[str]) -> Found:
        return {key: [value for known, value in notes if known == key] for key in keys} if notes else {}

    return find


def in_pieces(shaper: Shaper, lines: Sequence[int], rows: Sequence[Sequence[str]], size: int = 2) -> Shaped:
    """Hand rows to a shaper a few at a time, as the reader does, and join what comes."""
    parts = [shaper.shape(lines[at : at + size], rows[at : at + size]) for at in range(0, len(rows), size)]
    whole = Shaped()
    for part in (*parts, shaper.finish()):
        whole.lines += part.lines
        whole.rows += part.rows
        whole.counts += part.counts
        whole.merged += part.merged
        whole.rejected += part.rejected
    return whole


def filled(shaped: Shaped, *names: str) -> list[dict[str, str]]:
    """The filled cells of each row by name; only these columns, if any are named."""
    rows = [dict(zip(NAMES, row, strict=True)) for row in shaped.rows]
    return [{name: row[name] for name in names or NAMES if row[name]} for row in rows]


def refused(shaped: Shaped) -> list[tuple[int, str, str]]:
    """(line, column, code) of what was rejected."""
    return [(line, column, code) for line, column, _, code, _ in shaped.rejected]
