"""Kinds of pollution of a whole file, all of which must read without losing or changing anything."""

import gzip
import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice

from tests.pollution.files import Polluted, encoded, records
from tests.pollution.tables import Style, Table

_TITLE = "Sales of the spring"
_NOTES = ["Exported on 04/02/2024", "All prices with tax", "For internal use"]
_STOCK = [
    ["Article", "Stock", "Shelf"],
    *([f"AR-{number}", str(number * 7), f"B{number}"] for number in range(9)),
]


def polluted_files(table: Table) -> Iterator[Polluted]:
    """Every kind in its variations."""
    for kinds in (_ends, _headers, _beside, _blanks, _line_ends, _dialects, _encodings, _packed, _columns):
        yield from kinds(table)


def _file(
    table: Table, kind: str, name: str = "", *, lines: list[str] | None = None, data: bytes | None = None
) -> Polluted:
    """A file of the table's rows, which come out as they are."""
    if data is None:
        data = encoded(_lines(table) if lines is None else lines, table.style.line_end)
    return Polluted(kind, f"{kind} {name}".strip(), data, table.shown_header, table.rows)


def _lines(table: Table) -> list[str]:
    return [table.style.line(cells) for cells in records(table)]


def _ends(table: Table) -> Iterator[Polluted]:
    clean = _file(table, "as it is")
    yield clean
    yield _file(table, "no trailing line end", data=clean.data.removesuffix(table.style.line_end.encode()))
    yield Polluted("empty file", "empty file", b"", [], [])
    for count in (1, 2, 3):
        if table.header:
            yield _file(replace(table, rows=table.rows[:count]), "few rows", str(count))
    if table.header:
        yield _file(replace(table, rows=[]), "header only")
        only = table.style.line(table.header).encode()
        yield _file(replace(table, rows=[]), "header only", "without a line end", data=only)


def _headers(table: Table) -> Iterator[Polluted]:
    if not table.header:
        return
    yield _file(replace(table, header=None), "header missing")
    yield replace(_file(table, "doubled names"), **_renamed(table, ["Qty", "Price"], "Number"))
    yield replace(_file(table, "blank names"), **_renamed(table, ["Time", "Comment"], ""))
    words = [[*["Sale"] * 2, *["Product"] * (table.width - 2)], [*islice(cycle(["at", "by"]), table.width)]]
    for name, above in (("groups above", words[:1]), ("two above", words), ("written twice", [table.header])):
        lines = [*map(table.style.line, above), *_lines(table)]
        joined = [" ".join(names) for names in zip(*above, table.header, strict=True)]
        yield replace(_file(table, "header over several rows", name, lines=lines), header=joined)


def _renamed(table: Table, names: list[str], new: str) -> dict[str, object]:
    header = [new if name in names else name for name in table.header or []]
    lines = _lines(replace(table, header=header))
    return {"header": header, "data": encoded(lines, table.style.line_end)}


def _beside(table: Table) -> Iterator[Polluted]:
    """What stands above and below the table."""
    fill = table.style.delimiter * (table.width - 1)
    lines, named = _lines(table), [table.style.line(pair.split(" on ")) for pair in (_TITLE, _NOTES[0])]
    for name, above in (("title", [_TITLE]), ("notes", _NOTES), ("title and pairs", [_TITLE, *named])):
        filled = [line + fill[line.count(table.style.delimiter) :] for line in above]
        yield _file(table, "preamble", f"{name}, blank line", lines=[*above, "", *lines])
        yield _file(table, "preamble", f"{name}, delimiters", lines=[*filled, fill, *lines])
        if table.header:
            yield _file(table, "preamble", name, lines=[*above, *lines])
            yield _file(table, "preamble", f"{name}, filled up", lines=[*filled, *lines])
    total = table.style.line(["Total", *[""] * (table.width - 2), "12"])
    for name, below in (
        ("total", [total]),
        ("number of rows", [f"{len(table.rows)} rows"]),
        ("notes", _NOTES),
    ):
        yield _file(table, "footer", name, lines=[*lines, *below])
        yield _file(table, "footer", f"{name}, blank line", lines=[*lines, "", *below])
    yield from _two_tables(table)


def _two_tables(table: Table) -> Iterator[Polluted]:
    lines, style = _lines(table), table.style
    narrow = [style.line(cells) for cells in _STOCK]
    wide = [style.line(cells * 4) for cells in _STOCK]
    for name, other in (("narrower below", narrow), ("wider below", wide)):
        yield _file(table, "two tables", name, lines=[*lines, *other])
        yield _file(table, "two tables", f"{name}, blank line", lines=[*lines, "", *other])
    yield _file(table, "two tables", "narrower above, blank line", lines=[*narrow, "", *lines])
    if table.header:
        same = [table.header[::-1], *(cells[::-1] for cells in table.rows[:20])]
        yield _file(table, "two tables", "same width, blank line", lines=[*lines, "", *map(style.line, same)])


