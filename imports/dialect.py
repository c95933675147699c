"""How a file is written (encoding, delimiter, line ends, header line), told from its first megabyte."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, BinaryIO, Self

from imports.coding import Coding
from imports.column_types import Habits, learn
from imports.detecting import DELIMITERS, Syntax, detect, read_records
from imports.encoding import ENCODINGS, EncodingEvidence
from imports.footers import footers_in
from imports.layout import Aside, find_table

SAMPLE_BYTES = 1_048_576
SAMPLE_ROWS = 200
_TAIL_BYTES = 65_536
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
    delimiter: str  # one of DELIMITERS
    quotechar: str  # '"' or "'", or "" where quotes have no meaning
    line_end: str  # "\n" (CRLF and mixed ends too) or "\r"
    header_line: int  # physical line the header starts on, from 1; the first data line where there is none
    first_line: int  # physical line of the first data line
    data_offset: int  # byte offset of the first data line
    escape: str = ""  # "\\" where a backslash before a quote or delimiter takes its meaning
    data_end: int | None = None  # byte offset of what follows the table, if anything does

    @property
    def coding(self) -> Coding:
        """How lines of this dialect are brought into what the csv module reads."""
        return Coding(delimiter=self.delimiter, quotechar=self.quotechar, escape=self.escape)

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Back from `as_dict`; unknown keys are ignored, a missing one without a default raises KeyError."""
        optional = {"escape", "data_end"}  # younger than some imports
        names = [field.name for field in fields(cls) if field.name in values or field.name not in optional]
        return cls(**{name: values[name] for name in names})


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a first look at a file shows."""

    dialect: Dialect
    header: list[str]
    rows: list[list[str]]  # the first rows that read well, each as wide as the header
    size: int  # bytes
    has_data: bool  # is there anything below the header?
    asides: list[Aside] = field(
        default_factory=list
    )  # what stands above and below the table, and is left out
    habits: Habits = field(default_factory=Habits)  # what broken lines are repaired by


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
    syntax, width = detect(head.lines[head.first_full :], head.line_end, delimiter)
    layout = find_table(head.lines, syntax, head.line_end, width, whole=head.whole)
    dialect = Dialect(
        encoding=head.encoding,
        delimiter=syntax.delimiter,
        quotechar=syntax.quotechar,
        line_end=head.line_end,
        header_line=layout.header_index + 1,
        first_line=layout.first_index + 1,
        data_offset=start + head.offset(layout.first_index),
        escape=syntax.escape,
        data_end=None if layout.end_index is None else start + head.offset(layout.end_index),
    )
    asides = layout.asides
    if not head.whole and dialect.data_end is None:
        dialect, footers = _look_at_the_end(stream, dialect, len(layout.header), size)
        asides = [*asides, *footers]
    return Inspection(
        dialect=dialect,
        header=layout.header,
        rows=layout.rows[:SAMPLE_ROWS],
        size=size,
        has_data=dialect.data_offset < size and (layout.has_data or not head.whole),
        asides=asides,
        habits=learn(
            layout.exact or layout.rows,
            header=layout.header,
            header_line=head.lines[layout.header_index]
            if layout.first_index - layout.header_index == 1
            else "",
            delimiter=syntax.delimiter,
            has_surplus=not layout.exact,
            is_small=head.whole,
        ),
    )


def _look_at_the_end(
    stream: BinaryIO, dialect: Dialect, width: int, size: int
) -> tuple[Dialect, list[Aside]]:
    """Find the footers of a file that is longer than the sample."""
    offset = max(dialect.data_offset, size - _TAIL_BYTES)
    stream.seek(offset)
    cut, *raw = stream.read().split(dialect.line_end.encode())
    lines = [line.decode(dialect.encoding, "replace") for line in raw]
    syntax = Syntax(dialect.delimiter, dialect.quotechar, dialect.escape)
    records = list(read_records(lines, syntax, dialect.line_end, width))
    footers = records[len(records) - footers_in(records, lines, width, dialect.delimiter) :]
    if not footers:
        return dialect, []
    end = offset + len(cut) + 1 + sum(len(line) + 1 for line in raw[: footers[0].start])
    before = _count_lines(stream, end, dialect.line_end.encode()) - footers[0].start
    asides = [
        Aside("footer", before + found.start + 1, 1, lines[found.start].strip()[:200])
        for found in footers
        if not found.is_blank
    ]
    return replace(dialect, data_end=end), asides


def _count_lines(stream: BinaryIO, end: int, line_end: bytes) -> int:
    stream.seek(0)
    count, left = 0, end
    while left and (block := stream.read(min(left, SAMPLE_BYTES))):
        count, left = count + block.count(line_end), left - len(block)
    return count


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
        self.first_full = next(i for i, line in enumerate(self.lines) if line.strip(" \t\r\n,;|"))

    def offset(self, index: int) -> int:
        """Byte offset of a line in the sample."""
        return min(sum(map(len, self._raw[:index])) + index, self._size)


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
    if is_utf16(sample):
        raise RefusedFile(
            "utf16", f"The file is saved as UTF-16 (“Unicode text”), which can't be read yet. {_SAVE_AS_CSV}"
        )
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls * 20 > len(sample):
        raise RefusedFile("binary", f"The file is not text, it holds binary data. {_SAVE_AS_CSV}")


def is_utf16(sample: bytes) -> bool:
    """Does this look like UTF-16, with or without a byte order mark?"""
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    units = sample[:4096]
    even, odd, half = units[::2].count(0), units[1::2].count(0), len(units) // 2
    return half > 1 and max(even, odd) * 2 > half and min(even, odd) * 10 < half
