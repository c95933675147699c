"""Read the rows of a chunk and clean their cells: sound rows on one side, rejected lines on the other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import cast

from imports import shaping
from imports.cells import Cells, cells_of
from imports.columns import CellError, Column
from imports.models import ImportRun, RejectedRow
from imports.reading import ChunkReader
from imports.shaping import Shaped, Shaper
from imports.telling import told_sku

type Error = tuple[str, str, str, str]  # the file's column, value, code, message


@dataclass(slots=True)
class Batch:
    """The sound rows of a chunk, column by column, and what else became of its lines.

    The lists up to `found` are as long as there are rows; `cells` has one such list for each of `columns`.
    """

    run: ImportRun
    columns: list[Column]
    lines: list[int] = field(default_factory=list)
    skus: list[str] = field(default_factory=list)
    cells: list[list[str | None]] = field(default_factory=list)  # cleaned; None keeps what is there
    extras: list[str | None] = field(default_factory=list)  # unknown columns as JSON
    hashes: list[int | None] = field(default_factory=list)  # of lines that are a record by themselves
    found: list[bool] = field(default_factory=list)  # the catalogue has the SKU
    versions: dict[str, int] = field(default_factory=dict)  # for a preview: of the products by SKU
    unchanged: list[tuple[int, str]] = field(default_factory=list)  # (line, SKU) where nothing would change
    rejected: dict[int, RejectedRow] = field(default_factory=dict)  # by line: each is rejected once
    companions: set[tuple[int, str]] = field(default_factory=set)  # (line, SKU) of rows that don't count
    merged: list[tuple[int, int]] = field(default_factory=list)  # line that added to another one's product

    def column(self, name: str) -> list[str | None]:
        """The cells of one of our columns; none if the file has no such column."""
        names = [column.name for column in self.columns]
        return self.cells[names.index(name)] if name in names else []

    def keep(self, wanted: Iterable[bool]) -> None:
        """Drop the rows that are not wanted."""
        wanted = list(wanted)
        if all(wanted):
            return
        for name in ("lines", "skus", "extras", "hashes", "found"):
            setattr(self, name, list(compress(getattr(self, name), wanted)))
        self.cells = [list(compress(cells, wanted)) for cells in self.cells]

    def drop_lines(self, lines: set[int]) -> None:
        """Drop all rows that come from these lines."""
        self.unchanged = [(line, sku) for line, sku in self.unchanged if line not in lines]
        self.keep(line not in lines for line in self.lines)

    def settle_merged(self) -> None:
        """Reject the lines that added to the product of a line of which nothing is left."""
        left = {*self.lines, *(line for line, _ in self.unchanged)}
        lost = [(line, owner) for line, owner in self.merged if owner not in left]
        for line, owner in lost:
            message = (
                f"Line {owner}, to whose product this line adds, is rejected. Mend that line, and import"
            )
            self.reject(line, [("", "", "lead_rejected", f"{message} this one with it.")])
        self.merged = [pair for pair in self.merged if pair[1] in left]

    def reject(self, line: int, errors: list[Error], *, sku: str | None = "") -> None:
        """Reject a line for these errors, the first of which is shown first; `sku` where it could be told."""
        if known := self.rejected.get(line):  # another row of the same line
            told = [known.message, *(error[3] for error in known.more)]
            known.more += [list(error) for error in errors if error[3] not in told]
            return
        column, value, code, message = errors[0]
        self.rejected[line] = RejectedRow(
            run=self.run,
            line=line,
            sku=sku or "",
            column=column[:255],
            value=value[:200],
            code=code,
            message=message,
            more=[list(error) for error in errors[1:]],
        )


def clean(run: ImportRun, reader: ChunkReader, hashes: Sequence[int]) -> Batch:
    """Read and clean the rows that were not recognised; `hashes` has one for each physical line, or none."""
    shaper = shaping.shaper_of(run)
    columns = cells_of(run, shaped=shaper is not None)
    batch = Batch(run=run, columns=[one.column for one in columns[1:]], cells=[[] for _ in columns[1:]])
    unknown = _unknown_columns(run)
    if shaper:
        _clean_shaped(batch, columns, shaper, reader, unknown)
    else:
        for lines, rows in reader.blocks():
            extras = [_extra(unknown, row) if unknown else None for row in rows]
            _add(batch, columns, lines, rows, extras)
    batch.hashes = _hashes_of(batch.lines, reader, hashes)
    _reject_problems(run, reader, batch)
    return batch


def _clean_shaped(
    batch: Batch, columns: list[Cells], shaper: Shaper, reader: ChunkReader, unknown: list[tuple[int, str]]
) -> None:
    """Clean what the shaper makes of the records, with each line's unknown columns at its row that counts."""
    extras: dict[int, str | None] = {}
    for lines, rows in reader.blocks():
        if unknown:
            extras.update(zip(lines, (_extra(unknown, row) for row in rows), strict=True))
        _add_shaped(batch, columns, shaper.shape(lines, rows), extras)
    _add_shaped(batch, columns, shaper.finish(), extras)


