"""Several tables in one file: where one ends and the next begins."""

from collections import Counter
from collections.abc import Iterator

from imports.detecting import Record
from imports.evidence import is_more_header, is_typed, typed_columns

_TYPING_ROWS = 100


def tables_in(records: list[Record]) -> list[list[Record]]:
    """The records in tables: what is above the first one, if it stands apart, counts as one of its own."""
    tables: list[list[Record]] = [[]]
    for block in _blocks(records):
        if _starts_another(tables[-1], block):
            tables.append(block)
        else:
            tables[-1] += block
    return tables


def _blocks(records: list[Record]) -> Iterator[list[Record]]:
    """Records up to the next blank one that follows them, or to where a table of another width begins."""
    block: list[Record] = []
    for found in records:
        if block and block[-1].is_blank and not found.is_blank:
            yield from _parted(block)
            block = []
        block.append(found)
    yield from _parted(block)


def _parted(block: list[Record]) -> list[list[Record]]:
    """A block in two, where it ends with a table of another width that brings a header of its own."""
    full = [found for found in block if not found.is_blank]
    widths = [len(found.cells or ()) for found in full]
    start = len(full)
    while start and widths[start - 1] == widths[-1]:
        start -= 1
    head, tail = full[:start], full[start:]
    if len(head) < 2 or len(tail) < 3 or widths[-1] < 2 or modal_width(head) == widths[-1]:
        return [block]
    if any(map(is_typed, tail[0].cells or ())) or not any(map(is_typed, tail[1].cells or ())):
        return [block]
    cut = block.index(tail[0])
    return [block[:cut], block[cut:]]


def _starts_another(table: list[Record], block: list[Record]) -> bool:
    """Is this block, set off by a blank line or its width, another table than the one above it?"""
    rows = [found for found in block if not found.is_blank]
    if len(rows) < 2 or (own := modal_width(rows)) < 2:
        return False
    table = table[:_TYPING_ROWS]  # more would make many small blocks slow
    width = modal_width(table)
    if not width:
        return False
    if own != width:
        return sum(len(found.cells or ()) == own for found in rows) >= 0.8 * len(rows)
    above = [found.cells for found in table if found.cells and len(found.cells) == width]
    first = rows[0].cells or []
    if len(first) != width:
        return False
    typed = typed_columns(above[1:] or above)
    return first == above[0] or (len(typed) > 1 and is_more_header(first, typed))


def modal_width(records: list[Record]) -> int:
    """The number of cells that most of these records have; 0 where all are blank."""
    widths = Counter(len(found.cells or ()) for found in records if not found.is_blank)
    return widths.most_common(1)[0][0] if widths else 0
