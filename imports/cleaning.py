"""Read one chunk of the file and clean its cells: sound rows on one side, rejected lines on the other."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import cast

from imports.columns import BY_NAME, CellError, Column
from imports.dialect import Dialect
from imports.models import Chunk, ImportRun, RejectedRow
from imports.reading import ChunkReader

_BLOCK = 500  # rows cleaned together


@dataclass(slots=True)
class Row:
    """One sound line: cleaned cells in the order of `Batch.columns`, None where the cell is blank."""

    line: int
    sku: str
    cells: tuple[str | None, ...]
    extra: str | None = None
    found: bool = False
    same: bool = False


@dataclass(slots=True)
class Batch:
    """The rows of a chunk and what was rejected of it."""

    run: ImportRun
    columns: list[Column]
    rows: list[Row] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)

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


def read_chunk(run: ImportRun, chunk: Chunk) -> tuple[ChunkReader, Batch]:
    """Read and clean a chunk, without the database."""
    with run.opened() as stream:
        stream.seek(chunk.offset)
        data = stream.read(chunk.length)
    width = len(run.header)
    reader = ChunkReader(
        data, dialect=Dialect.from_dict(run.dialect), width=width, first_line=chunk.first_line
    )
    names = [name for name in BY_NAME if name in run.mapping and name != "sku"]
    batch = Batch(run=run, columns=[BY_NAME[name]() for name in names])
    _clean(run, reader, batch)
    for problem in reader.problems:
        at = problem.column
        column = run.header[at] if at is not None and at < width else ""
        batch.reject(problem.line, [(column, problem.value, problem.code, problem.message)])
    return reader, batch


def _clean(run: ImportRun, reader: ChunkReader, batch: Batch) -> None:
    """Fill `batch.rows` block by block: most columns of most blocks are sound at one look."""
    sku = BY_NAME["sku"]()
    columns = [(run.mapping[column.name], column) for column in (sku, *batch.columns)]
    unknown = _unknown_columns(run)
    records = iter(reader)
    while block := list(islice(records, _BLOCK)):
        by_column = list(zip(*[cells for _, cells in block], strict=True))
        bad: set[int] = set()
        skus, *cleaned = [_clean_column(column, by_column[at], bad) for at, column in columns]
        by_row = zip(*cleaned, strict=True) if cleaned else repeat(())
        for index, ((line, cells), key, values) in enumerate(zip(block, skus, by_row, strict=False)):
            if index in bad or key is None:
                batch.reject(line, _errors(run, batch, cells))
            else:
                batch.rows.append(Row(line, key, values, _extra(unknown, cells) if unknown else None))


def _clean_column(column: Column, cells: tuple[str, ...], bad: set[int]) -> list[str | None]:
    """The cleaned cells of one column, None where blank; adds the indexes of broken ones to `bad`."""
    stripped = list(map(str.strip, cells))
    if "" not in stripped:
        at_once = column.clean_all(stripped)
        if at_once is not None:
            return cast("list[str | None]", at_once)
    cleaned: list[str | None] = []
    for index, text in enumerate(stripped):
        try:
            cleaned.append(column.clean(text) if text else None)
        except CellError:
            bad.add(index)
            cleaned.append(None)
    return cleaned


def _errors(run: ImportRun, batch: Batch, cells: list[str]) -> list[tuple[str, str, str, str]]:
    """Everything that is wrong with a row's cells, so that one round of mending is enough."""
    errors = []
    for column in (BY_NAME["sku"](), *batch.columns):
        at = run.mapping[column.name]
        text = cells[at].strip()
        if column.name == "sku" and not text:
            message = "The SKU is missing; every row needs one. Fill it in."
            errors.append((run.header[at], "", "missing_sku", message))
        elif text:
            try:
                column.clean(text)
            except CellError as error:
                errors.append((run.header[at], text[:200], error.code, str(error)))
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


# SKUs and masks travel as one text each: SKUs have no control characters, and arrays are slow to write.
