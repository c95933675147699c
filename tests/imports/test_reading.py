"""Rows come back as they were written, and one bad line never harms another."""

import csv
import tracemalloc

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from imports import reading
from imports.problems import Problem
from tests.imports.tables import dialect, read, reader_of, retail_table, written


def problems_of(data: bytes, width: int) -> list[Problem]:
    reader = reader_of(data, width)
    list(reader)
    return reader.problems


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"a,b\rc,d\n",
            "3 cells where the header has 2, and a carriage return (CR) among them: these may be two"
            " rows. Put each on a line of its own.",
        ),
        (
            b'a,"b\r\nc",d\r\n',
            '3 cells where the header has 2. Put the cell that contains a comma in quotes ("), or remove'
            " the cells that are too many.",
        ),
    ],
)
def test_two_rows_on_one_line_are_told_from_a_cell_too_many(data: bytes, message: str) -> None:
    assert [problem.message for problem in problems_of(data, 2)] == [message]


def test_rows_come_with_their_physical_line_numbers() -> None:
    reader = reader_of(b"a,b\n\nc,d\n", 2, first_line=10)

    assert list(reader) == [(10, ["a", "b"]), (12, ["c", "d"])]
    assert (reader.physical_lines, reader.records, reader.blank_lines) == (3, 2, 1)


