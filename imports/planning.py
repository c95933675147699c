"""Cutting a file into chunks that start at rows, so that workers can read them side by side.

A chunk starts where no earlier line can reach past by an open quote, so reading the chunks gives the rows and
problems of reading the file in one piece; only a repair may look at the lines around, and sees those of its
chunk. Nearly always that is before `RUN` lines that stand alone,
which `recovery` never takes for the inside of a record; else it is found by looking back as far as a record
could reach.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import BinaryIO, cast

from imports.dialect import Dialect, RefusedFile
from imports.encoding import UTF8, EncodingEvidence
from imports.reading import ChunkReader
from imports.recovery import MAX_CELL, MAX_RECORD_LINES, RUN, LineGrammar, RecordFinder, Search

MAX_LINE = 16_777_216  # bytes; a chunk is held in memory, and it can't be cut inside a line
_CHUNK_LINES = 50_000  # bounds what a chunk of very short lines costs in memory
_BLOCK = 131_072
_WINDOW = 131_072
_NEAR = 32_768
_LOOKBACK = 4 * MAX_CELL  # bytes that the longest record can take in UTF-8
_GROUP_LINES, _GROUP_BYTES = 10_000, 8_388_608  # of what is left of a group; one with more is cut
_HOPELESS_LINES = 2 * MAX_RECORD_LINES  # where even these hold no certain start, any line start must do

# Whether the second of two records that follow each other begins a group that must stay in one chunk.
type StartsGroup = Callable[[Sequence[str], Sequence[str]], bool]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A byte range of the file that starts at a record."""

    number: int  # from 0
    offset: int
    length: int
    first_line: int  # physical line number, from 1
    lines: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The chunks join to [dialect.data_offset, dialect.data_end), or to the end of the file."""

    chunks: list[Chunk]
    lines: int  # physical lines from data_offset on; a last line without a line end counts
    size: int  # where the table ends; bytes of the file, if nothing follows it
    encoding: str  # by all its bytes; the dialect's was told from a sample


def plan(
    stream: BinaryIO,
    *,
    dialect: Dialect,
    width: int,
    target: int = 4_000_000,
    starts_group: StartsGroup | None = None,
) -> Plan:
    """Plan chunks of about `target` bytes, or somewhat less, for a seekable file whose header has `width`
    cells.

    Where `starts_group` is given, a chunk also starts with a group, unless the next one begins more than
    _GROUP_LINES or _GROUP_BYTES further down. Memory is flat. Raises RefusedFile if a line is longer than
    MAX_LINE bytes.
    """
    end = stream.seek(0, os.SEEK_END) if dialect.data_end is None else dialect.data_end
    if dialect.data_end is not None:
        stream = cast("BinaryIO", _Head(stream, dialect.data_end))
    survey = _Survey(stream, dialect, _even(end - dialect.data_offset, target))
    encoding = survey.encoding if dialect.encoding == UTF8 else dialect.encoding
    search = _RowSearch(stream, dialect=dialect, encoding=encoding, width=width)
    places = _cuts(survey.stripes, search, starts_group)
    cuts = [(dialect.data_offset, 0), *places, (survey.size, survey.lines)]
    chunks = [
        Chunk(number, start, end - start, dialect.first_line + before, after - before)
        for number, ((start, before), (end, after)) in enumerate(pairwise(cuts))
    ]
    return Plan(chunks=chunks, lines=survey.lines, size=survey.size, encoding=encoding)


def _even(size: int, target: int) -> int:
    """The size of an even number of equal chunks: two workers, or four, are then done at the same time."""
    pairs = -(-size // (2 * target))
    return -(-size // (2 * pairs)) if size > target else target


def _cuts(
    stripes: list[tuple[int, int]], search: "_RowSearch", starts_group: StartsGroup | None
) -> Iterator[tuple[int, int]]:
    """(offset, physical lines before it) of the first certain record of each stripe that has one."""
    last = 0
    for offset, lines_before in stripes:
        if offset <= last:
            continue
        found = search.first_from(offset)
        if found is None:
            return
        last, lines_before = found[0], lines_before + found[1]
        if starts_group is not None:
            further = search.first_group_after(last, starts_group)
            if further is None:
                return
            last, lines_before = last + further[0], lines_before + further[1]
        yield last, lines_before


class _Head:
    """The beginning of a file, as if it ended there."""

    def __init__(self, stream: BinaryIO, end: int) -> None:
        self._stream, self._end = stream, end

    def seek(self, offset: int) -> int:
        return self._stream.seek(offset)

    def read(self, size: int) -> bytes:
        return self._stream.read(max(0, min(size, self._end - self._stream.tell())))


class _Survey:
    """One pass over the whole file: where chunks should start, how many lines there are, the encoding."""

    def __init__(self, stream: BinaryIO, dialect: Dialect, target: int) -> None:
        self.stripes: list[tuple[int, int]] = []  # (offset, physical lines before it)
        self.size, self.lines = dialect.data_offset, 0
        self._dialect, self._eol = dialect, dialect.line_end.encode()
        self._evidence = EncodingEvidence()
        self._unended = 0  # bytes since the last line end
        stream.seek(self.size)
        start, lines = self.size, 0
        while block := stream.read(min(_BLOCK, target)):
            if self.size - start >= target or self.lines - lines >= _CHUNK_LINES:
                start, lines = self.size, self.lines
                self.stripes.append((start, lines))
            self._take(block)
        self.lines += self._unended > 0
        self.encoding = self._evidence.finish()

    def _take(self, block: bytes) -> None:
        self._evidence.feed(block)
        self.size += len(block)
        self._unended += len(block)
        if count := block.count(self._eol):
            self.lines += count
            self._unended = len(block) - block.rindex(self._eol) - 1
        if self._unended > MAX_LINE:
            raise RefusedFile(
                "line_too_long",
                f"Line {self._dialect.first_line + self.lines} is longer than {MAX_LINE:,} bytes. Probably a "
                "line end or a closing quote is missing in it: correct it, or export the file again.",
            )


class _RowSearch:
    """Finds places where a record certainly starts."""

    def __init__(self, stream: BinaryIO, *, dialect: Dialect, encoding: str, width: int) -> None:
        self._stream, self._encoding, self._start = stream, encoding, dialect.data_offset
        self._dialect, self._width = replace(dialect, encoding=encoding), width
        self._eol, self._coding = dialect.line_end.encode(), dialect.coding
        self._grammar = LineGrammar(
            delimiter=self._coding.delimiter,
            quotechar=dialect.quotechar,
            line_end=dialect.line_end,
            width=width,
        )

    def first_from(self, offset: int) -> tuple[int, int] | None:
        """(offset, line ends in between) of the first such place after `offset`; None if there is none."""
        if (near := self._before_run(offset)) is not None:
            return near
        before, size = self._lines_before(offset), _WINDOW
        while True:
            self._stream.seek(offset)
            data = self._stream.read(size)
            rest, *after = data.split(self._eol)
            after = after[:-1]  # cut by the end of the window
            place = self._first_settled([*before[:-1], before[-1] + rest], after)
            if place is None and len(after) > _HOPELESS_LINES:
                place = 0
            if place is not None:
                return offset + sum(len(line) + 1 for line in (rest, *after[:place])), place + 1
            if len(data) < size:
                return None
            size *= 4

    def first_group_after(self, offset: int, starts_group: StartsGroup) -> tuple[int, int] | None:
        """(bytes, lines) from `offset`, where a record certainly starts, to the next one that also starts a
        group; (0, 0) if that is too far, None if there is none."""
        size = _WINDOW
        while True:
            self._stream.seek(offset)
            data = self._stream.read(size)
            lines = data.split(self._eol)[:-1]  # the last one is cut by the end of the window
            if (place := self._first_group(data, lines, starts_group)) is not None:
                return sum(len(line) + 1 for line in lines[:place]), place
            if len(lines) > _GROUP_LINES or size >= _GROUP_BYTES:
                return 0, 0
            if len(data) < size:
                return None
            size *= 4

    def _first_group(self, data: bytes, lines: list[bytes], starts_group: StartsGroup) -> int | None:
        reader = ChunkReader(data, dialect=self._dialect, width=self._width, first_line=0)
        rows = dict(reader)
        # Staging may repair such a line, and then it may be what the group begins with.
        broken = {found.line + at for found in reader.problems for at in range(found.lines)}
        horizon, reached = _Horizon([self._text(line) for line in lines], self._grammar), 0
        before: list[str] | None = None
        for index in range(min(len(lines), _GROUP_LINES)):
            if index in broken:
                before = None
            elif row := rows.get(index):
                if before is not None and reached <= index and starts_group(before, row):
                    return index
                before = row
            reached = max(reached, horizon.of(index))
        return None

    def _before_run(self, offset: int) -> tuple[int, int] | None:
        """As `first_from`: the second of the first `RUN` lines of which each stands alone, if that is near.

        The first one may lack its beginning, torn off to the line above.
        """
        self._stream.seek(offset)
        lines = self._stream.read(_NEAR).split(self._eol)[:-1]  # the last one is cut by the end of the window
        run = 0
        for number in range(1, len(lines)):  # the first one is cut by the offset
            line = self._text(lines[number])
            run = run + 1 if self._grammar.stands_alone(line) else 0
            if run == RUN:
                first = number + 2 - RUN
                return offset + sum(len(before) + 1 for before in lines[:first]), first
        return None

    def _lines_before(self, offset: int) -> list[bytes]:
        """The lines from which a record could reach past `offset`; the last one ends there unfinished."""
        start = max(self._start, offset - _LOOKBACK)
        self._stream.seek(start)
        first, *lines = self._stream.read(offset - start).rsplit(self._eol, MAX_RECORD_LINES)
        whole = start == self._start and len(lines) < MAX_RECORD_LINES
        return [first, *lines] if whole else lines or [b""]

    def _first_settled(self, before: list[bytes], after: list[bytes]) -> int | None:
        """Index in `after` of the first line that no earlier line reaches past."""
        lines = [self._text(line) for line in (*before, *after)]
        horizon, reached = _Horizon(lines, self._grammar), 0
        for index in range(len(lines)):
            if index >= len(before) and reached <= index:
                return index - len(before)
            reached = max(reached, horizon.of(index))
        return None

    def _text(self, line: bytes) -> str:
        return self._coding.encode(line.decode(self._encoding, "surrogateescape"))


class _Horizon:
    """How far a record that starts at a line could reach, whether it would be read or given up."""

    def __init__(self, lines: list[str], grammar: LineGrammar) -> None:
        self._lines, self._grammar, self._finder = lines, grammar, RecordFinder(lines, grammar)
        self._search, self._last = Search(None, 0), 0

    def of(self, index: int) -> int:
        """First line that the reading of a record at `index` surely leaves alone."""
        if not self._grammar.is_open(self._lines[index]):
            return index + 1
        if index < self._last:  # the last search came through here inside quotes, as one from here would
            accepted = self._search.found is not None  # perhaps
        else:
            self._search = search = self._finder.close(index)
            self._last = index + search.seen - 1
            accepted = search.found is not None and self._finder.is_record(search.found, self._last)
        if self._search.gave_up:
            return min(index + MAX_RECORD_LINES, len(self._lines))
        return max(self._last + accepted, index + 1)