def _blanks(table: Table) -> Iterator[Polluted]:
    lines = _lines(table)
    fill = table.style.delimiter * (table.width - 1)
    for name, blank in (("empty", ""), ("spaces", "  "), ("delimiters", fill)):
        yield _file(table, "blank lines at the end", f"{name}, 1", lines=[*lines, blank])
        yield _file(table, "blank lines at the end", f"{name}, 5", lines=[*lines, *[blank] * 5])
        yield _file(table, "blank lines at the start", name, lines=[blank, blank, *lines])
        for after in (2, 40, len(lines) - 1):
            yield _file(
                table, "blank line between", f"{name}, {after}", lines=[*lines[:after], blank, *lines[after:]]
            )
        doubled = [line for pair in zip(lines, cycle([blank])) for line in pair]
        yield _file(table, "blank line between", f"{name}, all rows", lines=doubled)


def _line_ends(table: Table) -> Iterator[Polluted]:
    lines = _lines(table)
    for end, name in (("\n", "LF"), ("\r\n", "CRLF"), ("\r", "CR")):
        yield _file(table, "line ends", name, data=encoded(lines, end))
    for ends in (("\n", "\r\n"), ("\r\n", "\r\n", "\n")):
        mixed = "".join(line + end for line, end in zip(lines, cycle(ends), strict=False))
        yield _file(table, "line ends", f"mixed, {len(ends)}", data=mixed.encode())


def _dialects(table: Table) -> Iterator[Polluted]:
    end = table.style.line_end
    for sign in (",", ";", "\t", "|", ":", " ", ", "):
        for all_quoted in (False, True):
            style = Style(sign, line_end=end, all_quoted=all_quoted)
            yield _file(replace(table, style=style), "delimiters", f"{sign!r}, all quoted: {all_quoted}")
    for name, style in (
        ("apostrophe", replace(table.style, quote="'")),
        ("apostrophe, all", replace(table.style, quote="'", all_quoted=True)),
        ("all quoted", replace(table.style, all_quoted=True)),
        ("backslash", replace(table.style, escape="\\")),
        ("backslash, all", replace(table.style, escape="\\", all_quoted=True)),
    ):
        yield _file(replace(table, style=style), "quotes and escapes", name)
    plain = replace(table, rows=[[text.replace("\n", " ") for text in cells] for cells in table.rows])
    bare = replace(plain, style=replace(table.style, quote="", escape="\\"))
    yield _file(bare, "quotes and escapes", "no quotes, escapes")
    inches = [table.style.delimiter.join(cells) for cells in _without(plain, table.style.delimiter)]
    rows = _without(plain, table.style.delimiter)[int(table.header is not None) :]
    yield replace(_file(table, "quotes and escapes", "quotes mean nothing", lines=inches), rows=rows)


def _without(table: Table, sign: str) -> list[list[str]]:
    return [[text.replace(sign, "") for text in cells] for cells in records(table)]


def _encodings(table: Table) -> Iterator[Polluted]:
    text = encoded(_lines(table), table.style.line_end).decode()
    western = text.replace("\u201e", '"').replace("\u201c", '"')  # what Latin-1 has no signs for
    for codec in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        yield _file(table, "encodings", codec, data=text.encode(codec))
    yield _file(table, "encodings", "cp1252", data=text.encode("cp1252"))
    if western == text:
        yield _file(table, "encodings", "latin-1", data=text.encode("latin-1"))


def _packed(table: Table) -> Iterator[Polluted]:
    plain, archive = _file(table, "").data, io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("table.csv", plain)
    yield _file(table, "packed", "gzip", data=gzip.compress(plain, mtime=0))
    yield _file(table, "packed", "zip", data=archive.getvalue())
    for ending in ("txt", "xlsx", "pdf", "gz"):
        yield replace(_file(table, "wrong name"), name=f"wrong name.{ending}")


def _columns(table: Table) -> Iterator[Polluted]:
    lines, sign, first = _lines(table), table.style.delimiter, int(table.header is not None)
    ended = _file(table, "extra delimiter at the end", "all lines", lines=[line + sign for line in lines])
    if not table.header:  # then it is as good as a column
        yield replace(
            ended,
            header=[*ended.header, f"Column {table.width + 1}"],
            rows=[[*cells, ""] for cells in table.rows],
        )
    else:
        yield ended
        yield _file(
            table,
            "extra delimiter at the end",
            "rows",
            lines=[lines[0], *(line + sign for line in lines[1:])],
        )
        yield _file(table, "extra delimiter at the end", "header", lines=[lines[0] + sign, *lines[1:]])
        note = replace(table, header=[*table.header, "Note"], rows=[[*cells, ""] for cells in table.rows])
        yield _file(note, "empty column", "at the end")
    for at in (0, 2):
        rows = [[*cells[:at], "", *cells[at:]] for cells in records(table)]
        header = ([*rows[0][:at], "Note", *rows[0][at + 1 :]]) if first else None
        yield _file(replace(table, header=header, rows=rows[first:]), "empty column", f"column {at + 1}")
