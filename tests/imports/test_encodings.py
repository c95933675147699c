"""Files in the encodings of many countries are read as their writers meant them, and none is cut in two."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports import encoding
from imports.dialect import inspect
from imports.encoding import ENCODINGS, EncodingEvidence, short_name, split_lines
from imports.inspecting import TableReader

WORDS = {
    "German": "Küchenwaage weiß|Käsereibe groß|Größe 5, für Öfen|Bürste für Möbel|Gewürzmühle|Löffel",
    "French": "Théière émaillée|Crème brûlée|Boîte à goûter|Étagère en chêne|Pâtisserie|Façade",
    "Spanish": "Cafetera española|Jarrón pequeño|Cuchillo de jamón|Sartén de cerámica|Lámpara de araña",
    "Danish": "Brødkniv|Smørfad|Håndklæde blå|Sæbeæske|Køkkentænger|Ærmer|Ørred",
    "Italian": "Caffè moka|Perché più|Città dolce qualità|È una novità|Tè verde|Menù già pronto|Così",
    "Portuguese": "Pão de açúcar|Colchão|Balões|Xícara de chá|Saleiro clássico|Botões",
    "signs": "Pot 12” wide|Pan – big|Cup “blue”|Price €5|Size ½ inch|25 °C oven|Brand™ new|5 × 3 cm",
    "Polish": "Łyżka srebrna|Miseczka żółta|Dzbanek na wodę|Ścierka bawełniana|Świeca różana|PÓŁKA, STÓŁ",
    "Czech": "Hrnec černý měděný|Příbor čtyřdílný|Stůl dřevěný|Židle kuchyňská|Šálek na kávu|Nůž",
    "Hungarian": "Fűszertartó|Szűrő kávéhoz|Nagy tányér|Evőeszköz készlet|Törölköző|Hűtőtáska",
    "Russian": "Нож кухонный|Чайник стальной|Тарелка белая|Стол деревянный|Полотенце синее|Вилка",
    "Greek": "Μαχαίρι κουζίνας|Πιάτο λευκό|Κουτάλι|Ποτήρι κρασιού|Τραπέζι ξύλινο|Πετσέτα μπλε",
    "Turkish": "Çay bardağı|Büyük tabak|Kaşık takımı|Şişe açacağı|Ahşap masa|Ekmek bıçağı|Gümüş çatal",
    "Japanese": "台所用ナイフ|白い皿|ティーカップ|木製テーブル|青いタオル|スプーン|表示ソート",
    "Chinese": "厨房刀具|白色盘子|茶杯|木制桌子|蓝色毛巾|勺子|大号马克杯|叉子",
    "Taiwanese": "廚房刀具|白色盤子|茶杯|木製桌子|藍色毛巾|湯匙|大號馬克杯|功能許可",
    "Korean": "주방 칼|하얀 접시|찻잔|나무 탁자|파란 수건|숟가락|큰 머그컵|포크",
}


def table(words: list[str], delimiter: str = ";") -> list[list[str]]:
    return [["sku", "name", "price"], *[[f"A{i}", word, f"{i}.50"] for i, word in enumerate(words * 3)]]


def read(data: bytes) -> tuple[list[list[str]], int, str]:
    """All cells, the number of rejected lines, the encoding."""
    reader = TableReader(io.BytesIO(data))
    rows = [row for block in reader.blocks() for row in block]
    return [reader.seen.header, *rows], reader.rejected, reader.seen.dialect.encoding


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        ("German", "cp1252"), ("French", "cp1252"), ("Spanish", "cp1252"), ("Danish", "cp1252"),
        ("Italian", "cp1252"), ("Portuguese", "cp1252"), ("signs", "cp1252"), ("German", "mac-roman"),
        ("French", "mac-roman"), ("German", "cp850"), ("Polish", "cp1250"), ("Polish", "iso-8859-2"),
        ("Czech", "cp1250"), ("Czech", "iso-8859-2"), ("Hungarian", "cp1250"), ("Russian", "cp1251"),
        ("Russian", "koi8-r"), ("Greek", "cp1253"), ("Turkish", "cp1254"), ("Japanese", "cp932"),
        ("Japanese", "euc-jp"), ("Chinese", "gb18030"), ("Taiwanese", "cp950"), ("Korean", "cp949"),
    ],
)  # fmt: skip
def test_encoding_of_a_shop_of_each_country_is_told(language: str, encoding: str) -> None:
    rows = table(WORDS[language].split("|"))
    data = "".join(";".join(row) + "\r\n" for row in rows).encode(encoding)

    assert read(data) == (rows, 0, encoding)


def test_euro_of_latin9_is_told_from_the_currency_sign() -> None:
    assert read("sku,name\nA,Öl für 5 €\nB,Käse 3 €\n".encode("iso-8859-15"))[0][1] == ["A", "Öl für 5 €"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_encoding_that_is_offered_can_be_given(encoding: str) -> None:
    seen = inspect(io.BytesIO("sku,name\nA,Pot\n".encode(encoding)), encoding=encoding)

    assert (seen.dialect.encoding, seen.rows) == (encoding, [["A", "Pot"]])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_bytes_of_line_ends_never_belong_to_another_character(encoding: str) -> None:
    """Files are cut at them before they are decoded."""
    for lead in range(128, 256):
        for trail in (b"", b"0", b"\x30\x81", b"A", b"\x81", b"\xa1", b"\xff"):
            for end in (b"\n", b"\r"):
                text = (bytes([lead]) + trail + end + b"x").decode(encoding, "surrogateescape")
                assert text.endswith(end.decode() + "x"), (lead, trail)


@pytest.mark.parametrize(
    ("good", "bad", "other"),
    [("Käse", "K\xe4se".encode("latin-1"), 1), ("Käse", "Größe".encode("cp1252"), 40)],
)
def test_lines_in_a_second_encoding_are_rejected_and_all_others_land(
    good: str, bad: bytes, other: int
) -> None:
    data = f"sku,name\nA,{good}\n".encode() + (b"B," + bad + b"\n") * other + f"C,{good}\nD,Pan\n".encode()
    rows, rejected, encoding = read(data)

    assert (rows[1:], rejected, encoding) == ([["A", good], ["C", good], ["D", "Pan"]], other, "utf-8")


def test_line_of_broken_japanese_is_rejected_alone() -> None:
    words = WORDS["Japanese"].split("|")
    lines = [";".join(row).encode("cp932") for row in table(words)]
    lines[5] = b"A4;\x82;4.50"
    rows, rejected, encoding = read(b"\n".join(lines))

    assert (encoding, rejected, rows) == ("cp932", 1, table(words)[:5] + table(words)[6:])


def test_encoding_that_shows_behind_the_sample_is_told() -> None:
    plain = b"A,Pot\n" * 400_000
    tail = "".join(f"B,{word}\n" for word in WORDS["Russian"].split("|"))
    rows, rejected, _ = read(b"sku,name\n" + plain + tail.encode("cp1251"))

    assert (rejected, rows[-1]) == (0, ["B", "Вилка"])


def test_short_names_leave_the_language_out() -> None:
    assert [short_name(name) for name in ("utf-8", "cp932")] == ["UTF-8", "Shift-JIS"]


@given(st.binary(max_size=400), st.integers(1, 40))
@settings(deadline=None, max_examples=150)
def test_any_bytes_have_an_encoding_that_is_offered(data: bytes, size: int) -> None:
    evidence = EncodingEvidence()
    for start in range(0, len(data), size):
        evidence.feed(data[start : start + size])

    assert evidence.finish() in ENCODINGS


@given(
    lines=st.lists(st.binary(max_size=12), max_size=30),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    piece=st.integers(1, 40),
)
def test_lines_split_by_pieces_are_those_split_at_once(lines: list[bytes], end: bytes, piece: int) -> None:
    data = end.join(lines)
    whole = data.split(end)
    if not whole[-1]:  # what follows the last line end is no line
        whole.pop()
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(encoding, "_PIECE", piece)
        assert [line for some in split_lines(data, end) for line in some] == whole
