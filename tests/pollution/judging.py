"""What the importer makes of a polluted file, and whether any line but the polluted one suffered."""

import io
from dataclasses import dataclass

from django.conf import settings

from imports.dialect import RefusedFile
from imports.inspecting import TableReader
from imports.problems import Problem
from imports.unpacking import plain_file
from tests.pollution.files import Polluted
from tests.pollution.scoring import score

REPAIRED, REJECTED, OTHERWISE, HARMED = "repaired", "rejected", "read otherwise", "harmed"


@dataclass(frozen=True)
class Verdict:
    """`outcome` is of the polluted line; harmed where any other line, or the header, is lost or changed."""

    outcome: str
    score: float


def judge(file: Polluted) -> Verdict:
    """Inspect one file, in the way of `inspect_csv --all --format csv`."""
    success, header, rows, problems = True, [], [], []
    try:
        header, rows, problems = _inspect(file.data)
    except RefusedFile as refused:
        success = refused.code == "empty"
    found = score(file.header, file.rows, found_header=header, found_rows=rows, success=success)
    return Verdict(_outcome(file, header, rows, problems), found)


def _inspect(data: bytes) -> tuple[list[str], list[list[str]], list[Problem]]:
    """Header, rows and problems of a file."""
    with plain_file(io.BytesIO(data), limit=settings.IMPORT_MAX_BYTES) as plain:
        table = TableReader(plain)
        return table.seen.header, [row for rows in table.blocks() for row in rows], table.problems


def _outcome(file: Polluted, header: list[str], rows: list[list[str]], problems: list[Problem]) -> str:
    width = len(file.header)
    right_header = header == file.header
    if not (right_header or (file.broken_header and len(header) == width)):
        return HARMED
    if any(found.line not in file.lines or found.line + found.lines > file.lines.stop for found in problems):
        return HARMED
    before, after = file.rows[: file.broken.start], file.rows[file.broken.stop :]
    if not file.broken:
        before, after = file.rows, []
    end = len(rows) - len(after)
    if rows[: len(before)] != before or end < len(before) or rows[end:] != after:
        return HARMED
    return _of_the_line(file, rows[len(before) : end], bool(problems), right_header)


def _of_the_line(file: Polluted, read: list[list[str]], rejected: bool, right_header: bool) -> str:
    """What became of the polluted line, of which `read` was read."""
    if not file.broken:
        return HARMED if read else REPAIRED if right_header else OTHERWISE
    if read in (file.rows[file.broken.start : file.broken.stop], *file.repairs):
        return REPAIRED if not rejected else OTHERWISE
    if not read:
        return REJECTED if rejected else HARMED
    return OTHERWISE if len(read) <= len(file.lines) else HARMED
