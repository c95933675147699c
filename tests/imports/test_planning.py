"""Chunks join to the file, start at records, and read like the file in one piece."""

import io
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports import planning, recovery
from imports.dialect import Dialect, RefusedFile, inspect
from imports.planning import Chunk, Plan, plan
from imports.problems import Problem
from tests.imports.tables import Rows, dialect, reader_of, retail_table, written


def planned(data: bytes, width: int, *, target: int = 4_000_000, how: Dialect | None = None) -> Plan:
    return plan(io.BytesIO(data), dialect=how or dialect(), width=width, target=target)


def read_by_chunks(data: bytes, width: int, how: Dialect, chunks: list[Chunk]) -> tuple[Rows, list[Problem]]:
    """Rows and problems of all chunks; checks that the chunks join and that their line counts are true."""
    rows: Rows = []
    problems: list[Problem] = []
    offset, line = how.data_offset, how.first_line
    for number, chunk in enumerate(chunks):
        assert (chunk.number, chunk.offset, chunk.first_line) == (number, offset, line)
        reader = reader_of(data[offset : offset + chunk.length], width, how, line)
        rows += reader
        problems += reader.problems
        assert reader.physical_lines == chunk.lines
        offset, line = offset + chunk.length, line + chunk.lines
    assert offset == len(data)
    return rows, problems