def _add_shaped(batch: Batch, columns: list[Cells], shaped: Shaped, extras: dict[int, str | None]) -> None:
    batch.merged += shaped.merged
    for line, *error in shaped.rejected:
        batch.reject(line, [cast("Error", tuple(error))])
    if not shaped.rows:
        return
    numbered = list(zip(shaped.lines, shaped.rows, shaped.counts, strict=True))
    batch.companions.update((line, columns[0].of(row)) for line, row, counts in numbered if not counts)
    own = [extras.get(line) if counts else None for line, _, counts in numbered]
    _add(batch, columns, shaped.lines, shaped.rows, own, counts=shaped.counts)


def _add(
    batch: Batch,
    columns: list[Cells],
    lines: Sequence[int],
    rows: Sequence[list[str]],
    extras: Sequence[str | None],
    counts: Sequence[bool] = (),
) -> None:
    """Clean rows and add them to the batch. A row that only accompanies another one takes that with it when
    it is broken, not the other way round: further lines may need it."""
    by_column = list(zip(*rows, strict=True))
    bad: set[int] = set()
    skus, *cells = [one.clean_all(by_column, bad) for one in columns]
    bad.update(index for index, key in enumerate(skus) if key is None)
    bad.update(_own_parents(columns, skus, cells))
    for index in sorted(bad):
        batch.reject(lines[index], _errors(batch.run, columns, rows[index]), sku=skus[index])
    if bad and counts:
        broken = {lines[index] for index in bad if not counts[index]}
        bad.update(index for index, line in enumerate(lines) if line in broken)
    sound = [index not in bad for index in range(len(lines))] if bad else None
    _append(batch.lines, lines, sound)
    _append(batch.skus, cast("list[str]", skus), sound)
    for all_cells, more in zip(batch.cells, cells, strict=True):
        _append(all_cells, more, sound)
    _append(batch.extras, extras, sound)


def _own_parents(
    columns: list[Cells], skus: list[str | None], cells: list[list[str | None]]
) -> Iterator[int]:
    names = [one.column.name for one in columns[1:]]
    if "parent" in names:
        parents = cells[names.index("parent")]
        yield from (at for at, (sku, above) in enumerate(zip(skus, parents, strict=True)) if sku == above)


def _append[T](column: list[T], more: Sequence[T], sound: list[bool] | None) -> None:
    column.extend(more if sound is None else compress(more, sound))


def _hashes_of(lines: list[int], reader: ChunkReader, hashes: Sequence[int]) -> list[int | None]:
    """None for records of several lines and the like: what begins them may begin another one as well."""
    first, careful = reader.first_line, reader.careful
    if not hashes:
        return [None] * len(lines)
    if not careful:
        return [hashes[line - first] for line in lines]
    return [None if line - first in careful else hashes[line - first] for line in lines]


def _reject_problems(run: ImportRun, reader: ChunkReader, batch: Batch) -> None:
    for problem in reader.problems:
        at = problem.column
        column = run.header[at] if at is not None and at < len(run.header) else ""
        sku = told_sku(run, problem)
        batch.reject(problem.line, [(column, problem.value, problem.code, problem.message)], sku=sku)


def _errors(run: ImportRun, columns: list[Cells], row: list[str]) -> list[Error]:
    """Everything that is wrong with a row's cells, so that one round of mending is enough."""
    errors, cleaned = [], dict[str, str | None]()
    for cells in columns:
        name, text = cells.column.name, cells.of(row)
        try:
            cleaned[name] = cells.clean(text)
            if name == "sku" and cleaned[name] is None:
                raise CellError("missing_sku", "The SKU is missing; every row needs one. Fill it in.")
            if name == "parent" and cleaned[name] and cleaned[name] == cleaned.get("sku"):
                raise CellError("own_parent", _OWN_PARENT)
        except CellError as error:
            errors.append((run.header_of(name), text[:200], error.code, str(error)))
    return errors


_OWN_PARENT = "A product can't be a variant of itself. Write the parent's SKU, or nothing."


def _unknown_columns(run: ImportRun) -> list[tuple[int, str]]:
    """Columns to be kept in the metadata. Ours that come back with a rejected-rows file are never data."""
    if not run.keep_unknown or run.removes:
        return []
    named = ((index, run.header[index]) for index in shaping.unused_columns(run))
    return [(index, name) for index, name in named if name.strip()]


def _extra(unknown: list[tuple[int, str]], cells: list[str]) -> str | None:
    kept = {name: cells[index] for index, name in unknown if cells[index].strip()}
    return json.dumps(kept, ensure_ascii=False) if kept else None
