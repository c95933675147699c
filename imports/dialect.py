"""How a file is written (encoding, delimiter, line ends, header line), told from its first megabyte."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, BinaryIO, Self

from imports.encoding import ENCODINGS, EncodingEvidence
from imports.recovery import LineGrammar, RecordFinder

SAMPLE_BYTES = 1_048_576
SAMPLE_ROWS = 20
DELIMITERS = (",", ";", "\t", "|")
_SCORED_LINES = 500  # more of them don't change which delimiter wins
_HEADER_LINES = 20  # a header that has not ended by then has a stray quote
_UTF8_BOM = b"\xef\xbb\xbf"
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1a"))

_SAVE_AS_CSV = "Open it in your spreadsheet program, save it as CSV UTF-8 and upload that."
_WRONG_FILE = "Choose the CSV file of the catalogue instead."
_MAGIC = (
    (b"\x1f\x8b", "gzip", "The file is compressed with gzip. Unpack it and upload the CSV file inside."),
    (b"\xd0\xcf\x11\xe0", "binary", f"The file is an old Excel workbook (.xls), not CSV. {_SAVE_AS_CSV}"),
    (b"%PDF", "binary", "The file is a PDF document. Export the table itself as CSV UTF-8 and upload that."),
    (b"\x89PNG", "binary", f"The file is a PNG image. {_WRONG_FILE}"),
    (b"\xff\xd8\xff", "binary", f"The file is a JPEG image. {_WRONG_FILE}"),
)


class RefusedFile(Exception):  # noqa: N818 (it reads as what happened: the file was refused)
    """The file as a whole can't be imported; the message says what is wrong with it and what to do."""

    def __init__(self, code: str, message: str) -> None:
        """`code` is for programs (empty, binary, header_only…), `message` for people."""
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to read a file."""

    encoding: str  # utf-8, cp1252 or latin-1
    delimiter: str  # one character of DELIMITERS
    quotechar: str  # '"', or "" where quotes have no meaning
    line_end: str  # "\n" (CRLF and mixed ends too) or "\r"
    header_line: int  # physical line the header starts on, from 1
    first_line: int  # physical line of the first data line
    data_offset: int  # byte offset of the first data line

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Back from `as_dict`; unknown keys are ignored, a missing one raises KeyError."""
        return cls(**{field.name: values[field.name] for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a first look at a file shows."""

    dialect: Dialect
    header: list[str]
    rows: list[list[str]]  # the first rows that read well, each as wide as the header
    size: int  # bytes
    has_data: bool  # is there anything below the header?


def inspect(stream: BinaryIO, *, encoding: str | None = None, delimiter: str | None = None) -> Inspection:
    """Detect the dialect of a seekable binary file; `encoding` and `delimiter` override what would be found.

    Raises RefusedFile if the file can't be read as a table or has no row, ValueError for an override that is
    not offered.
    """
    seen = examine(stream, encoding=encoding, delimiter=delimiter)
    if not seen.has_data:
        raise RefusedFile(
            "header_only",
            "The file has a header but no line of data below it. Add the rows and upload it again.",
        )
    return seen


def examine(stream: BinaryIO, *, encoding: str | None = None, delimiter: str | None = None) -> Inspection:
    """The same as `inspect`, but a file that has nothing but a header is not refused."""
    if encoding not in (None, *ENCODINGS) or delimiter not in (None, *DELIMITERS):
        raise ValueError(f"Encoding {encoding!r} or delimiter {delimiter!r} is not offered.")
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    sample = stream.read(SAMPLE_BYTES)
    _refuse_other_formats(sample)
    start = len(_UTF8_BOM) if sample.startswith(_UTF8_BOM) else 0
    head = _Head(sample[start:], encoding, whole=len(sample) == size)
    candidates = (delimiter,) if delimiter else DELIMITERS
    table = max((_Table(head, candidate) for candidate in candidates), key=lambda table: table.rank)
    dialect = Dialect(
        encoding=head.encoding,
        delimiter=table.delimiter,
        quotechar='"',
        line_end=head.line_end,
        header_line=head.header_index + 1,
        first_line=table.first_index + 1,
        data_offset=start + head.offset(table.first_index),
    )
    return Inspection(
        dialect=dialect,
        header=table.header,
        rows=table.rows[:SAMPLE_ROWS],
        size=size,
        has_data=dialect.data_offset < size and (table.has_data or not head.whole),
    )


class _Head:
    """The sample as lines."""

    def __init__(self, sample: bytes, encoding: str | None, *, whole: bool) -> None:
        """`sample` without its byte order mark; `whole` says that nothing follows it in the file."""
        if not sample.strip(b" \t\r\n,;|"):
            raise RefusedFile(
                "empty", "The file is empty. Export the catalogue again and upload the new file."
            )
        self.whole = whole
        self.encoding = encoding or _encoding_of(sample, whole=whole)
        self.line_end = _line_end_of(sample)
        self._raw, self._size = sample.split(self.line_end.encode()), len(sample)
        if len(self._raw) == 1 and not whole:
            raise RefusedFile(
                "no_line_ends",
                f"There is no line end in the first {SAMPLE_BYTES:,} bytes. Save it with one row a line.",
            )
        if len(self._raw) > 2 and not whole:
            self._raw.pop()  # the sample ends in the middle of this line
        # For looking at only: what can't be decoded shows as �, the reader will reject those lines.
        self.lines = [line.decode(self.encoding, "replace").replace("\0", "�") for line in self._raw]
        self.header_index = next(i for i, line in enumerate(self.lines) if line.strip(" \t\r\n,;|"))

    def offset(self, index: int) -> int:
        """Byte offset of a line in the sample."""
        return min(sum(map(len, self._raw[:index])) + index, self._size)


class _Table:
    """The sample read with one delimiter."""

    def __init__(self, head: _Head, delimiter: str) -> None:
        start, line_end = head.header_index, head.line_end
        header, count = _read_header(head.lines[start : start + _HEADER_LINES], delimiter, line_end)
        lines = head.lines[start + count : start + count + _SCORED_LINES]
        records = list(_records(lines, delimiter, line_end, len(header)))
        self.delimiter = delimiter
        self.first_index = start + count
        self.header = _without_empty_end(header, records)
        self.has_data = any(line.replace(delimiter, "").strip() for line in head.lines[self.first_index :])
        grammar = LineGrammar(delimiter=delimiter, quotechar='"', line_end=line_end, width=len(self.header))
        self.rows = [row for cells in records if (row := grammar.fit(cells))]

        # Delimiters of the header found again in every row are evidence; commas in half of the prices less.
        explained = len(self.rows) / len(records) if records else 0.0
        self.rank = (explained * (len(self.header) - 1), len(self.header))


def _without_empty_end(header: list[str], records: list[list[str]]) -> list[str]:
    """The header without its trailing delimiters, unless a cell with something in it stands below them."""
    named = len(header)
    while named > 1 and not header[named - 1]:
        named -= 1
    return header if any(any(map(str.strip, cells[named:])) for cells in records) else header[:named]


def _read_header(lines: list[str], delimiter: str, line_end: str) -> tuple[list[str], int]:
    """Header cells and the number of lines they take; a header with a stray quote is split as it stands."""
    endless = len(lines[0]) + 2  # no line is this wide, so that none is taken for a row
    grammar = LineGrammar(delimiter=delimiter, quotechar='"', line_end=line_end, width=endless)
    found = RecordFinder(lines, grammar).at(0)
    if found.cells is None:
        return [piece.strip('" ') for piece in grammar.pieces(lines[0])], 1
    return [cell.strip() for cell in found.cells], found.lines


def _records(lines: list[str], delimiter: str, line_end: str, width: int) -> Iterator[list[str]]:
    """Cells of every record that can be read and is not blank, whatever its width."""
    grammar = LineGrammar(delimiter=delimiter, quotechar='"', line_end=line_end, width=width)
    finder, index = RecordFinder(lines, grammar), 0
    while index < len(lines):
        found = finder.at(index)
        if found.cells and any(map(str.strip, found.cells)):
            yield found.cells
        index += found.lines


def _encoding_of(sample: bytes, *, whole: bool) -> str:
    evidence = EncodingEvidence()
    evidence.feed(sample)
    return evidence.finish() if whole else evidence.encoding


def _line_end_of(sample: bytes) -> str:
    """Old Mac exports end lines with a bare CR, and may have LF inside cells."""
    lone_cr = sample.count(b"\r") - sample.count(b"\r\n")
    if not lone_cr or b"\r\n" in sample:
        return "\n"
    header = sample.lstrip().split(b"\r")[0]
    return "\r" if sample.count(b"\n") == 0 or (lone_cr > 1 and b"\n" not in header) else "\n"


def _refuse_other_formats(sample: bytes) -> None:
    """Raise RefusedFile for what is not text in an ASCII-compatible encoding."""
    if sample.startswith(b"PK\x03\x04"):
        if b"xl/" in sample:
            raise RefusedFile("xlsx", f"The file is an Excel workbook (.xlsx), not CSV. {_SAVE_AS_CSV}")
        raise RefusedFile("zip", "The file is a ZIP archive. Unpack it and upload the CSV file inside.")
    for magic, code, message in _MAGIC:
        if sample.startswith(magic):
            raise RefusedFile(code, message)
    if _is_utf16(sample):
        raise RefusedFile(
            "utf16", f"The file is saved as UTF-16 (“Unicode text”), which can't be read yet. {_SAVE_AS_CSV}"
        )
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls * 20 > len(sample):
        raise RefusedFile("binary", f"The file is not text, it holds binary data. {_SAVE_AS_CSV}")


def _is_utf16(sample: bytes) -> bool:
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    units = sample[:4096]
    even, odd, half = units[::2].count(0), units[1::2].count(0), len(units) // 2
    return half > 1 and max(even, odd) * 2 > half and min(even, odd) * 10 < half
