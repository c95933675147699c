"""What the importer sees in a file before any mapping: its table, row by row, and what is wrong by line."""

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any, BinaryIO, TextIO, Unpack

from django.conf import settings

from imports import profiles
from imports.corrections import Corrections
from imports.dialect import Inspection, RefusedFile, examine
from imports.planning import Chunk, plan
from imports.problems import Problem
from imports.reading import ChunkReader
from imports.repair import Repair
from imports.unpacking import plain_file

CHUNK_BYTES = 1_000_000
KEPT_PROBLEMS = 1_000  # the rest are counted only: a file of nothing but problems must not fill the memory


class TableReader:
    """Reads the table of a seekable binary file chunk by chunk, in flat memory.

    Broken lines are repaired where that is certain. The counters hold once `blocks` is through:

        lines == records + rejected + continuation_lines + blank_lines
    """

    def __init__(self, stream: BinaryIO, *, repair: bool = True, **given: Unpack[Corrections]) -> None:
        """Raises RefusedFile if the file can't be read as a table; one with nothing but a header can be."""
        self._stream, self._repair = stream, repair
        self.seen: Inspection = examine(stream, **given)
        self.problems: list[Problem] = []
        self.repairs: list[Repair] = []
        self.lines = self.records = self.rejected = self.repaired = self.continuation_lines = (
            self.blank_lines
        ) = 0

    def blocks(self) -> Iterator[list[list[str]]]:
        """All rows, some hundred at once, each as wide as the header. Read once; raises RefusedFile."""
        dialect, width = self.seen.dialect, len(self.seen.header)
        planned = plan(self._stream, dialect=dialect, width=width, target=CHUNK_BYTES)
        dialect = replace(dialect, encoding=planned.encoding)
        for chunk in planned.chunks:
            reader = ChunkReader(
                self._read(chunk),
                dialect=dialect,
                width=width,
                first_line=chunk.first_line,
                habits=self.seen.habits if self._repair else None,
            )
            for _, rows in reader.blocks():
                yield rows
            self._count(reader)

    def _read(self, chunk: Chunk) -> bytes:
        self._stream.seek(chunk.offset)
        return self._stream.read(chunk.length)

    def _count(self, reader: ChunkReader) -> None:
        self.lines += reader.physical_lines
        self.records += reader.records
        self.rejected += len(reader.problems)
        self.continuation_lines += reader.continuation_lines
        self.blank_lines += reader.blank_lines
        self.repaired += len(reader.repairs)
        self.problems += reader.problems[: KEPT_PROBLEMS - len(self.problems)]
        self.repairs += reader.repairs[: KEPT_PROBLEMS - len(self.repairs)]


def write_csv(
    stream: BinaryIO, out: TextIO, *, limit: int | None, repair: bool = True, **given: Unpack[Corrections]
) -> None:
    """Write the table as RFC 4180, header first, with at most `limit` rows; an empty file gives nothing.

    `out` must not translate line ends; `repair` as for `write_json`. Raises RefusedFile for what is no table.
    """
    with plain_file(stream, limit=settings.IMPORT_MAX_BYTES) as plain:
        try:
            table = TableReader(plain, repair=repair, **given)
        except RefusedFile as refused:
            if refused.code == "empty":
                return
            raise
        writer = csv.writer(out)
        writer.writerow(table.seen.header)
        for rows in _limited(table.blocks(), limit):
            writer.writerows(rows)


def write_json(
    stream: BinaryIO,
    out: TextIO,
    *,
    name: str,
    limit: int | None,
    repair: bool = True,
    **given: Unpack[Corrections],
) -> None:
    """Write one JSON object: how the file is written, its columns, `limit` rows (None: all), and the problems
    of the whole file. A file that is refused gives its name and the reason; one that is refused while it is
    read, what was seen of it until then as well.

    Without `repair`, lines that would be repaired are problems too.
    """
    try:
        with plain_file(stream, limit=settings.IMPORT_MAX_BYTES) as plain:
            table = TableReader(plain, repair=repair, **given)
            out.write(json.dumps({"file": name, **_described(table.seen)}, ensure_ascii=False)[:-1])
            refusal = _write_rows(table, out, limit)
    except RefusedFile as refused:
        out.write(json.dumps({"file": name, **_refusal(refused)}, ensure_ascii=False) + "\n")
        return
    out.write(", " + json.dumps({**_counted(table), **refusal}, ensure_ascii=False)[1:] + "\n")


def _write_rows(table: TableReader, out: TextIO, limit: int | None) -> dict[str, Any]:
    """Write the rows as the object's next value; returns what it must end with if the file is refused."""
    out.write(', "rows": [')
    separator, left, refusal = "", limit, {}
    try:
        for rows in table.blocks():
            for row in rows[:left]:
                out.write(separator + json.dumps(row, ensure_ascii=False))
                separator = ", "
            left = None if left is None else max(0, left - len(rows))
    except RefusedFile as refused:
        refusal = _refusal(refused)
    out.write("]")
    return refusal


def _refusal(refused: RefusedFile) -> dict[str, Any]:
    return {"refused": {"code": refused.code, "message": refused.message}}


def _described(seen: Inspection) -> dict[str, Any]:
    profile = profiles.recognise(seen.header)
    guesses = profiles.guess_mapping(seen.header, profile)
    return {
        "size": seen.size,
        "dialect": seen.dialect.as_dict(),
        "header": seen.header,
        "profile": profile.name if profile else None,
        "left_out": [asdict(aside) for aside in seen.asides],
        "columns": {ours: {"index": at, "header": seen.header[at]} for ours, at in guesses.items()},
    }


def _counted(table: TableReader) -> dict[str, Any]:
    return {
        "lines": table.lines,
        "records": table.records,
        "rejected": table.rejected,
        "continuation_lines": table.continuation_lines,
        "blank_lines": table.blank_lines,
        "problems": [asdict(problem) for problem in table.problems],
        "repaired": table.repaired,
        "repairs": [asdict(repair) for repair in table.repairs],
    }


def _limited(blocks: Iterator[list[list[str]]], limit: int | None) -> Iterator[list[list[str]]]:
    """The blocks up to `limit` rows; no more of the file is read than that takes."""
    left = limit
    for rows in blocks:
        yield rows[:left]
        if left is not None and (left := left - len(rows)) <= 0:
            return
