"""From the rows of a shop's file to rows of ours: products, and variants below their parents.

    reader's rows ─▶ Shaper ─▶ rows with one text for each of our columns ─▶ cleaning, as for any file

What belongs together is told by the profile's structure: `grouping` has the rows that follow each other,
`referring` those that name each other from anywhere in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from imports import columns, references
from imports.columns import EXTRA_COLUMNS
from imports.dialect import Dialect
from imports.grouping import Groups, GroupShaper
from imports.models import Chunk, ImportRun
from imports.number_columns import Price
from imports.opening import open_chunk
from imports.profiles import BY_NAME, headers
from imports.profiles.profile import ByReference, Grouped
from imports.referring import References, ReferenceShaper
from imports.shaped import Shaped as Shaped
from imports.shaped import Shaper as Shaper
from imports.shop_cells import ShopCells

# Ours that a shaper puts together from several of theirs: no single column of the file is them.
PUT_TOGETHER = frozenset({"parent", "options", "images"})


def shaper_of(run: ImportRun, *, among: Iterable[Sequence[str]] | None = None) -> Shaper | None:
    """A shaper for one chunk of the import's file; None where each row is one product.

    Rows find each other in what the plan noted of the whole file, or, before there is a plan, `among` these.
    """
    cells = _cells(run)
    if cells is None:
        return None
    match cells.profile.structure:
        case Grouped() as grouped:
            return GroupShaper(cells, grouped, line_end=run.dialect.get("line_end", "\n"))
        case ByReference() as by_reference:
            known = References(cells, by_reference)
            find = references.finder(run) if among is None else known.finder(among)
            return ReferenceShaper(cells, by_reference, find=find)
    return None


def starts_group(run: ImportRun) -> Callable[[Sequence[str], Sequence[str]], bool] | None:
    """What tells, of two records that follow each other, whether the second begins a product of its own;
    None where any record may stand at the beginning of a chunk."""
    cells = _cells(run)
    if cells and isinstance(cells.profile.structure, Grouped):
        return Groups(cells, cells.profile.structure).starts
    return None


def note_references(run: ImportRun, chunks: Sequence[Chunk], *, encoding: str) -> None:
    """Where rows refer to each other from anywhere in the file, look through it once for what they note."""
    cells = _cells(run)
    if cells and isinstance(cells.profile.structure, ByReference):
        noting = References(cells, cells.profile.structure)
        rows = _rows(run, chunks, replace(Dialect.from_dict(run.dialect), encoding=encoding))
        references.collect(run, (note for row in rows for note in noting.noted(row)))


def unused_columns(run: ImportRun) -> list[int]:
    """Indexes of the file's columns of which nothing would be kept."""
    profile = BY_NAME.get(run.profile)
    used = {*run.mapping.values(), *(headers.read_by(profile, run.header) if profile else ())}
    return [index for index, name in enumerate(run.header) if index not in used and name not in EXTRA_COLUMNS]


def _rows(run: ImportRun, chunks: Sequence[Chunk], dialect: Dialect) -> Iterator[list[str]]:
    for chunk in chunks:
        for _, rows in open_chunk(run, chunk, dialect=dialect).blocks():
            yield from rows


def _cells(run: ImportRun) -> ShopCells | None:
    profile = BY_NAME.get(run.profile)
    if profile is None:
        return None
    at, chosen = run.mapping.get("price"), run.options.get("price", {})
    found = {} if at is None else columns.found_options("price", run.numbers, at)
    offered = {name: value for name, value in chosen.items() if value in Price.options.get(name, ())}
    return ShopCells(
        profile,
        header=run.header,
        mapping=run.mapping,
        price=Price(found | offered),
        today=run.created_at.date(),
    )
