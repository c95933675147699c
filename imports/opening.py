"""A chunk of an import's file, opened for reading."""

from __future__ import annotations

from imports.column_types import Habits
from imports.dialect import Dialect
from imports.models import Chunk, ImportRun
from imports.reading import ChunkReader


def open_chunk(run: ImportRun, chunk: Chunk, *, dialect: Dialect | None = None) -> ChunkReader:
    """A reader for the chunk's part of the file, in the run's own dialect unless another is given."""
    with run.opened() as stream:
        stream.seek(chunk.offset)
        data = stream.read(chunk.length)
    return ChunkReader(
        data,
        dialect=dialect or Dialect.from_dict(run.dialect),
        width=len(run.header),
        first_line=chunk.first_line,
        habits=Habits.from_dict(run.dialect.get("habits", {})) if run.repair else None,
    )
