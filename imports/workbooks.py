"""Excel workbooks (.xlsx) as CSV: the first sheet that holds anything, its cells as people see them.

The reading library gives formulas their saved values, and nothing for those that have none or ended in an
error. A blank cell may be quite right, so these are found in the sheet itself and written as text that every
column rejects (`imports.cells`).
"""

import csv
import datetime
import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import IO, Any
from xml.etree import ElementTree

_BLOCK = 262_144
_LONGEST_CELL = 100_000  # bytes of a cell with a formula
NO_VALUE = "#NO-VALUE!"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_FAULTY = re.compile(
    rb'<c [^>]*?r="([A-Z]{1,3})(\d{1,7})"(?:(?=[^>]*t="e")[^>]*>(?:(?!</c>).)*?<v>([^<]*)</v>'
    rb"|[^>]*(?<!/)><f(?:[^>]*/>|[^>]*>[^<]*</f>)(?:<v></v>|<v/>|<v />)?</c>)",
    re.DOTALL,
)


def sheet_as_csv(packed: IO[bytes], archive: zipfile.ZipFile) -> Iterator[bytes]:
    """Blocks of CSV in UTF-8 of a workbook that was opened as both; raises CalamineError."""
    from python_calamine import CalamineWorkbook  # only workbooks need it

    packed.seek(0)
    book = CalamineWorkbook.from_filelike(packed)
    sheets = (book.get_sheet_by_name(name) for name in book.sheet_names)
    sheet = next((sheet for sheet in sheets if sheet.height), None)
    if sheet is None:
        return
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for cells in _filled_down(_with_faults(sheet, _faults(archive, sheet.name)), sheet):
        writer.writerow(cells)
        if out.tell() > _BLOCK:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def _with_faults(sheet: Any, faults: Iterator[tuple[int, int, str]]) -> Iterator[list[str]]:
    """All rows, from the sheet's first one, each from its first column that holds anything."""
    left, fault = sheet.start[1], next(faults, None)
    for number, row in enumerate(sheet.iter_rows()):
        cells = list(map(_shown, row))
        while fault and fault[0] <= number:
            if fault[0] == number and 0 <= fault[1] - left < len(cells):
                cells[fault[1] - left] = fault[2]
            fault = next(faults, None)
        yield cells


def _filled_down(rows: Iterator[list[str]], sheet: Any) -> Iterator[list[str]]:
    """Merged cells say the same for all their rows; a title across columns stays in the first one."""
    left = sheet.start[1]
    merged = [(top, bottom, at - left) for (top, at), (bottom, _) in sheet.merged_cell_ranges or ()]
    # Ranges may reach beyond the cells that hold anything.
    tall = sorted((one for one in merged if one[1] > one[0] and 0 <= one[2] < sheet.width), reverse=True)
    held: dict[int, tuple[int, str]] = {}  # column → last row, text
    for number, cells in enumerate(rows):
        for at, (last, text) in list(held.items()):
            cells[at] = text
            if number >= last:
                del held[at]
        while tall and tall[-1][0] == number:
            _, last, at = tall.pop()
            held[at] = (last, cells[at])
        yield cells


def _shown(value: Any) -> str:
    """A cell as people see it: 12 and not 12.0, dates without a midnight that nobody typed."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(value)


def _faults(archive: zipfile.ZipFile, sheet: str) -> Iterator[tuple[int, int, str]]:
    """(row, column, text), from 0 and in order, of cells with an error or a formula without a value."""
    path = _path_of(archive, sheet)
    if path not in archive.namelist():
        return
    with archive.open(path) as xml:
        rest = b""
        while block := xml.read(_BLOCK):
            rest += block
            end = rest.rfind(b"</c>") + 4 if b"</c>" in rest else 0
            for found in _FAULTY.finditer(rest, 0, end):
                text = found[3].decode(errors="replace") if found[3] else NO_VALUE
                yield int(found[2]) - 1, _column(found[1]), text
            rest = rest[end:][-_LONGEST_CELL:]


def _path_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The file inside the workbook that holds a sheet; "" if it does not say."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - expat stops entity bombs
    ids = {one.get("name"): one.get(_RELATION) for one in book.iter() if one.tag.endswith("}sheet")}
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    targets = {one.get("Id"): one.get("Target", "") for one in relations}
    target = targets.get(ids.get(sheet), "")
    return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/") if target else ""


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
