"""Any table in any dialect reads back to the same cells, and no bytes whatever crash or escape the reader."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from imports.detecting import DELIMITERS
from imports.dialect import Dialect
from imports.encoding import ENCODINGS
from imports.inspecting import TableReader
from imports.reading import ChunkReader
from tests.fuzz.checking import check

type Table = list[list[str]]


@dataclass(frozen=True)
class How:
    """How a table is written."""

    delimiter: str
    quote: str
    escape: str
    line_end: str
    encoding: str

    def write(self, table: Table, *, quote_all: bool = False) -> bytes:
        lines = [self.delimiter.join(self._cell(cell, quote_all) for cell in row) for row in table]
        return "".join(line + self.line_end for line in lines).encode(self.encoding)

    def _cell(self, cell: str, quote_all: bool) -> str:
        if not self.quote:
            return cell
        needed = any(mark in cell for mark in (self.delimiter[0], self.quote, "\r", "\n", " "))
        inner = cell
        if self.escape:
            inner = inner.replace(self.escape, self.escape * 2).replace(self.quote, self.escape + self.quote)
        else:
            inner = inner.replace(self.quote, self.quote * 2)
        return f"{self.quote}{inner}{self.quote}" if needed or quote_all else inner

    @property
    def dialect(self) -> Dialect:
        return Dialect(
            self.encoding,
            self.delimiter,
            self.quote,
            self.line_end[-1],
            1,
            1,
            data_offset=0,
            escape=self.escape,
        )


@st.composite
def ways(draw: st.DrawFn) -> How:
    quote = draw(st.sampled_from(['"', "'", ""]))
    return How(
        draw(st.sampled_from(DELIMITERS)),
        quote,
        draw(st.sampled_from(["", "\\"])) if quote else "",
        draw(st.sampled_from(["\n", "\r\n", "\r"])),
        draw(st.sampled_from(list(ENCODINGS))),
    )


@cache
def foreign_to(encoding: str) -> str:
    """Characters beyond ASCII that the encoding has, each in one way only."""
    if encoding == "utf-8":
        return "äß€—ñЖλ台å\u0308 🧀\ufeff\u2028\x85"
    pairs = (
        bytes([lead, *trail])
        for lead in range(128, 256)
        for trail in ((), (0x41,), (0x5C,), (0x81,), (0xB0,))
    )
    chars = {pair.decode(encoding, "ignore") for pair in pairs}
    return "".join(
        sorted(char for char in chars if len(char) == 1 and char > "\x7f" and _returns(char, encoding))
    )


def _returns(char: str, encoding: str) -> bool:
    return char.encode(encoding, "ignore").decode(encoding) == char


def tables(how: How) -> st.SearchStrategy[Table]:
    """Tables that can be written so: without quotes, nothing in a cell may need them."""
    special = "ab \"'\\,;|:\t\r\n" if how.quote else "abc"
    cell = st.text(st.one_of(st.sampled_from(special), st.sampled_from(foreign_to(how.encoding))), max_size=8)
    if not how.quote:
        cell = cell.filter(lambda text: not any(mark in text for mark in f"{how.delimiter}\r\n"))
    return st.integers(2, 5).flatmap(
        lambda width: st.lists(
            st.lists(cell, min_size=width, max_size=width).filter(lambda row: any(map(str.strip, row))),
            min_size=1, max_size=8,
        )
    )  # fmt: skip


@given(ways(), st.booleans(), st.data())
@settings(deadline=None, max_examples=200)
def test_any_table_in_any_given_dialect_reads_back_the_same(
    how: How, quote_all: bool, data: st.DataObject
) -> None:
    table = data.draw(tables(how))
    written = how.write(table, quote_all=quote_all)
    reader = ChunkReader(written, dialect=how.dialect, width=len(table[0]), first_line=1)

    assert ([row for _, row in reader], reader.problems) == (table, [])


WORDS = ["Oak board", "Tea pot", "Frying pan", "Käse", "Crème", "big, red", "a; b", 'the "best"', "it's", ""]


@st.composite
def plain_tables(draw: st.DrawFn) -> Table:
    """Tables of a shop: enough rows, an id, a word, a price, a date."""
    count = draw(st.integers(8, 30))
    words = draw(st.lists(st.sampled_from(WORDS), min_size=count, max_size=count))
    prices = draw(st.lists(st.integers(100, 99_999), min_size=count, max_size=count))
    rows = [
        [f"P-{number:04}", word, f"{price / 100:.2f}", f"2024-03-{1 + number % 28:02}"]
        for number, (word, price) in enumerate(zip(words, prices, strict=True))
    ]
    return [["sku", "name", "price", "changed"], *rows]


@given(
    plain_tables(),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(['"', "'"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]),
    st.booleans(),
    st.booleans(),
)
@settings(deadline=None, max_examples=80)
def test_any_table_with_evidence_is_read_in_the_dialect_that_is_found(
    table: Table, delimiter: str, quote: str, line_end: str, encoding: str, quote_all: bool, header: bool
) -> None:
    how = How(delimiter, quote, "", line_end, encoding)
    rows = table if header else table[1:]
    data = how.write(rows, quote_all=quote_all) if encoding != "utf-8-sig" else b"\xef\xbb\xbf" + How(
        delimiter, quote, "", line_end, "utf-8"
    ).write(rows, quote_all=quote_all)  # fmt: skip
    reader = TableReader(io.BytesIO(data))
    found = [row for block in reader.blocks() for row in block]

    assert (reader.seen.header, found, reader.rejected) == (
        table[0] if header else [f"Column {number}" for number in range(1, 5)], table[1:], 0,
    )  # fmt: skip


any_bytes = st.one_of(
    st.binary(max_size=400),
    st.lists(st.sampled_from([b"a", b"1", b",", b";", b"\t", b"|", b'"', b"'", b"\\", b"\n", b"\r", b"\r\n",
                              b"\0", b"\xff", b"\xc3", b"\xc3\xa4", b"\x82\xa0", b" ", b"2024-01-02",
                              b"sku,name\n"]), max_size=80).map(b"".join),
)  # fmt: skip


@given(
    any_bytes,
    st.sampled_from([None, *ENCODINGS]),
    st.sampled_from([None, *DELIMITERS]),
    st.sampled_from([None, '"', "'", ""]),
    st.sampled_from([None, 0, 1, 2, 5]),
)
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_refused_or_read_with_every_line_accounted_for(
    data: bytes, encoding: str | None, delimiter: str | None, quote: str | None, header_line: int | None
) -> None:
    check(data, encoding=encoding, delimiter=delimiter, quotechar=quote, header_line=header_line)
