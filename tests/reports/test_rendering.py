"""Reports in every format: what they say, to the cent, whatever things are called."""

from __future__ import annotations

import csv
import io
import json
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from typing import Any
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from reports import as_page, as_xlsx, rendering
from reports.rendering import Format
from reports.results import Answer, Kind, Row
from reports.writing import Writer
from tests.invoices.reading import glyphs_of
from tests.reports.answers import (
    LINES,
    ODD_NAMES,
    an_answer,
    an_empty_answer,
    by_category,
    by_day,
    by_line,
    lines,
)

ANSWERS = {
    "by day": by_day,
    "of a single day": lambda: by_day(1),
    "of 400 days": lambda: by_day(400),
    "compared with nothing": lambda: by_day(compare=False),
    "in German": lambda: by_day(language="de"),
    "in Arabic": lambda: by_day(language="ar"),
    "by category": by_category,
    "empty": an_empty_answer,
    "of lines": lambda: by_line(lines(40)),
    "of nothing at all": an_answer,
}


def rendered(answer: Answer, format: Format) -> bytes:
    out = io.BytesIO()
    rendering.render(answer, format, out)
    return out.getvalue()


def csv_of(answer: Answer) -> list[list[str]]:
    return list(csv.reader(io.StringIO(rendered(answer, Format.CSV).decode(), newline="")))


def page_of(answer: Answer) -> str:
    return rendered(answer, Format.HTML).decode()


def texts_of(html: str) -> list[str]:
    """What stands in the cells of its tables."""
    cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", html)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in cells]


@pytest.mark.parametrize("name", ANSWERS)
def test_report_is_sound_in_every_format(name: str) -> None:
    answer = ANSWERS[name]
    title = answer().title

    assert json.loads(rendered(answer(), Format.JSON))["title"] == title
    assert f"<h1>{title}</h1>" in page_of(answer())
    book = CalamineWorkbook.from_filelike(io.BytesIO(rendered(answer(), Format.XLSX)))
    assert book.get_sheet_by_index(0).to_python()[0][0] == title
    reader = PdfReader(io.BytesIO(rendered(answer(), Format.PDF)))
    root = reader.trailer["/Root"]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()
    assert 0 not in glyphs_of(reader)
    assert len({len(row) for row in csv_of(answer())}) <= 1
    assert rendering.mail(answer()).text.startswith("Jan ") or "2026" in rendering.mail(answer()).text


def test_csv_has_raw_values_and_a_total() -> None:
    found = rendered(by_line(lines(2)), Format.CSV).decode()

    assert found == (
        "order_id,date,customer,product,sku,quantity,price,total\r\n"
        "10001,2026-02-01T06:30:00+01:00,kim0@example.com,كوب من الخزف,SKU-0,1,19.99,19.99\r\n"
        "10002,2026-02-01T06:30:01+01:00,kim1@example.com,Mug 🫖☕,SKU-1,2,19.99,39.98\r\n"
        "TOTAL,,,,,6,,119.94\r\n"
    )


def test_csv_has_what_was_before_and_how_it_changed() -> None:
    head, first, second, *_, total = csv_of(by_day())

    assert head[:8] == [
        *("day", "day_before", "orders", "orders_before", "orders_change"),
        *("gross", "gross_before", "gross_change"),
    ]
    assert first[:8] == ["2026-01-01", "2025-12-01", "5", "5", "0.0000", "225", "225", "0.0000"]
    assert second[5:] == ["332", "313.5", "0.0590", "0.0125", "0", "0.0125"]
    assert total[:8] == ["TOTAL", "", "331", "330", "0.0030", "13855.0", "13792.5", "0.0045"]


def test_no_name_becomes_a_formula() -> None:
    names = ["=1+1", " =1", "\t=1", "+1", "-1", "@a", "＝1", "\r\n=1", "plain", "a=1"]
    rows = [Row((1, None, name, name, name, 1, None, Decimal("-5.00"))) for name in names]
    answer = by_line(iter(rows))

    found = [(row[2], row[7]) for row in csv_of(answer)[1:-1]]
    sheet = rendered(by_line(iter(rows)), Format.XLSX)

    assert found == [(f"'{name}", "-5.00") for name in names[:-2]] + [(name, "-5.00") for name in names[-2:]]
    with zipfile.ZipFile(io.BytesIO(sheet)) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name]
    assert [text.count("<f>") for text in sheets] == [0] * len(sheets)
    read = CalamineWorkbook.from_filelike(io.BytesIO(sheet)).get_sheet_by_name("Order lines").to_python()
    assert [row[2].strip() for row in read[1:-1]] == [name.strip() for name in names]


