"""What must be true of any bytes: refused with a reason, or read with every line accounted for."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import BinaryIO, Unpack

from imports.corrections import Corrections
from imports.dialect import RefusedFile, examine
from imports.planning import plan
from imports.reading import ChunkReader
from imports.unpacking import plain_file

LIMIT = 20_000_000  # bytes that may come out of an archive


def check(data: bytes, **given: Unpack[Corrections]) -> None:
    """Take `data` for an uploaded file, read as given; raises what the reader never should."""
    with suppress(RefusedFile), plain_file(io.BytesIO(data), limit=LIMIT) as plain:
        _check_table(plain, given)


def _check_table(plain: BinaryIO, given: Corrections) -> None:
    seen = examine(plain, **given)
    width = len(seen.header)
    assert all(len(row) == width for row in seen.rows)
    made = plan(plain, dialect=seen.dialect, width=width, target=5_000)
    offset, line = seen.dialect.data_offset, seen.dialect.first_line
    for chunk in made.chunks:
        assert (chunk.offset, chunk.first_line) == (offset, line)
        plain.seek(offset)
        data = plain.read(chunk.length)
        for habits in (None, seen.habits):
            reader = ChunkReader(data, dialect=seen.dialect, width=width, first_line=line, habits=habits)
            _check_lines(reader, width)
            assert reader.physical_lines == chunk.lines
        offset, line = offset + chunk.length, line + chunk.lines
    assert offset == (seen.size if seen.dialect.data_end is None else seen.dialect.data_end)


def _check_lines(reader: ChunkReader, width: int) -> None:
    rows = list(reader)
    assert all(len(cells) == width for _, cells in rows)
    accounted = reader.records + len(reader.problems) + reader.continuation_lines + reader.blank_lines
    assert (reader.physical_lines, reader.records) == (accounted, len(rows))
    # Not all lines are accounted for if one is told of twice, or where there is none.
    told = [*(number for number, _ in rows), *(problem.line for problem in reader.problems)]
    assert len(set(told)) == len(told)
    assert set(told) <= set(range(reader.first_line, reader.first_line + reader.physical_lines))