def read_whole(data: bytes, width: int, how: Dialect) -> tuple[Rows, list[Problem]]:
    lines = reader_of(data[how.data_offset :], width, how).physical_lines
    whole = Chunk(0, how.data_offset, len(data) - how.data_offset, how.first_line, lines)
    return read_by_chunks(data, width, how, [whole])


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows and limits so small that files of a few hundred bytes meet them."""
    monkeypatch.setattr(planning, "_WINDOW", 37)
    monkeypatch.setattr(planning, "_BLOCK", 50)
    monkeypatch.setattr(planning, "_CHUNK_LINES", 5)


def test_small_file_is_one_chunk_after_the_header() -> None:
    data = b"\xef\xbb\xbfsku,name\r\nA1,Pot\r\nA2,Pan"
    how = inspect(io.BytesIO(data)).dialect

    assert planned(data, 2, how=how) == Plan(
        chunks=[Chunk(number=0, offset=13, length=14, first_line=2, lines=2)],
        lines=2,
        size=27,
        encoding="utf-8",
    )


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("target", [1, 7, 64, 1_000, 3_001])
def test_chunks_start_at_rows_of_any_table(line_end: str, target: int, small_limits: None) -> None:
    table = [["a", "b", "c", "d", "e", "f", "g", "h", "i"], *retail_table()]
    table[10][6] = f"two{line_end}lines"
    data = written(table, line_end=line_end).encode()
    how = inspect(io.BytesIO(data)).dialect
    made = planned(data, 9, target=target, how=how)

    rows, problems = read_by_chunks(data, 9, how, made.chunks)
    assert ([cells for _, cells in rows], problems) == (table[1:], [])
    assert made.lines == sum(chunk.lines for chunk in made.chunks) == 85
    assert len(made.chunks) > 5


def test_file_whose_every_record_has_several_lines_is_split_between_them(small_limits: None) -> None:
    table = [[f"P-{i}", f"\n<p>Text, {i}</p>\n\n<p>a, b, c</p>\n", "9.50"] for i in range(200)]
    data = written(table).encode()
    made = planned(data, 3, target=500)

    rows, problems = read_by_chunks(data, 3, dialect(), made.chunks)
    assert ([cells for _, cells in rows], problems) == (table, [])
    assert len(made.chunks) > 20


def test_one_stray_quote_does_not_move_the_chunks_behind_it() -> None:
    lines = written(retail_table()).encode().splitlines(keepends=True)
    clean = planned(b"".join(lines), 9, target=1_000)
    dirty = planned(b"".join([lines[0].replace(b",", b',"', 1), *lines[1:]]), 9, target=1_000)

    starts = [chunk.first_line for chunk in clean.chunks]
    assert len(starts) > 5
    assert [chunk.first_line for chunk in dirty.chunks] == starts


def test_lines_that_never_make_a_row_are_still_split() -> None:
    data = b"only,two\n" * 10_000

    assert len(planned(data, 5, target=10_000).chunks) == 10


def test_chunk_of_very_short_lines_is_bounded_by_their_number() -> None:
    assert max(chunk.lines for chunk in planned(b"a\n" * 1_000_000, 1).chunks) < 150_000


def test_place_without_a_certain_start_is_cut_at_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_HOPELESS_LINES", 50)
    monkeypatch.setattr(planning, "_WINDOW", 64)
    monkeypatch.setattr(recovery, "MAX_RECORD_LINES", 10_000)
    monkeypatch.setattr(planning, "MAX_RECORD_LINES", 10_000)
    data = b'a,"b\n' + b"never closed\n" * 500
    made = planned(data, 3, target=1_000)

    assert len(made.chunks) > 3
    assert all(data[chunk.offset - 1 : chunk.offset] in (b"", b"\n") for chunk in made.chunks)


def test_line_too_long_to_hold_is_refused_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "MAX_LINE", 1_000_000)
    with pytest.raises(RefusedFile, match=r"Line 3 is longer than 1,000,000 bytes") as caught:
        planned(b"a,b\nc,d\n" + b"x" * 1_200_000 + b"\n", 2)

    assert caught.value.code == "line_too_long"


@pytest.mark.parametrize(
    ("tail", "told", "encoding"),
    [
        (b"", "utf-8", "utf-8"),
        ("é".encode(), "utf-8", "utf-8"),
        (b"\xe9", "utf-8", "cp1252"),
        (b"\xe9\x81", "utf-8", "latin-1"),
        ("é\n".encode() + b"b,\xe9", "utf-8", "utf-8"),
        (b"\xe9\n" + "b,é".encode(), "utf-8", "utf-8"),
        ("é".encode(), "cp1252", "cp1252"),
    ],
)
def test_encoding_is_told_from_the_whole_file(tail: bytes, told: str, encoding: str) -> None:
    data = b"a,b\n" * 300_000 + b"c," + tail + b"\n"

    assert planned(data, 2, how=dialect(encoding=told)).encoding == encoding


def test_characters_across_blocks_are_no_encoding_errors() -> None:
    for pad in range(3):
        data = b"x" * pad + b"a," + "€".encode() * 100_000 + b"\n"
        assert planned(data, 2).encoding == "utf-8"


def test_planning_takes_little_memory_and_time() -> None:
    stream = io.BytesIO(b'A-1,Pot,"a, b",1.50,some more text to make it longer\n' * 400_000)
    tracemalloc.start()
    plan(stream, dialect=dialect(), width=5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    began = time.process_time()
    plan(stream, dialect=dialect(), width=5)

    assert peak < 12_000_000
    assert time.process_time() - began < 1  # 20 MB; it takes a twentieth of that


pieces = st.sampled_from(
    [
        "a",
        "b c",
        '"q"',
        '"x,y"',
        '"a""b"',
        "",
        '"l1\nl2"',
        '"a\n\nz,z"',
        '"\nb"',
        '"b\n"',
        '"p\nq,r\ns"',
        '5"',
        '"x',
        "é",
    ]
)
lines = st.one_of(
    st.lists(pieces, min_size=1, max_size=4).map(",".join),
    st.text(st.sampled_from('aa,,""\r\n\0é'), max_size=10),
)


@given(
    st.lists(lines, max_size=40),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(1, 4),
    st.sampled_from([1, 5, 20, 60]),
    st.sampled_from(["utf-8", "latin-1"]),
    st.booleans(),
)
@settings(deadline=None, max_examples=400)
def test_reading_by_chunks_is_reading_in_one_piece(
    parts: list[str], line_end: str, width: int, target: int, encoding: str, tight: bool
) -> None:
    data = line_end.join(part.replace("\n", line_end) for part in parts).encode(encoding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "_WINDOW", 37)
        patch.setattr(planning, "_BLOCK", 50)
        patch.setattr(planning, "_CHUNK_LINES", 5)
        if tight:  # records that grow out of bounds, too
            patch.setattr(recovery, "MAX_RECORD_LINES", 5)
            patch.setattr(planning, "MAX_RECORD_LINES", 5)
            patch.setattr(recovery, "MAX_CELL", 30)
            patch.setattr(planning, "_LOOKBACK", 120)
            patch.setattr(planning, "_HOPELESS_LINES", 1_000)
        how = dialect(line_end=line_end[-1])
        made = planned(data, width, target=target, how=how)
        how = replace(how, encoding=made.encoding)

        assert read_by_chunks(data, width, how, made.chunks) == read_whole(data, width, how)
        assert made.lines == sum(chunk.lines for chunk in made.chunks)


def starts_product(before: Sequence[str], row: Sequence[str]) -> bool:
    return before[0] != row[0]


def grouped_table(products: int) -> list[list[str]]:
    """Products of one to five rows, the first of each with a text of several lines, one like a row."""
    return [
        [f"p-{product}", f"<p>Text,\nx-{product},y,z\nof {product}</p>" if not row else "", str(row)]
        for product in range(products)
        for row in range(1 + product % 5)
    ]


@pytest.mark.parametrize("target", [1, 40, 200, 1_000])
def test_chunks_start_with_groups(target: int, small_limits: None) -> None:
    table = grouped_table(60)
    data = written(table).encode()
    made = plan(io.BytesIO(data), dialect=dialect(), width=3, target=target, starts_group=starts_product)

    rows, problems = read_by_chunks(data, 3, dialect(), made.chunks)
    assert ([cells for _, cells in rows], problems) == (table, [])
    assert len(made.chunks) > 5
    firsts = [next(iter(reader_of(data[chunk.offset :], 3)))[1] for chunk in made.chunks]
    assert [cells[2] for cells in firsts] == ["0"] * len(firsts)


@pytest.mark.parametrize("window", range(30, 90, 4))
def test_text_like_a_row_at_the_end_of_what_is_looked_at_starts_no_group(
    window: int, small_limits: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "_WINDOW", window)
    table = grouped_table(60)
    data = written(table).encode()
    made = plan(io.BytesIO(data), dialect=dialect(), width=3, target=60, starts_group=starts_product)

    rows, problems = read_by_chunks(data, 3, dialect(), made.chunks)
    assert ([cells for _, cells in rows], problems) == (table, [])


def test_stray_quote_in_a_group_does_not_cut_another(small_limits: None) -> None:
    lines = (
        written([[f"p-{i // 3}", "text", str(i % 3)] for i in range(300)]).encode().splitlines(keepends=True)
    )
    lines[100] = lines[100].replace(b"text", b'"text')
    data = b"".join(lines)
    made = plan(io.BytesIO(data), dialect=dialect(), width=3, target=200, starts_group=starts_product)

    assert len(made.chunks) > 5
    assert all((chunk.first_line - 1) % 3 == 0 for chunk in made.chunks)


def test_group_without_end_is_cut_where_it_is_too_long(
    small_limits: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"same,a,b\n" * 500
    whole = plan(io.BytesIO(data), dialect=dialect(), width=3, target=200, starts_group=starts_product)
    monkeypatch.setattr(planning, "_GROUP_LINES", 50)
    cut = plan(io.BytesIO(data), dialect=dialect(), width=3, target=200, starts_group=starts_product)

    assert len(whole.chunks) == 1
    assert len(cut.chunks) > 5
    assert sum(chunk.lines for chunk in cut.chunks) == 500


def test_chunk_of_groups_does_not_begin_below_a_lead_that_may_be_repaired() -> None:
    groups = [[f"h{i},Pot,{i}\n", *[f"h{i},,{i}\n"] * 5] for i in range(60)]
    for group in groups:
        group[0] = group[0].replace(",", ";", 1)  # read otherwise only once it is repaired
    data = "".join(line for group in groups for line in group).encode()

    made = plan(io.BytesIO(data), dialect=dialect(), width=3, target=200, starts_group=starts_product)

    begun = [data[chunk.offset :].split(b"\n")[0] for chunk in made.chunks[1:]]
    assert [line for line in begun if b",," in line] == []
