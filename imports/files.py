"""Files that an export writes row by row: CSV and workbooks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

MOST_ROWS = 1_048_575  # of a worksheet, below its header
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
        self._text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="", write_through=False)
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(header)

    def write(self, rows: Iterable[Sequence[str]]) -> None:
        """Add rows."""
        rows = list(rows)
        self._writer.writerows(rows)
        self.rows += len(rows)

    def close(self) -> None:
        """Write what is left."""
        self._text.detach()


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
