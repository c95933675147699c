"""Where `inspect` finds the table in files that hold more than one clean table of commas."""

import csv
import io
from dataclasses import replace
from typing import Unpack

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imports.corrections import Corrections
from imports.dialect import SAMPLE_BYTES, Inspection, RefusedFile, inspect
from imports.inspecting import TableReader
from tests.imports.tables import read, retail_table, written

HEADER = ["DATE", "TIME", "Qty", "PRODUCTID", "Price", "ProductType", "ProductDescription", "URL", "Comments"]
GERMAN = [[str(900 + i), f"{i * 7919 % 900},{i % 100:02}", f"{i}.03.2024", "Topf; groß" if i % 5 else "Brett"]
          for i in range(1, 29)]  # fmt: skip


def look(text: str | bytes, **given: Unpack[Corrections]) -> Inspection:
    return inspect(io.BytesIO(text if isinstance(text, bytes) else text.encode()), **given)


def table_of(text: str | bytes) -> tuple[list[str], list[list[str]]]:
    """Header and all rows; every row must be read, and every line below the header be accounted for."""
    reader = TableReader(io.BytesIO(text if isinstance(text, bytes) else text.encode()))
    rows = [row for block in reader.blocks() for row in block]
    assert (reader.problems, len(rows)) == ([], reader.records)
    return reader.seen.header, rows


def asides(text: str) -> list[tuple[str, int, int, str]]:
    return [(aside.kind, aside.line, aside.lines, aside.text) for aside in look(text).asides]


def retail(**how: str) -> str:
    return written([HEADER, *retail_table()], **how)  # type: ignore[arg-type]


def with_escapes(table: list[list[str]], delimiter: str, quote: str, escape: str = "\\") -> str:
    out = io.StringIO()
    csv.writer(
        out, delimiter=delimiter, quotechar=quote, escapechar=escape, doublequote=False, lineterminator="\n"
    ).writerows(table)
    return out.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ":", " "])
@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_table_is_read_in_any_dialect(delimiter: str, quote: str, line_end: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quotechar=quote, lineterminator=line_end)
    writer.writerows([HEADER, *retail_table()])

    assert table_of(out.getvalue()) == (HEADER, retail_table())
    seen = look(out.getvalue()).dialect
    assert (seen.delimiter, seen.line_end) == (delimiter, line_end[-1])


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_delimiter_may_have_two_characters(quoting: int) -> None:
    lines = written([HEADER, *retail_table()], delimiter="\x1f", quoting=quoting)
    text = "\n".join(
        ", ".join(f'"{cell}"' if "," in cell and cell[0] != '"' else cell for cell in line.split("\x1f"))
        for line in lines.split("\n")
    )

    assert table_of(text) == (HEADER, retail_table())
    assert look(text).dialect.delimiter == ", "


@pytest.mark.parametrize("quote", ['"', "'"])
def test_quotes_may_be_escaped_by_a_backslash(quote: str) -> None:
    table = [[cell.replace('"', quote) for cell in row] for row in retail_table()]
    table[3][8] = "back\\slash, and more"
    seen = look(with_escapes([HEADER, *table], ",", quote)).dialect

    assert (seen.quotechar, seen.escape) == (quote, "\\")
    assert table_of(with_escapes([HEADER, *table], ",", quote)) == (HEADER, table)


def test_quotes_may_mean_nothing() -> None:
    table = [[f"A{i}", f'"{i}" x {i}', f"{i}.50"] for i in range(20)]
    text = "".join(";".join(row) + "\n" for row in [["sku", "size", "price"], *table])

    assert table_of(text) == (["sku", "size", "price"], table)
    assert look(text).dialect.quotechar == ""


def test_prices_and_times_do_not_split_cells() -> None:
    text = "".join(f"1{i},50;2{i},75;0{i}:30:15;a b c\n" for i in range(9))

    assert table_of(text)[1][0] == ["10,50", "20,75", "00:30:15", "a b c"]


@pytest.mark.parametrize(
    "text", ["name\nOak board\nPine board\n", "time\n09:30\n10:45\n", "when\n2024-01-02 09:30\n" * 3]
)
def test_single_column_is_not_split_by_spaces_or_colons(text: str) -> None:
    assert len(look(text).header) == 1


