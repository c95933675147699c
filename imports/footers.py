"""Lines at the end of a file that are no rows: totals, notes, the number of rows."""

import re
from collections.abc import Sequence

from imports.detecting import Record
from imports.evidence import is_like_rows

_MOST = 5
_COMPARED = 100  # rows above a line that could be one of them
_TOTALS = re.compile(
    r"(?i)\s*(?:grand |sub-?)?(?:totals?|sums?|summe|gesamt(?:summe)?|totaux|suma|totale|totaal)\s*:?\s*"
).fullmatch
_NOTES = re.compile(
    r"(?i)\s*(?:\(?\d+ (?:rows?|records?|lines?|items?|products?|zeilen|artikel)\b|[#*] |--|\(?(?:end of"
    r"|generated|exported|source|notes?|(?:grand |sub-?)?totals?|ende|erstellt|quelle|summe|copyright)\b|©)"
).match


def footers_in(records: Sequence[Record], lines: Sequence[str], width: int, delimiter: str) -> int:
    """How many of the last records are footers, blank ones among them; the first record never is one.

    `lines` end where the file ends. A cut last line is none: it is a row to be rejected.
    """
    kept, count = len(records), 0
    for position in reversed(range(1, len(records))):
        if records[position].is_blank:
            continue
        count += 1
        if count > _MOST or not _is_footer(records, position, lines, width, delimiter):
            break
        kept = position
    return len(records) - kept


def _is_footer(
    records: Sequence[Record], position: int, lines: Sequence[str], width: int, delimiter: str
) -> bool:
    found = records[position]
    if found.cells is None or found.lines > 1 or width < 2:
        return False
    named = [cell for cell in found.cells if cell.strip()]
    if width > 2 and _TOTALS(named[0]) and len(named) * 2 <= width + 1:
        return True
    line = lines[found.start]
    if len(named) > 1 or not found.cells[0].strip() or '"' in line:
        return False
    if _NOTES(line):
        return True
    is_whole = found.start + 1 < len(lines)  # else it is perhaps the beginning of a row
    is_prose = width > 2 and " " in line.strip()
    if len(found.cells) > 1 or not is_whole or not (records[position - 1].is_blank or is_prose):
        return False
    above = (other.cells for other in records[max(0, position - _COMPARED) : position])
    rows = [cells for cells in above if cells and len(cells) == width]
    return not is_like_rows(line, rows, delimiter=delimiter)