@pytest.mark.parametrize(
    ("data", "rows", "problems"),
    [
        pytest.param(b"a,b,c", [(1, ["a", "b", "c"])], [], id="last line without an end"),
        pytest.param(b"a,b,c\r\nd,e,f\r\n", [(1, ["a", "b", "c"]), (2, ["d", "e", "f"])], [], id="crlf"),
        pytest.param(b"a,b,c\r\nd,e,f\n", [(1, ["a", "b", "c"]), (2, ["d", "e", "f"])], [], id="mixed ends"),
        pytest.param(
            b"a,b\rx,c\nd,\re,f\r\n", [(1, ["a", "b\rx", "c"]), (2, ["d", "\re", "f"])], [],
            id="carriage return in a cell",
        ),
        pytest.param(
            b"a,b,c\rd,e,f\ng,h,i\n", [(2, ["g", "h", "i"])], [(1, "too_many_cells")],
            id="carriage return for a line end",
        ),
        pytest.param(b"", [], [], id="nothing"),
        pytest.param(b" \n,,\n , ,\t\n\r\n", [], [], id="blank lines"),
        pytest.param(b'"","",""\n', [], [], id="quoted but blank"),
        pytest.param(b"a,b,c,,\n", [(1, ["a", "b", "c"])], [], id="trailing delimiters"),
        pytest.param(b"a,b\nd,e,f\n", [(2, ["d", "e", "f"])], [(1, "too_few_cells")], id="too few"),
        pytest.param(b"a,b,c,x\nd,e,f\n", [(2, ["d", "e", "f"])], [(1, "too_many_cells")], id="too many"),
        pytest.param(b'a,5" pipe,c\n', [(1, ["a", '5" pipe', "c"])], [], id="literal quote"),
        pytest.param(b'"abc"d,b,c\nd,e,f\n', [(2, ["d", "e", "f"])], [(1, "stray_quote")], id="text after"),
        pytest.param(b'a,"b,c\nd,e,f\n', [(2, ["d", "e", "f"])], [(1, "stray_quote")], id="open quote"),
        pytest.param(b'a,"b,c\n', [], [(1, "stray_quote")], id="open quote in the last line"),
        pytest.param(
            b'a,"x\r\n\r\ny, z",c\r\nd,e,f\r\n', [(1, ["a", "x\r\n\r\ny, z", "c"]), (4, ["d", "e", "f"])], [],
            id="multi-line cell",
        ),
        pytest.param(
            b'"x\ny",b,"p\nq"\nd,e,f\n', [(1, ["x\ny", "b", "p\nq"]), (4, ["d", "e", "f"])], [],
            id="multi-line cells first and last",
        ),
        pytest.param(
            b'a,"x\nred, green, blue\ny",c\n', [(1, ["a", "x\nred, green, blue\ny", "c"])], [],
            id="prose that looks like a row",
        ),
        pytest.param(
            b'a,"x\ny",c,d\ne,f,g\n', [(3, ["e", "f", "g"])], [(1, "too_many_cells")],
            id="multi-line record of the wrong width",
        ),
        pytest.param(
            b'a,b,"c\nd,"\n<p>",f\n', [(2, ["d", "\n<p>", "f"])], [(1, "stray_quote")],
            id="open quote before a cell that begins with a line break",
        ),
        pytest.param(
            b'a,"b,c\nd,e,",f"\n', [(2, ["d", "e", ",f"])], [(1, "stray_quote")],
            id="open quote before a cell that begins with a delimiter",
        ),
        pytest.param(
            b'a,"b,c\nd,e,f\n\nd,e,f\n\nd,e,f\n\nx,5",y\n',
            [(2, ["d", "e", "f"]), (4, ["d", "e", "f"]), (6, ["d", "e", "f"]), (8, ["x", '5"', "y"])],
            [(1, "stray_quote")],
            id="two stray quotes that would make one cell of the rows between them",
        ),
        pytest.param(
            b'a,b,"c\n"\nd",e,f\n', [(1, ["a", "b", "c\n"]), (3, ['d"', "e", "f"])], [],
            id="cell that ends with a line break before a stray quote",
        ),
        pytest.param(b"a,b\0,c\nd,e,f\n", [(2, ["d", "e", "f"])], [(1, "nul_byte")], id="nul"),
        pytest.param(b"a,\xff,c\nd,\xc3\xa9,f\n", [(2, ["d", "é", "f"])], [(1, "encoding")], id="bad byte"),
        pytest.param(b'a,"x\n\xff",c\nd,e,f\n', [(3, ["d", "e", "f"])], [(1, "encoding")], id="inside"),
        pytest.param(b"a,b\rx,c\nd,e,f\n", [(1, ["a", "b\rx", "c"]), (2, ["d", "e", "f"])], [], id="lone cr"),
        pytest.param(b'a,"b\rx",c\n', [(1, ["a", "b\rx", "c"])], [], id="lone cr in quotes"),
        pytest.param(
            "a,\x0b\u2028\x85,c\n".encode(), [(1, ["a", "\x0b\u2028\x85", "c"])], [], id="other separators"
        ),
    ],
)  # fmt: skip
def test_reader_settles_each_line(
    data: bytes, rows: list[tuple[int, list[str]]], problems: list[tuple[int, str]]
) -> None:
    assert read(data, 3) == (rows, problems)


def test_lines_may_end_in_cr_alone() -> None:
    data = b'a,"x\ry\nz"\r\rb,p\nq\rc\r'

    assert read(data, 2, dialect(line_end="\r")) == (
        [(1, ["a", "x\ry\nz"]), (4, ["b", "p\nq"])],
        [(5, "too_few_cells")],
    )


def test_quotes_mean_nothing_without_a_quote_character() -> None:
    assert read(b'"a,b"\n', 2, dialect(quotechar="")) == ([(1, ['"a', 'b"'])], [])


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_single_byte_encodings_are_read(encoding: str) -> None:
    assert read("Käse,ñ\n".encode(encoding), 2, dialect(encoding=encoding)) == ([(1, ["Käse", "ñ"])], [])


def test_byte_undefined_in_cp1252_rejects_its_line_only() -> None:
    data = b"a,\x81\nb,\xe4\n"

    assert read(data, 2, dialect(encoding="cp1252")) == ([(2, ["b", "ä"])], [(1, "encoding")])