def test_json_has_exact_amounts_and_echoes_the_question() -> None:
    answer = by_category()

    found = json.loads(rendered(answer, Format.JSON), parse_float=pytest.fail)

    assert found["report"] == answer.question.to_json()
    assert found["compared"] == {"first": "2025-01-01", "last": "2025-01-31"}
    assert found["figures"][0] == {
        "key": "gross", "label": "Gross", "kind": "money", "value": "112693.97", "before": "51000.00",
    }  # fmt: skip
    rows = found["tables"][0]["rows"]
    assert rows[1] == {
        "category": "Mug 🫖☕", "units": 3, "gross": "7178.57", "_depth": 1,
        "_before": {"category": "Mug 🫖☕", "units": 2, "gross": "3589.285"},
    }  # fmt: skip
    assert ("_before" in rows[0], rows[-1]["gross"]) == (False, "-1234.56")


def test_workbook_has_typed_cells_and_charts() -> None:
    content = rendered(by_day(), Format.XLSX)

    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["Summary", "Charts", "By day"]
    head, first, *_, total = book.get_sheet_by_name("By day").to_python()
    assert head[:5] == ["Day", "Day, before", "Orders", "Orders, before", "Orders, change"]
    assert [type(value).__name__ for value in first[:6]] == [
        "date",
        "date",
        "float",
        "float",
        "float",
        "float",
    ]
    assert (total[0], total[5]) == ("Total", 13855.0)
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        charts = [zipped.read(name).decode() for name in zipped.namelist() if "charts/chart" in name]
        table = zipped.read("xl/worksheets/sheet3.xml").decode()
        styles = zipped.read("xl/styles.xml").decode()
    assert [("Charts" in chart, "#,##0" in chart) for chart in charts] == [(True, True)] * 2
    assert re.findall(r'<autoFilter ref="([^"]+)"', table) == ["A1:K32"]
    assert 'state="frozen"' in table
    assert "&quot;€&quot;#,##0.00" in styles


def test_more_rows_than_a_sheet_takes_go_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_xlsx, "MOST_ROWS", 12)

    book = CalamineWorkbook.from_filelike(io.BytesIO(rendered(by_line(lines(25)), Format.XLSX)))

    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names[1:]]
    assert book.sheet_names == ["Summary", "Order lines", "Order lines (2)", "Order lines (3)"]
    assert [len(sheet) for sheet in sheets] == [11, 11, 7]
    assert [row[0] for sheet in sheets for row in sheet[1:]] == [*range(10_001, 10_026), "Total"]


@pytest.mark.parametrize("format", [Format.CSV, Format.JSON, Format.XLSX])
def test_memory_stays_flat_however_many_rows_there_are(format: Format) -> None:
    peaks = []

    def watched(count: int) -> Iterator[Row]:
        for at, row in enumerate(lines(count)):
            if at in (2_000, count - 1):
                peaks.append(tracemalloc.get_traced_memory()[1])
            yield row

    with open("/dev/null", "wb") as out:
        tracemalloc.start()
        rendering.render(by_line(watched(8_000)), format, out)
        tracemalloc.stop()

    early, late = peaks
    assert late - early < 500_000


def test_page_says_all_to_the_cent_in_the_language_of_the_question() -> None:
    english, german = texts_of(page_of(by_day())), texts_of(page_of(by_day(language="de")))

    # head, 31 days and the total, of a cell for each column and one for each change
    assert len(english) == 7 * 33
    assert english[7:14] == [
        "Jan 1, 2026 before: Dec 1, 2025", "5 before: 5", "= no change",
        "€225.00 before: €225.00", "= no change", "0% before: 0%", "= no change",
    ]  # fmt: skip
    assert german[-7:] == [
        "Gesamt", "331 vorher: 330", "▲ 0,3 % gestiegen um 0,3 %", "13.855,00 € vorher: 13.792,50 €",
        "▲ 0,5 % gestiegen um 0,5 %", "1,2 % vorher: 0 %", "▲ 1,2 PP gestiegen um 1,2 PP",
    ]  # fmt: skip