@pytest.mark.parametrize("prose", ["All prices are subject to change.", "note", "-" * 70])
@pytest.mark.parametrize("lines", [700, 30_000, 90_000])
def test_table_below_a_long_preamble_is_found(prose: str, lines: int) -> None:
    text = f"{prose}\n" * lines + "\n" + written([HEADER, *retail_table() * 30])
    header, rows = table_of(text)

    assert (header, rows) == (HEADER, retail_table() * 30)
    assert (look(text).dialect.header_line, look(text).dialect.first_line) == (lines + 2, lines + 3)
    assert sum(aside.lines for aside in look(text).asides) in (lines, lines + 1)
    assert look(text).asides[0].text == prose


def test_header_below_the_sample_can_be_given() -> None:
    text = written(retail_table() * 200) + written([HEADER, *retail_table()])
    seen = look(text, header_line=200 * 84 + 1)

    assert len(text) > SAMPLE_BYTES
    assert (seen.header, seen.rows, seen.dialect.first_line) == (HEADER, retail_table(), 200 * 84 + 2)
    assert [(aside.kind, aside.line, aside.lines) for aside in seen.asides] == [("preamble", 1, 200 * 84)]
    with pytest.raises(RefusedFile, match="Line 99,999 can’t be the header"):
        look(text, header_line=99_999)


def test_lines_above_the_header_are_left_out_and_named() -> None:
    text = "Stock report, March 2024\nGenerated by the till\n\n" + retail()

    assert table_of(text) == (HEADER, retail_table())
    assert asides(text) == [("preamble", 1, 2, "Stock report, March 2024")]
    assert (look(text).dialect.header_line, look(text).dialect.first_line) == (4, 5)


def test_line_right_above_the_header_is_left_out() -> None:
    assert table_of("Stock report\n" + retail()) == (HEADER, retail_table())


def test_header_over_two_lines_is_joined() -> None:
    first = ["", "", "Qty", "Product", "Price", "Product", "Product", "", ""]
    second = ["Date", "Time", "sold", "id", "in EUR", "type", "description", "URL", "Comments"]
    text = written([first, second, *retail_table()])

    assert table_of(text) == (
        [
            "Date",
            "Time",
            "Qty sold",
            "Product id",
            "Price in EUR",
            "Product type",
            "Product description",
            "URL",
            "Comments",
        ],
        retail_table(),
    )
    assert look(text).dialect.first_line == 3


def test_table_without_a_header_gets_numbered_columns() -> None:
    header, rows = table_of(written(retail_table()))

    assert header == [f"Column {number}" for number in range(1, 10)]
    assert rows == retail_table()
    assert (
        look(written(retail_table())).dialect.header_line,
        look(written(retail_table())).dialect.data_offset,
    ) == (1, 0)


def test_german_table_without_a_header_is_read() -> None:
    assert table_of(written(GERMAN, delimiter=";")) == ([f"Column {i}" for i in range(1, 5)], GERMAN)


def test_row_of_words_in_a_table_of_words_stays_the_header() -> None:
    assert look("sku,name\nA-x,Pot\nB-x,Pan\n").header == ["sku", "name"]


def test_header_that_lost_a_delimiter_is_still_the_header() -> None:
    header = ["DATE", "TIME", "Qty", "PRODUCTIDPrice", *HEADER[5:]]
    named = [*header[:3], "", *header[3:]]
    assert table_of(written([header, *retail_table()])) == (named, retail_table())


@pytest.mark.parametrize("other", [
    [["Store", "City"], ["1", "Ulm"], ["2", "Bonn"]],
    [[*HEADER, "More"], *[[*row, "1"] for row in retail_table(5)]],
    [HEADER, *retail_table(5)],
])  # fmt: skip
def test_second_table_is_left_out_and_named(other: list[list[str]]) -> None:
    text = retail() + "\n" + written(other)

    assert table_of(text) == (HEADER, retail_table())
    assert asides(text) == [("table", 87, len(other), ",".join(other[0]))]


def test_smaller_table_above_is_left_out() -> None:
    text = written([["Store", "City"], ["1", "Ulm"], ["2", "Bonn"]]) + "\n" + retail()

    assert table_of(text) == (HEADER, retail_table())
    assert asides(text) == [("table", 1, 3, "Store,City")]