@pytest.mark.parametrize(
    ("line", "column", "value", "cells", "message"),
    [
        (b"a,b", 2, "a,b", ["a", "b"],
         "2 cells where the header has 3. Add the missing ones; if a line break inside a cell cut the line, "
         'put that cell in quotes (").'),
        (b"a,b,c,d", 3, "a,b,c,d", ["a", "b", "c", "d"],
         "4 cells where the header has 3. Put the cell that contains a comma in quotes (\"), or remove the "
         "cells that are too many."),
        (b'a,"b" x,c', 1, '"b" x', ["a", '"b" x', "c"],
         'A quote (") in cell 2 has no partner or has text after it. Remove it, or put the whole cell in '
         'quotes and write the quote twice ("").'),
        (b"a,b,c\xe9", 2, "c\\xe9", ["a", "b", "c\\xe9"],
         "The byte 0xE9 in cell 3 is not UTF-8. Type the character again and save the file as CSV UTF-8, or "
         "choose the encoding that the file is in."),
        (b"a\0,b,c", 0, "a\\x00", ["a\\x00", "b", "c"],
         "There is an invisible NUL byte in cell 1. Delete it or export the file again."),
    ],
)  # fmt: skip
def test_problem_names_the_cell_and_the_fix(
    line: bytes, column: int, value: str, cells: list[str], message: str
) -> None:
    (problem,) = problems_of(line + b"\n", 3)

    assert (problem.line, problem.lines) == (1, 1)
    assert (problem.column, problem.value, problem.cells, problem.message) == (column, value, cells, message)


def test_problem_of_several_lines_says_how_many() -> None:
    (problem,) = problems_of(b'a,"x\ny\nz",c,d\n', 3)

    assert (problem.lines, problem.cells) == (3, ["a", "x\ny\nz", "c", "d"])


def test_excerpt_of_a_long_value_is_cut() -> None:
    (problem,) = problems_of(b"x" * 5_000 + b"\n", 2)

    assert problem.value == "x" * 199 + "…"
    assert problem.cells == ["x" * 5_000]


@pytest.mark.parametrize("quote", [b"", b'"'])
def test_ten_megabyte_cell_is_rejected_alone_and_cheaply(quote: bytes) -> None:
    data = b"a,b\n1," + quote + b"x" * 10_000_000 + quote + b"\nc,d\n"
    tracemalloc.start()
    reader = reader_of(data, 2)
    rows = list(reader)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert rows == [(1, ["a", "b"]), (3, ["c", "d"])]
    (problem,) = reader.problems
    assert (problem.line, problem.code, problem.column, problem.cells) == (2, "cell_too_long", 1, None)
    assert len(problem.value) == 200
    assert peak < 80_000_000


def test_cell_of_a_megabyte_is_read() -> None:
    cell = "x" * 1_000_000

    assert read(f'a,"{cell}"\n'.encode(), 2) == ([(1, ["a", cell])], [])


def test_quote_open_for_too_many_lines_rejects_its_line_only() -> None:
    data = b'a,"b\n' + b"prose\n" * 2_500 + b'end",c\nd,e\n'
    rows, problems = read(data, 2)

    assert rows == [(2_502, ['end"', "c"]), (2_503, ["d", "e"])]
    assert problems[0] == (1, "stray_quote")
    assert {code for _, code in problems[1:]} == {"too_few_cells"}


def test_stray_quote_anywhere_harms_no_other_line() -> None:
    table = retail_table()
    lines = written(table).splitlines(keepends=True)
    clean = list(enumerate(table, start=1))
    for row, line in enumerate(lines):
        for at in range(len(line)):
            dirty = "".join([*lines[:row], line[:at] + '"' + line[at:], *lines[row + 1 :]])
            rows, problems = read(dirty.encode(), 9)
            others = [found for found in rows if found[0] != row + 1]
            assert others == clean[:row] + clean[row + 1 :], (row, at)
            assert len(rows) + len(problems) == len(table)


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_lost_quote_anywhere_harms_no_other_line(quoting: int) -> None:
    table = retail_table()
    lines = written(table, quoting=quoting).splitlines(keepends=True)
    clean = list(enumerate(table, start=1))
    for row, line in enumerate(lines):
        for at in (i for i, char in enumerate(line) if char == '"'):
            dirty = "".join([*lines[:row], line[:at] + line[at + 1 :], *lines[row + 1 :]])
            rows, _ = read(dirty.encode(), 9)
            others = [found for found in rows if found[0] != row + 1]
            assert others == clean[:row] + clean[row + 1 :], (row, at)


