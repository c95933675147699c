"""Where a table begins in a long file whose first megabyte shows none."""

import os
from collections.abc import Callable
from typing import BinaryIO

PROBE_BYTES = 65_536  # a look is at so many
_STEP = 32_768  # bytes; looking for the header begins at most so far above the first rows that were seen
_BLOCK = 1_048_576


def first_table(stream: BinaryIO, start: int, *, is_table: Callable[[int], bool]) -> int | None:
    """An offset shortly above the first rows behind `start`; None if there seem to be none.

    `is_table` tells whether there are rows at an offset. What is above a table is taken for one piece, so
    that a few looks do for a file of any size.
    """
    size = stream.seek(0, os.SEEK_END)
    quarters = (start + (size - start) * quarter // 4 for quarter in (2, 3, 1))
    found = next(filter(is_table, (*quarters, max(start, size - PROBE_BYTES))), None)
    if found is None:
        return None
    above = start
    while found - above > _STEP:
        middle = (above + found) // 2
        above, found = (above, middle) if is_table(middle) else (middle, found)
    return above


def line_start(stream: BinaryIO, offset: int, line_end: bytes) -> tuple[int, int]:
    """(offset, lines before it) of the first line that begins at or behind `offset`."""
    lines = count_lines(stream, offset, line_end)
    if offset == 0 or _byte_before(stream, offset) == line_end:
        return offset, lines
    stream.seek(offset)
    while block := stream.read(_BLOCK):
        at = block.find(line_end)
        if at >= 0:
            return offset + at + 1, lines + 1
        offset += len(block)
    return offset, lines


def offset_of(stream: BinaryIO, line: int, line_end: bytes) -> int | None:
    """Where this physical line (from 1) begins; None if the file has fewer."""
    stream.seek(0)
    offset, left = 0, line - 1
    while block := stream.read(_BLOCK):
        count = block.count(line_end)
        if count >= left:
            return offset + sum(len(part) + 1 for part in block.split(line_end, left)[:left])
        offset, left = offset + len(block), left - count
    return None


def count_lines(stream: BinaryIO, end: int, line_end: bytes) -> int:
    """Line ends before the offset `end`."""
    stream.seek(0)
    count, left = 0, end
    while left and (block := stream.read(min(left, _BLOCK))):
        count, left = count + block.count(line_end), left - len(block)
    return count


def _byte_before(stream: BinaryIO, offset: int) -> bytes:
    stream.seek(offset - 1)
    return stream.read(1)
