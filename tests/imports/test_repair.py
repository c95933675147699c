"""A broken line is repaired where its columns leave one reading, and rejected by its number where not."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.column_types import Habits
from imports.dialect import Dialect
from imports.inspecting import TableReader
from imports.learning import learn
from tests.imports.tables import Rows, dialect, reader_of, written

HEADER = ["Day", "Time", "Pieces", "Code", "Price", "Kind", "Name", "Text", "Link", "Note"]
_WORDS = ("oak", "steel", "round", "small", "green", "heavy", "plain", "old", "soft", "bright", "wide")
ROW = 20  # the one that is broken
LINE = ROW + 1


def table(rows: int = 40) -> list[list[str]]:
    """Ten columns: typed cells of six kinds, two texts side by side, an address, a note."""
    return [
        [
            f"2024-{1 + i % 12:02}-{1 + i % 28:02}",
            f"{i % 24:02}:{i * 7 % 60:02}",
            str(1 + i % 13),
            f"AB-{1000 + i}",
            f"{i * 137 % 9999 / 100:.2f}",
            ("Kitchen", "Garden", "Bath")[i % 3],
            f"{_WORDS[i % 11]} pot for the {_WORDS[i * 3 % 11]} {_WORDS[i * 5 % 7]} table",
            f"Made of {_WORDS[i * 7 % 11]}, {_WORDS[i * 2 % 11]} and {_WORDS[i % 5]} things",
            f"https://shop.example/p/{i}",
            "" if i % 3 else f"ask {_WORDS[i % 11]}",
        ]
        for i in range(rows)
    ]


CLEAN = table()
DAY, TIME, PIECES, CODE, PRICE, KIND, NAME, TEXT, LINK, NOTE = CLEAN[ROW]
SOUND = ",".join([DAY, TIME, PIECES, CODE, PRICE, KIND, NAME, f'"{TEXT}"', LINK, NOTE])


def habits_of(rows: list[list[str]], *, is_small: bool = True) -> Habits:
    header = HEADER[: len(rows[0])]
    return learn(rows, header=header, header_line=",".join(header), is_small=is_small)


def read_with(
    line: str,
    *,
    rows: list[list[str]] = CLEAN,
    is_small: bool = True,
    how: Dialect | None = None,
) -> tuple[list[str] | None, str, str]:
    """The cells of `line` in place of row `ROW`, the code of its repair or problem, and the message.

    All other rows must come back as they were, and every line must be counted.
    """
    how = how or dialect()
    lines = written(rows, delimiter=how.delimiter).split("\n")[:-1]
    lines[ROW] = line
    reader = reader_of(
        "\n".join([*lines, ""]).encode(), len(rows[0]), how, habits=habits_of(rows, is_small=is_small)
    )
    found: Rows = list(reader)
    others = [(number, row) for number, row in enumerate(rows, start=1) if number != LINE]
    assert [(number, row) for number, row in found if number != LINE] == others
    counted = reader.records + len(reader.problems) + reader.continuation_lines + reader.blank_lines
    assert (reader.physical_lines, reader.records) == (counted, len(found))
    notes = [(repair.line, repair.code, repair.message) for repair in reader.repairs]
    notes += [(problem.line, problem.code, problem.message) for problem in reader.problems]
    assert [number for number, _, _ in notes] == [LINE] * len(notes)
    return dict(found).get(LINE), *(notes[0][1:] if notes else ("", ""))


def line_of(**cells: str) -> str:
    """The sound line with other text in some of its cells."""
    raw = [DAY, TIME, PIECES, CODE, PRICE, KIND, NAME, f'"{TEXT}"', LINK, NOTE]
    return ",".join(cells.get(name, text) for name, text in zip(HEADER, raw, strict=True))


SHOWN = f"{DAY} | {TIME} | {PIECES} | {CODE} | {PRICE} | {KIND} | {NAME} | {TEXT} | {LINK} | –"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param(SOUND.replace(KIND, f",{KIND}"), "extra_cell", id="delimiter too many before a cell"),
        pytest.param(f",{SOUND}", "extra_cell", id="delimiter too many at the start"),
        pytest.param(SOUND.replace(LINK, f"{LINK},"), "", id="delimiter too many, last"),
        pytest.param(SOUND.replace(f"{DAY},", DAY), "missing_delimiter", id="date and time"),
        pytest.param(SOUND.replace(f"{CODE},", CODE), "missing_delimiter", id="code and price"),
        pytest.param(SOUND.replace(f"{PRICE},", PRICE), "missing_delimiter", id="price and word"),
        pytest.param(SOUND.replace(f"{NAME},", NAME), "missing_delimiter", id="text and quoted text"),
        pytest.param(SOUND.replace(f"{DAY},", f"{DAY};"), "missing_delimiter", id="another delimiter once"),
        pytest.param(SOUND.replace(f"{NAME},", f"{NAME}|"), "missing_delimiter", id="another one, quote"),
        pytest.param(f'"{SOUND}', "stray_quote", id="stray quote at the start"),
        pytest.param(line_of(Price=f'{PRICE[:2]}"{PRICE[2:]}'), "stray_quote", id="within a number"),
        pytest.param(line_of(Kind=f'{KIND}"'), "stray_quote", id="stray quote at the end of a word"),
        pytest.param(line_of(Name=f'"{NAME}'), "stray_quote", id="stray quote before a text"),
        pytest.param(line_of(Text=f'"{TEXT}'), "stray_quote", id="closing quote lost"),
        pytest.param(line_of(Text=f'{TEXT}"'), "stray_quote", id="opening quote lost"),
        pytest.param(line_of(Text=f'""{TEXT}"'), "stray_quote", id="opening quote twice"),
        pytest.param(line_of(Text=f'"{TEXT}""'), "stray_quote", id="closing quote twice"),
        pytest.param(line_of(Text=f'"{TEXT[:3]}"{TEXT[3:]}"'), "stray_quote", id="stray quote within a word"),
        pytest.param(line_of(Code=f'"{CODE[:3]}"{CODE[3:]}'), "stray_quote", id="text behind it"),
        pytest.param(line_of(Text=f" \"{TEXT}\" "), "spaces", id="spaces around quotes"),
        pytest.param(SOUND.replace(",", ", ").replace(TEXT.replace(",", ", "), TEXT), "spaces", id="spaces"),
        pytest.param(line_of(Text=f"'{TEXT}'"), "other_quote", id="another quote"),
        pytest.param(",".join(f"'{cell}'" for cell in CLEAN[ROW]), "other_quote", id="other quotes"),
        pytest.param(f'"{SOUND}"', "wrapped_line", id="whole line in quotes"),
        pytest.param('"{}"'.format(SOUND.replace('"', '""')), "wrapped_line", id="wrapped, doubled"),
        pytest.param(";".join(CLEAN[ROW]), "other_delimiter", id="semicolons"),
        pytest.param("\t".join(CLEAN[ROW]), "other_delimiter", id="tabs"),
    ],
)  # fmt: skip
def test_line_with_one_right_reading_is_repaired(line: str, code: str) -> None:
    cells, found, _ = read_with(line)

    assert (cells, found) == (CLEAN[ROW], code)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param(line_of(Text=TEXT.replace(", ", ",")), "too_many_cells", id="delimiter in either text"),
        pytest.param(line_of(Name=f"{NAME},{NAME}"), "too_many_cells", id="a text twice"),
        pytest.param(line_of(Kind=f"{KIND},{KIND}"), "too_many_cells", id="a word twice, before a text"),
        pytest.param(line_of(Note=f"{SOUND}{SOUND}"), "too_many_cells", id="two rows grown together"),
        pytest.param(line_of(Text=f'"{TEXT[:4]} "{TEXT[4:]}"'), "stray_quote", id="one of a pair of quotes"),
        pytest.param(f"{DAY},{TIME},{PIECES}", "too_few_cells", id="cut line"),
        pytest.param(line_of(Name=f'"{NAME}', Kind=f'"{KIND}'), "stray_quote", id="two stray quotes"),
        pytest.param("green things", "too_few_cells", id="prose"),
        pytest.param(f"{SOUND},,,5", "too_many_cells", id="numbers behind the row"),
    ],
)  # fmt: skip
def test_line_with_no_certain_reading_is_rejected(line: str, code: str) -> None:
    cells, found, _ = read_with(line)

    assert (cells, found) == (None, code)


def test_quotes_that_mean_inches_or_pairs_are_text() -> None:
    assert read_with(line_of(Name='5" pipe'))[:2] == ([*CLEAN[ROW][:6], '5" pipe', *CLEAN[ROW][7:]], "")
    assert read_with(line_of(Text='"a 5" pipe, long"'))[0] == [*CLEAN[ROW][:7], 'a 5" pipe, long', LINK, NOTE]
    assert read_with(line_of(Text='"the "best" one, so far"'))[:2] == (
        [*CLEAN[ROW][:7], 'the "best" one, so far', LINK, NOTE],
        "inner_quotes",
    )
    assert read_with(line_of(Text=r'"the \"best\" one, so far"'))[:2] == (
        [*CLEAN[ROW][:7], 'the "best" one, so far', LINK, NOTE],
        "other_escape",
    )


def test_comma_with_a_space_behind_it_is_text_where_no_cell_begins_with_a_space() -> None:
    assert read_with(line_of(Text=TEXT))[:2] == (CLEAN[ROW], "unquoted_delimiter")
    assert read_with(line_of(Text='so far, the "best" one'))[0] == [
        *CLEAN[ROW][:7], 'so far, the "best" one', LINK, NOTE,
    ]  # fmt: skip
    assert read_with(line_of(Text='so far,the "best" one'))[:2] == (None, "too_many_cells")


def test_comma_without_a_space_is_text_only_in_a_column_that_is_known_to_hold_such() -> None:
    tags = [[row[0], f"{_WORDS[i % 11]},{_WORDS[(i + 1) % 11]}", row[4]] for i, row in enumerate(CLEAN)]
    names = [[row[0], row[6], row[4]] for row in CLEAN]

    assert read_with(f"{DAY},red,blue,{PRICE}", rows=tags)[:2] == (
        [DAY, "red,blue", PRICE],
        "unquoted_delimiter",
    )
    assert read_with(f"{DAY},red,blue,{PRICE}", rows=names)[:2] == (None, "too_many_cells")
    assert read_with(f"{DAY},red,{PRICE},{PRICE}", rows=tags)[:2] == (None, "too_many_cells")


def test_number_within_what_is_left_of_a_text_is_not_cut_off() -> None:
    """A cell that is missing is no reason to make two of its neighbour."""
    rows = [[row[3], row[6], row[4], row[2]] for row in CLEAN]
    models = [[row[3], f"Model{i}", row[2]] for i, row in enumerate(CLEAN)]

    assert read_with(f"{CODE},69.81,8", rows=rows)[:2] == (None, "too_few_cells")
    assert read_with(f"{CODE},pot 5", rows=[[row[0], row[1], row[3]] for row in rows])[:2] == (
        None,
        "too_few_cells",
    )
    assert read_with(f"{CODE},Tool5", rows=models)[:2] == (None, "too_few_cells")


def test_word_grown_together_with_an_address_is_no_part_of_it() -> None:
    rows = [[row[3], f"{row[8]}.html", row[9]] for row in CLEAN]
    link = f"{LINK}.html"

    assert read_with(f"{CODE},{link}soon", rows=rows)[:2] == ([CODE, link, "soon"], "missing_delimiter")
    assert read_with(f"{CODE},{LINK}7soon", rows=[[row[3], row[8], row[9]] for row in CLEAN])[:2] == (
        None,
        "too_few_cells",
    )


def test_line_of_one_quote_is_rejected() -> None:
    assert read_with('"')[:2] == (None, "stray_quote")


def test_comma_in_the_only_text_that_could_hold_it_is_text() -> None:
    rows = [[row[0], row[6], row[4]] for row in CLEAN]

    assert read_with(f"{DAY},red, green, blue,{PRICE}", rows=rows)[:2] == (
        [DAY, "red, green, blue", PRICE],
        "unquoted_delimiter",
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (";".join(CLEAN[ROW]), f"The line has another delimiter than the comma: read as {SHOWN}."),
        (SOUND.replace(f"{DAY},", DAY),
         f"The comma between cells 1 and 2 was missing: read as {DAY} | {TIME}."),
        (f",{SOUND}", "There was a comma too many before cell 1: the blank cell was left out."),
        (line_of(Name=f'"{NAME}'), f"A quote in cell 7 has no partner: read as “{NAME}”."),
    ],
)  # fmt: skip
def test_message_tells_what_was_wrong_and_what_was_read(line: str, message: str) -> None:
    assert read_with(line)[2] == message


def test_missing_cells_are_blank_only_where_the_sample_has_blank_ones() -> None:
    assert read_with(SOUND.rpartition(",")[0])[:2] == ([*CLEAN[ROW][:9], ""], "missing_cells")
    assert read_with(",".join(SOUND.split(",")[:6]))[:2] == (None, "too_few_cells")


def test_torn_record_is_not_taken_for_two_short_rows() -> None:
    """A line break inside a text leaves two lines, each of which lacks cells that may be blank."""
    rows = [[row[0], row[6], row[9], row[9]] for row in CLEAN]
    lines = written(rows).split("\n")
    lines[ROW : ROW + 2] = [f"{DAY},round", f"{DAY},pot"]
    reader = reader_of("\n".join(lines).encode(), 4, habits=habits_of(rows))

    assert len(list(reader)) == len(rows) - 2
    assert [(problem.line, problem.code) for problem in reader.problems] == [
        (LINE, "too_few_cells"),
        (LINE + 1, "too_few_cells"),
    ]


@pytest.mark.parametrize("end", ["", "\n"])
def test_cut_last_line_is_repaired_only_if_it_has_an_end(end: str) -> None:
    lines = written(CLEAN).split("\n")[:-1]
    lines[-1] = lines[-1].rpartition(",")[0]
    reader = reader_of("\n".join(lines).encode() + end.encode(), 10, habits=habits_of(CLEAN))
    rows = list(reader)

    assert (len(rows), len(reader.repairs), len(reader.problems)) == ((40, 1, 0) if end else (39, 0, 1))


@pytest.mark.parametrize(
    ("line", "notes"),
    [
        (",".join(HEADER), [(LINE, "repeated_header", "The line repeats the header: left out.")]),
        ('# from "here on', [(LINE, "comment", "The line is a comment: left out.")]),
        (";;;;;;;;;", []),
        ("# " + "x," * 9, [(LINE, "comment", "The line is a comment: left out.")]),
    ],
)
def test_line_that_is_no_row_is_left_out(line: str, notes: list[tuple[int, str, str]]) -> None:
    lines = written(CLEAN).split("\n")
    lines.insert(ROW, line)
    reader = reader_of("\n".join(lines).encode(), 10, habits=habits_of(CLEAN))
    rows = list(reader)

    assert [row for _, row in rows] == CLEAN
    assert [number for number, _ in rows] == [n for n in range(1, 42) if n != LINE]
    assert (reader.blank_lines, reader.problems) == (1, [])
    assert [(repair.line, repair.code, repair.message) for repair in reader.repairs] == notes


def test_large_file_is_guarded_by_one_column() -> None:
    """There, a row of the right width is looked at again only if its last typed cell is out of place."""
    quoted = ",".join(f"'{cell}'" for cell in CLEAN[ROW][:6]) + f",'{NAME}','no comma',{LINK},"

    assert read_with(",".join(f"'{cell}'" for cell in CLEAN[ROW]), is_small=False)[1] == "other_quote"
    assert read_with(quoted, is_small=False)[1] == ""
    assert read_with(quoted)[1] == "other_quote"


def test_dirty_cell_in_a_sound_row_is_no_reason_for_a_repair() -> None:
    assert read_with(line_of(Price="n/a"))[:2] == ([*CLEAN[ROW][:4], "n/a", *CLEAN[ROW][5:]], "")


def test_blank_surplus_that_hides_a_shift_is_no_row() -> None:
    line = ",".join([DAY, TIME, "", PIECES, CODE, PRICE, KIND, NAME, f'"{TEXT}"', LINK, ""])

    assert read_with(line)[:2] == ([*CLEAN[ROW][:9], ""], "extra_cell")
    assert read_with(f"{line},x,")[:2] == (None, "too_many_cells")


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ", "])
def test_lines_in_other_dialects_are_repaired_alike(delimiter: str) -> None:
    rows = [[cell.replace(",", " ").replace(";", " ") for cell in row] for row in CLEAN]
    how = dialect(delimiter=delimiter)
    lines = [delimiter.join(row) for row in rows]
    lines[ROW] = delimiter.join([rows[ROW][0] + rows[ROW][1], *rows[ROW][2:]])
    reader = reader_of("\n".join([*lines, ""]).encode(), 10, how, habits=habits_of(rows))

    assert [row for _, row in reader] == rows
    assert [repair.line for repair in reader.repairs] == [LINE]


def test_nothing_is_repaired_without_habits() -> None:
    reader = reader_of(f"{SOUND}\n{';'.join(CLEAN[ROW])}\n".encode(), 10)

    assert [number for number, _ in reader] == [1]
    assert (len(reader.problems), reader.repairs) == (1, [])


def test_file_of_nothing_but_broken_lines_ends_in_good_time() -> None:
    data = (SOUND.replace(KIND, "x,y,z") + "\n").encode() * 3_000
    reader = reader_of(data, 10, habits=habits_of(CLEAN))

    assert (list(reader), len(reader.problems)) == ([], 3_000)


_cells = {
    "day": st.dates().map(lambda day: day.isoformat()),
    "number": st.integers(0, 99_999).map(str),
    "price": st.integers(0, 99_999).map(lambda cents: f"{cents / 100:.2f}"),
    "word": st.sampled_from(["red", "green", "blue"]),
    "code": st.integers(100, 999).map(lambda number: f"AB-{number}"),
    "text": st.text(st.sampled_from("abc xyz,.;'\"|"), min_size=1, max_size=12).filter(str.strip),
    "blank": st.sampled_from(["", "note", "x, y"]),
}


@st.composite
def typed_tables(draw: st.DrawFn) -> list[list[str]]:
    kinds = draw(st.lists(st.sampled_from(sorted(_cells)), min_size=2, max_size=6))
    row = (
        st.tuples(*(_cells[kind] for kind in kinds))
        .map(list)
        .filter(lambda cells: any(map(str.strip, cells)))
    )
    return draw(st.lists(row, min_size=8, max_size=16))


def _polluted(draw: st.DrawFn, line: str) -> str:
    """The line with one thing wrong."""
    at = draw(st.integers(0, len(line)))
    kind = draw(st.sampled_from(["insert", "remove", "swap", "cut", "wrap"]))
    char = draw(st.sampled_from(list(",;\"'| \t#\\")))
    match kind:
        case "insert":
            return line[:at] + char + line[at:]
        case "remove":
            return line[:at] + line[at + 1 :]
        case "swap":
            return line.replace(",", char)
        case "cut":
            return line[:at]
        case _:
            return f'"{line}"'


@given(typed_tables(), st.data())
@settings(deadline=None, max_examples=300)
def test_polluted_line_of_any_typed_table_harms_no_other(rows: list[list[str]], data: st.DataObject) -> None:
    lines = written(rows).split("\n")[:-1]
    at = data.draw(st.integers(0, len(rows) - 1))
    lines[at] = data.draw(st.composite(_polluted)(lines[at]))  # type: ignore[arg-type]
    habits = learn(rows, header=HEADER[: len(rows[0])], header_line="", is_small=data.draw(st.booleans()))
    reader = reader_of("\n".join([*lines, ""]).encode(), len(rows[0]), habits=habits)
    found = list(reader)

    others = [(number, row) for number, row in enumerate(rows, start=1) if number != at + 1]
    assert [(number, row) for number, row in found if number != at + 1] == others
    assert all(len(row) == len(rows[0]) for _, row in found)


def test_same_repairs_whatever_the_chunks() -> None:
    rows = table(400)
    lines = written(rows).split("\n")
    for at in range(5, 400, 40):
        lines[at] = ";".join(rows[at])
    habits = habits_of(rows)
    whole = reader_of("\n".join(lines).encode(), 10, habits=habits)
    found = list(whole)
    parts = [reader_of("\n".join([*lines[at : at + 50], ""]).encode(), 10, None, at + 1, habits)
             for at in range(0, 400, 50)]  # fmt: skip

    assert [row for part in parts for row in part] == found == list(enumerate(rows, start=1))
    assert [repair for part in parts for repair in part.repairs] == whole.repairs


def test_rfc_4180_reader_agrees_on_the_sound_line() -> None:
    assert next(csv.reader(io.StringIO(SOUND))) == CLEAN[ROW]


def table_of(lines: list[str], line_end: str = "\r\n") -> TableReader:
    """The file of these lines, read to its end, and its rows."""
    return TableReader(io.BytesIO("".join(line + line_end for line in lines).encode()))


def test_inspection_learns_the_habits_of_the_file_itself() -> None:
    lines = [",".join(HEADER), *written(CLEAN).split("\n")[:-1]]
    lines[LINE] = ";".join(CLEAN[ROW])
    lines.insert(30, lines[0])
    reader = table_of(lines)

    assert [row for rows in reader.blocks() for row in rows] == CLEAN
    assert [(repair.line, repair.code) for repair in reader.repairs] == [
        (LINE + 1, "other_delimiter"),
        (31, "repeated_header"),
    ]


def test_file_whose_rows_all_have_a_delimiter_more_keeps_its_dirty_rows() -> None:
    rows = [row[:9] for row in CLEAN]
    rows[ROW] = [*rows[ROW][:2], "few", *rows[ROW][3:8], "none"]
    lines = [",".join(HEADER[:9]), *(line + "," for line in written(rows).split("\n")[:-1])]
    reader = table_of(lines)

    assert [row for block in reader.blocks() for row in block] == rows
    assert (reader.repairs, reader.problems) == ([], [])


def test_header_again_among_nothing_but_texts_is_left_out() -> None:
    rows = [[row[6], row[7]] for row in CLEAN]
    lines = ["Name,Text", *written(rows).split("\n")[:-1]]
    lines.insert(30, lines[0])
    reader = table_of(lines)

    assert [row for block in reader.blocks() for row in block] == rows
    assert [(repair.line, repair.code) for repair in reader.repairs] == [(31, "repeated_header")]