def test_file_full_of_stray_quotes_is_read_in_linear_time() -> None:
    """Each line opens a quote that the next one closes and opens again, so every search could run on."""
    reader = reader_of(b'x","z\n' * 20_000, 5_000)

    assert list(reader) == []
    assert len(reader.problems) == 20_000


@pytest.mark.parametrize("size", [255, 256, 257])
def test_broken_line_beside_a_block_of_the_fast_path_is_counted_once(size: int) -> None:
    assert size - reading._BLOCK in (-1, 0, 1)
    lines = [b"a,b\n"] * 600
    lines[size] = b'a,"x\n'
    rows, problems = read(b"".join(lines), 2)

    assert (len(rows), problems) == (599, [(size + 1, "stray_quote")])


texts = st.text(
    st.one_of(
        st.sampled_from(list("ab ,;\t|\"\r\n'")), st.characters(exclude_characters="\0", codec="utf-8")
    ),
    max_size=8,
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(2, 5))
    row = st.lists(texts, min_size=width, max_size=width).filter(lambda cells: any(map(str.strip, cells)))
    return draw(st.lists(row, min_size=1, max_size=8))


@given(tables(), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
@example([["x", "p\n1,2\nq"], ["y", ""]], ",", "\n", True)
@settings(deadline=None, max_examples=300)
def test_any_table_reads_back_the_same(
    table: list[list[str]], delimiter: str, line_end: str, quote_all: bool
) -> None:
    how = dialect(delimiter=delimiter, line_end=line_end[-1])
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    data = written(table, delimiter=delimiter, line_end=line_end, quoting=quoting).encode()
    rows, problems = read(data, len(table[0]), how)

    assert ([cells for _, cells in rows], problems) == (table, [])


@given(tables(), st.data())
@settings(deadline=None, max_examples=300)
def test_stray_quote_in_any_table_of_single_lines_harms_no_other(
    table: list[list[str]], data: st.DataObject
) -> None:
    table = [[cell.replace("\n", " ").replace("\r", " ") for cell in cells] for cells in table]
    assume(all(any(map(str.strip, cells)) for cells in table))
    lines = written(table).split("\n")[:-1]
    row = data.draw(st.integers(0, len(lines) - 1))
    at = data.draw(st.integers(0, len(lines[row])))
    lines[row] = lines[row][:at] + '"' + lines[row][at:]
    rows, _ = read("\n".join(lines).encode(), len(table[0]))

    clean = list(enumerate(table, start=1))
    assert [found for found in rows if found[0] != row + 1] == clean[:row] + clean[row + 1 :]


@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(st.sampled_from(list(b'ab,"\r\n\0\xff\xc3')), max_size=80).map(bytes),
    ),
    st.sampled_from(["utf-8", "cp1252", "latin-1"]),
    st.sampled_from(["\n", "\r"]),
    st.integers(1, 4),
)
@settings(deadline=None, max_examples=500)
def test_any_bytes_are_accounted_for_line_by_line(
    data: bytes, encoding: str, line_end: str, width: int
) -> None:
    rows, problems = read(data, width, dialect(encoding=encoding, line_end=line_end))

    assert all(len(cells) == width for _, cells in rows)
    assert len({line for line, _ in [*rows, *problems]}) == len(rows) + len(problems)
