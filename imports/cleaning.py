"""Read the rows of a chunk and clean their cells: sound rows on one side, rejected lines on the other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import cast

from imports.cells import Cells, cells_of
from imports.column_types import Habits
from imports.columns import CellError, Column
from imports.dialect import Dialect
from imports.models import Chunk, ImportRun, RejectedRow
from imports.reading import ChunkReader


@dataclass(slots=True)
class Batch:
    """The sound rows of a chunk, column by column, and what was rejected of it.

    All lists but the last two are as long as there are rows; `cells` has one such list for each of `columns`.
    """

    run: ImportRun
    columns: list[Column]
    lines: list[int] = field(default_factory=list)
    skus: list[str] = field(default_factory=list)
    cells: list[list[str | None]] = field(default_factory=list)  # cleaned; None keeps what is there
    extras: list[str | None] = field(default_factory=list)  # unknown columns as JSON
    hashes: list[int | None] = field(default_factory=list)  # of lines that are a record by themselves
    found: list[bool] = field(default_factory=list)  # the catalogue has the SKU
    unchanged: list[tuple[int, str]] = field(default_factory=list)  # (line, SKU) where nothing would change
    rejected: list[RejectedRow] = field(default_factory=list)

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

    def reject(self, line: int, errors: list[tuple[str, str, str, str]]) -> None:
        """Reject a line for `(column, value, code, message)` errors, the first of which is shown first."""
        column, value, code, message = errors[0]
        self.rejected.append(
            RejectedRow(
                run=self.run,
                line=line,
                column=column[:255],
                value=value[:200],
                code=code,
                message=message,
                more=[list(error) for error in errors[1:]],
            )
        )


def open_chunk(run: ImportRun, chunk: Chunk) -> ChunkReader:
    """A reader for the chunk's part of the file."""
    with run.opened() as stream:
        stream.seek(chunk.offset)
        data = stream.read(chunk.length)
    return ChunkReader(
        data,
        dialect=Dialect.from_dict(run.dialect),
        width=len(run.header),
        first_line=chunk.first_line,
        habits=Habits.from_dict(run.dialect.get("habits", {})) if run.repair else None,
    )


def clean(run: ImportRun, reader: ChunkReader, hashes: Sequence[int]) -> Batch:
    """Read and clean the rows that were not recognised; `hashes` has one for each physical line."""
    sku, *others = cells_of(run)
    batch = Batch(run=run, columns=[one.column for one in others], cells=[[] for _ in others])
    unknown = _unknown_columns(run)
    for lines, rows in reader.blocks():
        by_column = list(zip(*rows, strict=True))
        bad: set[int] = set()
        skus = sku.clean_all(by_column, bad)
        cells = [one.clean_all(by_column, bad) for one in others]
        bad.update(index for index, key in enumerate(skus) if key is None)
        for index in sorted(bad):
            batch.reject(lines[index], _errors(run, [sku, *others], rows[index]))
        sound = [index not in bad for index in range(len(lines))] if bad else None
        _append(batch.lines, lines, sound)
        _append(batch.skus, cast("list[str]", skus), sound)
        for all_cells, more in zip(batch.cells, cells, strict=True):
            _append(all_cells, more, sound)
        extras = [_extra(unknown, row) if unknown else None for row in rows]
        _append(batch.extras, extras, sound)
    batch.hashes = [_hash_of(line - reader.first_line, reader, hashes) for line in batch.lines]
    _reject_problems(run, reader, batch)
    return batch


def _append[T](column: list[T], more: list[T], sound: list[bool] | None) -> None:
    column.extend(more if sound is None else compress(more, sound))


def _hash_of(index: int, reader: ChunkReader, hashes: Sequence[int]) -> int | None:
    """None for records of several lines and the like: what begins them may begin another one as well."""
    return None if index in reader.careful else hashes[index]


def _reject_problems(run: ImportRun, reader: ChunkReader, batch: Batch) -> None:
    for problem in reader.problems:
        at = problem.column
        column = run.header[at] if at is not None and at < len(run.header) else ""
        batch.reject(problem.line, [(column, problem.value, problem.code, problem.message)])


def _errors(run: ImportRun, columns: list[Cells], row: list[str]) -> list[tuple[str, str, str, str]]:
    """Everything that is wrong with a row's cells, so that one round of mending is enough."""
    errors = []
    for cells in columns:
        text = cells.of(row)
        try:
            if cells.clean(text) is None and cells.column.name == "sku":
                raise CellError("missing_sku", "The SKU is missing; every row needs one. Fill it in.")
        except CellError as error:
            errors.append((run.header[run.mapping[cells.column.name]], text[:200], error.code, str(error)))
    return errors


def _unknown_columns(run: ImportRun) -> list[tuple[int, str]]:
    """Columns to be kept in the metadata. Ours that come back with a rejected-rows file are never data."""
    if not run.keep_unknown:
        return []
    mapped = set(run.mapping.values())
    return [
        (index, name)
        for index, name in enumerate(run.header)
        if index not in mapped and name.strip() and name not in ("_line", "_error")
    ]


def _extra(unknown: list[tuple[int, str]], cells: list[str]) -> str | None:
    kept = {name: cells[index] for index, name in unknown if cells[index].strip()}
    return json.dumps(kept, ensure_ascii=False) if kept else None