@pytest.mark.parametrize("footer", [
    "Total,,,,1234.50,,,,\n", "\nGenerated on 2024-04-01\n", "84 rows\n", "Prices without tax\n",
    "\nEnd of report",
])  # fmt: skip
def test_footer_is_left_out_and_named(footer: str) -> None:
    text = retail() + footer

    assert table_of(text) == (HEADER, retail_table())
    assert asides(text) == [("footer", 86 + footer.startswith("\n"), 1, footer.strip())]


def test_footer_of_a_long_file_is_found_at_its_end() -> None:
    count = SAMPLE_BYTES // 80
    text = written([HEADER, *retail_table(count)]) + "\nTotal: 12\n"
    header, rows = table_of(text)

    assert (header, len(rows)) == (HEADER, count)
    assert asides(text) == [("footer", count + 3, 1, "Total: 12")]


def test_cut_last_line_is_rejected_as_a_row() -> None:
    reader = TableReader(io.BytesIO((retail() + "2024-03-01,09:30,2,P-0").encode()))

    assert sum(map(len, reader.blocks())) == 84
    assert [(problem.line, problem.code) for problem in reader.problems] == [(86, "too_few_cells")]


def test_trailing_blank_lines_are_no_footers() -> None:
    reader = TableReader(io.BytesIO((retail() + "\n\n,,\n").encode()))

    assert sum(map(len, reader.blocks())) == 84
    assert (reader.seen.asides, reader.blank_lines, reader.problems) == ([], 3, [])


def test_one_line_of_another_width_never_changes_the_layout() -> None:
    lines = retail().splitlines(keepends=True)
    for row in range(1, len(lines)):
        for dirty in (lines[row].replace(",", "", 1), "," + lines[row], lines[row].replace(",", ";")):
            seen = look("".join([*lines[:row], dirty, *lines[row + 1 :]]))
            assert (seen.header, seen.dialect.first_line, seen.dialect.data_end) == (HEADER, 2, None), (
                row,
                dirty,
            )


words = st.text(st.sampled_from("abc,;:|'\" \\\t"), max_size=6)


@given(
    st.lists(st.tuples(words, words, words), min_size=1, max_size=6),
    st.sampled_from(["\x1f", ", ", ";"]),
    st.sampled_from(['"', "'"]),
)
@settings(deadline=None, max_examples=200)
def test_any_table_with_escapes_reads_back_the_same(
    table: list[tuple[str, str, str]], delimiter: str, quote: str
) -> None:
    assume(all(any(cell.strip(" \t\\") for cell in row) for row in table))
    rows = [list(row) for row in table]
    escaped = [[cell.replace("\\", "\\\\").replace(quote, f"\\{quote}") for cell in row] for row in rows]
    text = "".join(delimiter.join(f"{quote}{cell}{quote}" for cell in row) + "\n" for row in escaped)
    dialect = replace(
        look("a,b\n1,2\n").dialect,
        delimiter=delimiter,
        quotechar=quote,
        escape="\\",
        data_offset=0,
        first_line=1,
    )
    assert [cells for _, cells in read(text.encode(), 3, dialect)[0]] == rows


def test_title_filled_up_with_delimiters_is_no_part_of_the_header() -> None:
    title, body = "Stock list 2024" + "," * 8, written(retail_table())
    text = f"{title}\n{','.join(HEADER)}\n{body}"

    assert table_of(text) == (HEADER, retail_table())
    assert asides(text) == [("preamble", 1, 1, title)]


@pytest.mark.parametrize("between", ["", ",,,,,,,,\n"])
def test_several_titles_filled_up_with_delimiters_are_left_out(between: str) -> None:
    titles = "Sales of the spring,,,,,,,,\nExported,04/02/2024,,,,,,,\nFor internal use,,,,,,,,\n"

    assert table_of(titles + between + retail()) == (HEADER, retail_table())


GERMAN_LINES = [
    ";".join(f'"{cell}"' if ";" in cell else cell for cell in row) + "\n" for row in GERMAN
]  # fmt: skip


@pytest.mark.parametrize("broken", ["901;7,01;1.03.2024;Brett;x\n", "901;7,\n01;1.03.2024;Brett\n"])
def test_broken_first_row_without_a_header_is_rejected_not_left_out(broken: str) -> None:
    reader = TableReader(io.BytesIO((broken + "".join(GERMAN_LINES[1:])).encode()), repair=False)

    assert [row for rows in reader.blocks() for row in rows] == GERMAN[1:]
    assert reader.seen.header == ["Column 1", "Column 2", "Column 3", "Column 4"]
    assert (reader.seen.asides, [found.line for found in reader.problems][:1]) == ([], [1])


