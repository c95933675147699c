"""Tables for the tests of reading, and how to write them as CSV."""

import csv
import io

from imports.column_types import Habits
from imports.dialect import Dialect
from imports.reading import ChunkReader

Rows = list[tuple[int, list[str]]]


def dialect(
    *, encoding: str = "utf-8", delimiter: str = ",", quotechar: str = '"', line_end: str = "\n"
) -> Dialect:
    """A dialect whose data starts at the first byte."""
    return Dialect(encoding, delimiter, quotechar, line_end, header_line=1, first_line=1, data_offset=0)


def reader_of(
    data: bytes, width: int, how: Dialect | None = None, first_line: int = 1, habits: Habits | None = None
) -> ChunkReader:
    return ChunkReader(data, dialect=how or dialect(), width=width, first_line=first_line, habits=habits)


def read(data: bytes, width: int, how: Dialect | None = None) -> tuple[Rows, list[tuple[int, str]]]:
    """Rows with their line numbers, and (line, code) of the problems; checks that every line is counted."""
    reader = reader_of(data, width, how)
    rows = list(reader)
    accounted = reader.records + len(reader.problems) + reader.continuation_lines + reader.blank_lines
    assert (reader.physical_lines, reader.records) == (accounted, len(rows))
    return rows, [(problem.line, problem.code) for problem in reader.problems]


def written(rows: list[list[str]], *, delimiter: str = ",", line_end: str = "\n", quoting: int = 0) -> str:
    """The rows as RFC 4180 has them (`quoting` as in the csv module)."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows(rows)
    return out.getvalue()


def retail_table(rows: int = 84) -> list[list[str]]:
    """A clean table of nine columns, some of whose cells need quotes."""
    return [
        [
            f"2024-03-{1 + i % 28:02}",
            f"{i % 24:02}:{i % 60:02}",
            str(1 + i % 9),
            f"P-{i:04}",
            f"{i * 37 % 9999 / 100:.2f}",
            ("Kitchen", "Garden", "Bath")[i % 3],
            ("A plain pot", 'A 5" pipe, long', "Red, green or blue", "")[i % 4],
            f"https://shop.example/p/{i}",
            ("", "fragile", 'say "hello"', "a, b, c")[i % 4],
        ]
        for i in range(rows)
    ]