def test_long_table_is_cut_and_says_what_is_missing() -> None:
    known = as_page.fragment(by_day(31), most=10, whole="/all.csv")
    stream = as_page.fragment(by_line(lines(31)), most=10)
    fitting = as_page.fragment(by_line(lines(10)), most=10)

    assert '21 more rows are not shown here. <a href="/all.csv">All of them are in the CSV.</a>' in known
    assert "These are the first 10 rows; there are more. All of them are in the CSV." in stream
    assert "rp-more" not in fitting


def test_fragment_needs_no_inline_style_or_script_and_escapes_names() -> None:
    html = as_page.fragment(by_category())

    assert re.findall(r"style=|<style|<script|<b>bold", html) == []
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; co" in html
    assert re.findall(r'role="img" aria-labelledby="([^"]+)"', html) == ["chart-1-title chart-1-words"]
    chart = ElementTree.fromstring(re.findall(r"<svg.*?</svg>", html, re.DOTALL)[0])
    assert (chart[0].text, chart[1].tag) == ("Gross by category", "desc")
    assert str(chart[1].text).endswith("Category 4: €4,678.57; and 18 more.")


@pytest.mark.parametrize(
    ("kind", "value", "before", "said"),
    [
        (Kind.MONEY, Decimal(150), Decimal(100), "▲ 50% up 50%"),
        (Kind.MONEY, Decimal(-50), Decimal(100), "▼ 150% down 150%"),
        (Kind.MONEY, Decimal(5), Decimal(0), "✱ new new"),
        (Kind.MONEY, Decimal(-5), Decimal(0), "▼ down down"),
        (Kind.MONEY, Decimal(0), Decimal(0), "= no change no change"),
        (Kind.MONEY, Decimal(100_001), Decimal(100_000), "▲ <0.1% up <0.1%"),
        (Kind.MONEY, Decimal(5), Decimal(-5), "▲ up up"),
        (Kind.COUNT, 1, 3, "▼ 66.7% down 66.7%"),
        (Kind.SHARE, Decimal("0.02"), Decimal("0.01"), "▲ 1 pp up 1 pp"),
    ],
)
def test_change_is_told_by_a_sign_and_words(kind: Kind, value: Any, before: Any, said: str) -> None:
    change = Writer.of(an_answer()).change(kind, value, before)

    assert change is not None
    assert f"{change.arrow} {change.short} {change.words}" == said


def test_mail_says_the_same_in_html_and_text_with_its_charts_as_pictures() -> None:
    mail = rendering.mail(by_day(), whole="https://shop.example/whole")

    assert re.findall(r'src="cid:([^"]+)"', mail.html) == list(mail.images) == ["chart-1", "chart-2"]
    assert {content[:8] for content in mail.images.values()} == {b"\x89PNG\r\n\x1a\n"}
    words = " ".join(unescape(re.sub(r"<[^>]+>", " ", mail.html)).split())
    alternatives = [unescape(text) for text in re.findall(r'alt="([^"]+)"', mail.html)]
    for said in ("€13,855.00", "up 0.5%", "before: €13,792.50", "Jan 12, 2026", "19 more rows are not shown"):
        assert (said in words, said in mail.text) == (True, True)
    assert [text in mail.text for text in alternatives] == [True, True]
    assert ("https://shop.example/whole" in mail.html, mail.text.count("https://shop.example/whole")) == (
        True,
        1,
    )


def test_mail_leaves_a_stream_to_the_files() -> None:
    rows = lines(3)

    mail = rendering.mail(by_line(rows))

    assert len(list(rows)) == 3
    assert "The rows are in the files." in mail.text


def test_pdf_has_every_name_and_amount() -> None:
    reader = PdfReader(io.BytesIO(rendered(by_category(), Format.PDF)))
    text = "\n".join(page.extract_text() for page in reader.pages)

    assert [name in text for name in ("=cmd|' /C calc'!A1", "<b>bold</b> & co", "-20 % off")] == [True] * 3
    assert ("-€1,234.56" in text, "€112,693.97" in text, f"Page 1 of {len(reader.pages)}" in text) == (
        True,
    ) * 3


def test_file_is_named_after_what_it_answers() -> None:
    names = [rendering.file_name(by_day(), Format.CSV), rendering.file_name(by_line(lines(0)), Format.XLSX)]

    assert names == ["sales-by-day-2026-01-01-2026-01-31.csv", "sales-2026-01-01-2026-01-31.xlsx"]
    assert len(LINES) == 8
    assert ODD_NAMES[2].startswith("=cmd")