@pytest.mark.parametrize(
    "broken", ['901;"7,01;1.03.2024;Brett\n', "901\t7,01\t1.03.2024\tBrett\n", '"901;7,01;1.03.2024;Brett"\n']
)
def test_broken_first_row_without_a_header_is_repaired_where_one_reading_fits(broken: str) -> None:
    reader = TableReader(io.BytesIO((broken + "".join(GERMAN_LINES[1:])).encode()))

    first = ["901", "7,01", "1.03.2024", "Brett"]
    assert [row for rows in reader.blocks() for row in rows] == [first, *GERMAN[1:]]
    assert ([found.line for found in reader.repairs], reader.problems) == ([1], [])


def test_broken_last_row_is_rejected_not_taken_for_a_footer() -> None:
    lines = [*GERMAN_LINES[:5], "906,42 4,06 6.03.2024 Ein Topf\n"]
    reader = TableReader(io.BytesIO("".join(lines).encode()))

    assert [row for rows in reader.blocks() for row in rows] == GERMAN[:5]
    assert (reader.seen.asides, [found.line for found in reader.problems]) == ([], [6])


def test_names_of_a_header_without_a_delimiter_stay_over_their_columns() -> None:
    rows = [
        [f"A{i}", "Pot", f"2024-01-{i:02}", f"{i}.50", f"https://shop.example/{i}"] for i in range(10, 19)
    ]
    header = ["sku", "name", "createdprice", "link"]

    assert table_of(written([header, *rows])) == (["sku", "name", "createdprice", "", "link"], rows)


def test_header_with_a_name_too_many_keeps_the_rows() -> None:
    text = "sku,name,net price,price,stock\n" + "".join(f"A{i},Pot,{i}.50,7\n" for i in range(1, 9))
    header, rows = table_of(text)

    assert (header[:2], len(header), len(rows)) == (["sku", "name"], 4, 8)


def test_first_row_of_two_columns_with_another_delimiter_is_repaired() -> None:
    reader = TableReader(io.BytesIO(("A-0\t0\r\n" + "".join(f"A-{i},{i}\r\n" for i in range(1, 9))).encode()))

    assert [row for rows in reader.blocks() for row in rows] == [[f"A-{i}", str(i)] for i in range(9)]
    assert ([found.line for found in reader.repairs], reader.problems) == ([1], [])


@pytest.mark.parametrize("sign", ["\t", ";", " "])
def test_header_with_another_delimiter_is_the_header(sign: str) -> None:
    lines = retail().split("\n", 1)

    assert table_of(lines[0].replace(",", sign) + "\n" + lines[1]) == (HEADER, retail_table())


@pytest.mark.parametrize("price", ["n/a", '1.50"', "-", "sold out"])
def test_odd_cell_in_the_first_row_does_not_make_it_a_header(price: str) -> None:
    text = f"name,price\nPot,{price}\n" + "".join(f"Pan {'x' * i},{i}.50\n" for i in range(1, 9))

    assert (look(text).header, look(text).dialect.first_line) == (["name", "price"], 2)


def test_quotes_around_no_cell_mean_nothing() -> None:
    rows = [[f"A{i}", f'pan {i}" wide', f"{i}.50"] for i in range(1, 9)] + [["A9", '"best" pan', "1.50"]]

    assert table_of("".join(",".join(row) + "\n" for row in [["sku", "name", "price"], *rows]))[1] == rows


def test_one_stray_quote_does_not_take_the_meaning_from_quotes() -> None:
    text = 'sku,name\nA1,"Pot, red"\nA2,"Pan\nA3,Cup\nA4,Lid\nA5,Jug\n'

    assert look(text).dialect.quotechar == '"'


@pytest.mark.parametrize("delimiter", [":", " "])
def test_rare_delimiter_wins_though_numbers_have_commas(delimiter: str) -> None:
    rows = [[f"40{i}-1", "Topf, groß" if i % 5 == 0 else "Brett", f"{i},50", str(i)] for i in range(10, 60)]

    assert table_of(written(rows, delimiter=delimiter))[1] == rows
