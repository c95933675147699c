"""Files that an export writes row by row: CSV and workbooks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

MOST_ROWS = 1_048_575  # of a worksheet, below its header
_SPECIAL = re.compile('[",\r\n]').search
_LONGEST_CELL = 32_767  # characters, in a workbook


class FileError(Exception):
    """The file can't hold that; the text is for people, with the fix."""


class TableFile(Protocol):
    """A file that takes rows. `rows` counts them."""

    rows: int

    def write(self, rows: Iterable[Sequence[str]]) -> None:
        """Add rows; raises FileError."""
        ...

    def close(self) -> None:
        """Write what is left. The stream stays open."""
        ...


class CsvFile:
    """UTF-8 with a byte order mark, which spreadsheets need to read it right."""

    def __init__(self, stream: IO[bytes], header: Sequence[str]) -> None:
        self.rows = 0
        self._stream = stream
        stream.write("\ufeff".encode())
        self.write([header])
        self.rows = 0

    def write(self, rows: Iterable[Sequence[str]]) -> None:
        """Add rows."""
        columns = [_quoted(cells) for cells in zip(*rows, strict=True)]
        lines = list(map(",".join, zip(*columns, strict=True)))
        if lines:
            self._stream.write("\n".join([*lines, ""]).encode())
            self.rows += len(lines)

    def close(self) -> None:
        """Write what is left."""


def _quoted(cells: Sequence[str]) -> Sequence[str]:
    """Cells of one column as they stand in lines: all in quotes where one needs them, which takes a fifth of
    the csv module's time."""
    whole = "".join(cells)
    if not _SPECIAL(whole):
        return cells
    if '"' in whole:
        cells = [cell.replace('"', '""') for cell in cells]
    return [f'"{cell}"' if cell else "" for cell in cells]


class XlsxFile:
    """One sheet. Texts stay texts, whatever they begin with."""

    def __init__(
        self, stream: IO[bytes], header: Sequence[str], *, numbers: frozenset[str], folder: Path
    ) -> None:
        """`numbers` names the columns of numbers, `folder` is where rows wait until the end."""
        import xlsxwriter  # only workbooks need it

        self.rows = 0
        self._header = header
        self._book = xlsxwriter.Workbook(
            stream,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "tmpdir": str(folder),
            },
        )
        self._sheet = self._book.add_worksheet("Products")
        self._typed = [name in numbers for name in header]
        self._sheet.freeze_panes(1, 0)
        self._sheet.write_row(0, 0, header, self._book.add_format({"bold": True}))

    def write(self, rows: Iterable[Sequence[str]]) -> None:
        """Add rows; raises FileError for more than a sheet takes, and for a text longer than a cell takes."""
        for row in rows:
            self.rows += 1
            if self.rows > MOST_ROWS:
                raise too_many_rows()
            for at, (text, is_typed) in enumerate(zip(row, self._typed, strict=True)):
                if text:
                    self._write_cell(at, text, is_typed=is_typed)

    def _write_cell(self, at: int, text: str, *, is_typed: bool) -> None:
        if is_typed:
            self._sheet.write(self.rows, at, _typed(text))
        elif len(text) > _LONGEST_CELL:
            raise FileError(
                f"The {self._header[at]} in row {self.rows + 1:,} has {len(text):,} characters; a cell of a"
                f" workbook holds {_LONGEST_CELL:,}. Export as CSV."
            )
        else:
            self._sheet.write_string(self.rows, at, text)

    def close(self) -> None:
        """Put the workbook together."""
        self._book.close()


def _typed(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text


def too_many_rows(rows: int | None = None) -> FileError:
    """The refusal of more rows than a sheet takes."""
    many = f"{rows:,}" if rows else "more"
    return FileError(f"A worksheet holds {MOST_ROWS:,} rows, and there are {many}. Export as CSV.")
