"""Archives, workbooks and UTF-16 come out as plain CSV; what would fill the disk is refused on the way."""

import gzip
import io
import zipfile

import pytest

from imports import unpacking
from imports.dialect import RefusedFile, inspect
from imports.unpacking import Unpacked, plain_file

TABLE = "sku,name\nA1,Käse €\nA2,Pan\n".encode()


def zipped(**files: bytes | str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def plain(data: bytes, limit: int = 10**9) -> bytes:
    with plain_file(io.BytesIO(data), limit=limit) as file:
        file.seek(0)
        return file.read()


def refusal(data: bytes, limit: int = 10**9) -> RefusedFile:
    with pytest.raises(RefusedFile) as caught:
        plain(data, limit)
    return caught.value


@pytest.mark.parametrize(
    "data",
    [
        TABLE,
        gzip.compress(TABLE, mtime=0),
        gzip.compress(TABLE[:12], mtime=0) + gzip.compress(TABLE[12:], mtime=0),
        zipped(**{"products.csv": TABLE}),
        zipped(**{"folder/products.csv": TABLE, "__MACOSX/x": b"?"}),
        TABLE.decode().encode("utf-16"),
        TABLE.decode().encode("utf-16-le"),
        TABLE.decode().encode("utf-16-be"),
        gzip.compress(b"\xfe\xff" + TABLE.decode().encode("utf-16-be"), mtime=0),
    ],
)
def test_content_comes_out_as_utf8(data: bytes) -> None:
    assert plain(data) == TABLE


def test_utf16_of_many_blocks_keeps_every_character() -> None:
    text = "sku,name\n" + "A,Käse 🧀\n" * 100_000

    assert plain(text.encode("utf-16")) == text.encode()


def test_character_that_was_cut_stays_visible_as_a_bad_byte() -> None:
    assert plain("a,b\n1,2".encode("utf-16-le") + b"\x33") == b"a,b\n1,2\xff"
    assert (
        plain(b"\xff\xfe" + "a,b\n".encode("utf-16-le") + b"\x00\xd8" + "\n".encode("utf-16-le"))
        == b"a,b\n\xff\n"
    )


@pytest.mark.parametrize(
    ("data", "code", "word"),
    [
        (zipped(a=b"1", b=b"2"), "zip", "2 files"),
        (zipped(**{"../../x.csv": TABLE}), "zip", "outside itself"),
        (zipped(**{"a.csv": TABLE})[:-30], "zip", "damaged"),
        (gzip.compress(TABLE, mtime=0)[:-9], "gzip", "damaged"),
        (gzip.compress(TABLE, mtime=0)[:10] + b"\xff\xff\xff", "gzip", "damaged"),
        (gzip.compress(bytes(100_000_000), mtime=0), "bomb", "200 times"),
        (zipped(a=bytes(100_000_000)), "bomb", "200 times"),
    ],
)
def test_what_cannot_be_unpacked_is_refused_with_the_fix(data: bytes, code: str, word: str) -> None:
    refused = refusal(data)

    assert (refused.code, word in refused.message) == (code, True)


@pytest.mark.parametrize("data", [gzip.compress(TABLE * 9, mtime=0), zipped(a=TABLE * 9)])
def test_output_is_capped_by_the_limit(data: bytes) -> None:
    assert refusal(data, limit=len(data) + 10).code == "too_large"


def test_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "_RATIO_FROM", 1_000_000)
    unpacked, given = Unpacked(io.BytesIO(gzip.compress(bytes(50_000_000), mtime=0)), limit=10**9), []
    with pytest.raises(RefusedFile, match="200 times"):
        given.extend(len(block) for block in iter(unpacked.read, b""))

    assert sum(given) < 15_000_000


def test_file_received_as_utf16_is_imported_as_utf8() -> None:
    with plain_file(io.BytesIO("sku,name\nA,Käse\n".encode("utf-16")), limit=999) as file:
        assert inspect(file).rows == [["A", "Käse"]]


def test_workbook_shows_cells_as_people_see_them() -> None:
    rows = [
        ("inlineStr", "<is><t>sku</t></is>"), ("n", "<v>12</v>"), ("n", "<v>12.5</v>"), ("b", "<v>1</v>"),
    ]  # fmt: skip
    cells = "".join(f'<c r="{"ABCD"[at]}1" t="{kind}">{value}</c>' for at, (kind, value) in enumerate(rows))
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    book = zipped(**{
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Empty" sheetId="2" r:id="r2"/><sheet name="S" sheetId="1" '
        'r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        f'relationships"><Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{office}/worksheet" Target="worksheets/sheet2.xml"/></Relationships>',
        "xl/worksheets/sheet2.xml": f'<worksheet xmlns="{main}"><sheetData></sheetData></worksheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>'
        f'<row r="1">{cells}</row></sheetData></worksheet>',
    })  # fmt: skip

    assert plain(book) == b"sku,12,12.5,true\n"
