"""How a file is written (encoding, delimiter, line ends, header line), told from its first megabyte."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, BinaryIO, Self, Unpack

from imports.coding import Coding
from imports.column_types import Habits
from imports.corrections import Corrections, check
from imports.detecting import Detected, Syntax, detect, read_records
from imports.encoding import EncodingEvidence
from imports.footers import footers_in
from imports.layout import Aside, find_table
from imports.learning import learn
from imports.locating import PROBE_BYTES, count_lines, first_table, line_start, offset_of

SAMPLE_BYTES = 1_048_576
SAMPLE_LINES = 20_000
SAMPLE_ROWS = 200
_TAIL_BYTES = 65_536
_BLANK = " \t\r\n,;|"
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

    encoding: str  # one of ENCODINGS
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


def inspect(stream: BinaryIO, **given: Unpack[Corrections]) -> Inspection:
    """Detect the dialect of a seekable binary file; what is given overrides what would be found.

    Raises RefusedFile if the file can't be read as a table or has no row, ValueError for a correction that is
    not offered.
    """
    seen = examine(stream, **given)
    if not seen.has_data:
        raise RefusedFile(
            "header_only",
            "The file has a header but no line of data below it. Add the rows and upload it again.",
        )
    return seen


def examine(stream: BinaryIO, **given: Unpack[Corrections]) -> Inspection:
    """The same as `inspect`, but a file that has nothing but a header is not refused."""
    check(given)
    stream.seek(0)
    beginning = stream.read(SAMPLE_BYTES)
    _refuse_other_formats(beginning)
    start = len(_UTF8_BOM) if beginning.startswith(_UTF8_BOM) else 0
    head, header_line = _Head(stream, start, given.get("encoding")), given.get("header_line")
    if header_line and header_line > len(head.lines) and not head.whole:
        start = offset_of(stream, header_line, head.line_end.encode()) or head.file_size
        if start < head.file_size:
            head = _Head(stream, start, given.get("encoding"), header_line - 1)
    return _examined(stream, head, given)


def _examined(stream: BinaryIO, head: "_Head", given: Corrections) -> Inspection:
    """What is seen from `head` on; where it holds no table, from where one begins."""
    header_line = given.get("header_line")
    if header_line:
        header_line -= head.before
    first = head.place_of(header_line) if header_line else head.first_full
    detected = detect(head.lines[first:], head.line_end, given.get("delimiter"), given.get("quotechar"))
    if not (detected.is_convincing or head.whole or header_line or head.before) and (
        later := _later_head(stream, head, given)
    ):
        return _examined(stream, later, given)
    return _inspected(stream, head, detected, header_line)


def _later_head(stream: BinaryIO, head: "_Head", given: Corrections) -> "_Head | None":
    def is_table(offset: int) -> bool:
        stream.seek(offset)
        lines = head.decoded(stream.read(PROBE_BYTES).split(head.line_end.encode())[1:-1])
        return detect(lines, head.line_end, given.get("delimiter"), given.get("quotechar")).is_convincing

    place = first_table(stream, head.start + head.offset(len(head.lines)), is_table=is_table)
    if place is None:
        return None
    start, before = line_start(stream, place, head.line_end.encode())
    return _Head(stream, start, given.get("encoding"), before)


def _inspected(stream: BinaryIO, head: "_Head", detected: Detected, header_line: int | None) -> Inspection:
    syntax, start = detected.syntax, head.start
    layout = find_table(
        head.lines, syntax, head.line_end, detected.width, whole=head.whole, header_line=header_line
    )
    dialect = Dialect(
        encoding=head.encoding,
        delimiter=syntax.delimiter,
        quotechar=syntax.quotechar,
        line_end=head.line_end,
        header_line=head.before + layout.header_index + 1,
        first_line=head.before + layout.first_index + 1,
        data_offset=start + head.offset(layout.first_index),
        escape=syntax.escape,
        data_end=None if layout.end_index is None else start + head.offset(layout.end_index),
    )
    asides = [*head.asides, *(replace(aside, line=head.before + aside.line) for aside in layout.asides)]
    if not head.whole and dialect.data_end is None:
        dialect, footers = _look_at_the_end(stream, dialect, len(layout.header), head.file_size)
        asides = [*asides, *footers]
    return Inspection(
        dialect=dialect,
        header=layout.header,
        rows=layout.rows[:SAMPLE_ROWS],
        size=head.file_size,
        has_data=dialect.data_offset < head.file_size and (layout.has_data or not head.whole),
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
    before = count_lines(stream, end, dialect.line_end.encode()) - footers[0].start
    asides = [
        Aside("footer", before + found.start + 1, 1, lines[found.start].strip()[:200])
        for found in footers
        if not found.is_blank
    ]
    return replace(dialect, data_end=end), asides


class _Head:
    """The sample as lines."""

    def __init__(self, stream: BinaryIO, start: int, encoding: str | None, before: int = 0) -> None:
        """The sample begins at the offset `start`, behind a byte order mark, and `before` lines."""
        self.start, self.before = start, before
        self.file_size = stream.seek(0, os.SEEK_END)
        stream.seek(start)
        sample = stream.read(SAMPLE_BYTES)
        self.whole = whole = start + len(sample) == self.file_size  # nothing follows it in the file
        if not sample.strip(_BLANK.encode()):
            raise RefusedFile(
                "empty", "The file is empty. Export the catalogue again and upload the new file."
            )
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
        if len(self._raw) > SAMPLE_LINES:
            self.whole = False
            del self._raw[SAMPLE_LINES:]
        self.lines = self.decoded(self._raw)
        self.first_full = next((i for i, line in enumerate(self.lines) if line.strip(_BLANK)), 0)
        self.asides = [Aside("preamble", 1, before, _beginning(stream, self.encoding))] if before else []

    def decoded(self, lines: list[bytes]) -> list[str]:
        """For looking at only: what can't be decoded shows as �, the reader will reject those lines."""
        return [line.decode(self.encoding, "replace").replace("\0", "�") for line in lines]

    def place_of(self, header_line: int) -> int:
        """Index of the line that is said to be the header; raises RefusedFile if it can't be."""
        index = header_line - 1
        if index >= len(self.lines) or not self.lines[index].strip(_BLANK):
            raise RefusedFile(
                "no_header_line",
                f"Line {self.before + header_line:,} can’t be the header: it is blank or beyond the end."
                " Give the number of the line with the column names.",
            )
        return index

    def offset(self, index: int) -> int:
        """Byte offset of a line in the sample."""
        return min(sum(map(len, self._raw[:index])) + index, self._size)


def _beginning(stream: BinaryIO, encoding: str) -> str:
    stream.seek(0)
    lines = stream.read(_TAIL_BYTES).removeprefix(_UTF8_BOM).decode(encoding, "replace").strip().splitlines()
    return lines[0][:200].replace("\0", "�") if lines else ""


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
