"""Reports in the language that they are asked for: what people read is in it, what programs read is not."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_date
from babel.numbers import format_currency
from django.utils import timezone, translation
from pypdf import PdfReader

from reports import rendering
from reports.answering import answer
from reports.catalogue import REPORTS
from reports.periods import Period
from reports.questions import Comparison, Grouping, Question
from reports.rendering import Format
from reports.results import Answer
from reports.wording import said
from tests.invoices.reading import glyphs_of
from tests.notifications.conftest import ended_run
from tests.reports.selling import GivenBack, Sale, Ware, sell
from tests.shop.factories import a_product

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def sold() -> None:
    """Two orders, with delivery and a refund; something in stock."""
    a_product(sku="MUG", stock=3)
    paid = timezone.now() - timedelta(minutes=5)
    wares = [(Ware("MUG", "Home"), 2, Decimal(10))]
    sell(Sale(paid, wares, fee=Decimal(4), refunds=[GivenBack(30, 1)]))
    sell(Sale(paid, [(Ware("POT", ""), 1, Decimal(30))], country="DE", email="bo@example.com"))


def asked(language: str, report: str = "sales", by: Grouping = Grouping.DAY, **more: Any) -> Answer:
    today = timezone.now().astimezone(BERLIN).date()
    days = Period(today - timedelta(days=2), today, BERLIN)
    return answer(Question(report, days, by, language=language, **more))


def file(found: Answer, format: Format) -> bytes:
    out = io.BytesIO()
    rendering.render(found, format, out)
    return out.getvalue()


def words(found: Answer) -> Iterator[str]:
    """All of a report's own, but for those in its rows."""
    yield str(found.title)
    yield from map(str, found.notes)
    yield from (str(figure.label) for figure in found.figures)
    for chart in found.charts:
        yield from [str(chart.title), *(str(series.name) for series in chart.series)]
    for table in found.tables:
        yield from [str(table.title), str(table.note), *(str(column.title) for column in table.columns)]
        heads = table.total.cells[0] if table.total else ""
        yield str(heads)


@pytest.mark.parametrize("report", ["sales", "stock", "imports", "mails"])
def test_no_word_of_a_report_stays_english(report: str) -> None:
    ended_run()
    known = REPORTS[report]
    for by in known.groupings:
        compare = Comparison.PREVIOUS if known.compares else Comparison.NONE
        english, arabic = (asked(language, report, by, compare=compare) for language in ("en", "ar"))
        with translation.override("ar"):
            translated = [*words(said(arabic)), str(known.name)]

        pairs = zip([*words(english), str(known.name)], translated, strict=True)
        assert (by, [one for one, other in pairs if one == other and one]) == (by, [])


@pytest.mark.parametrize("by", [Grouping.LINES, Grouping.PRODUCT, Grouping.COUNTRY, Grouping.CATEGORY])
def test_files_for_programs_are_the_same_in_any_language(by: Grouping) -> None:
    english, arabic = asked("en", by=by), asked("ar", by=by)
    arabic = replace(arabic, made_at=english.made_at)

    assert file(arabic, Format.CSV) == file(english, Format.CSV)
    theirs, ours = (json.loads(file(one, Format.JSON)) for one in (asked("ar", by=by), english))
    assert (theirs["report"].pop("language"), ours["report"].pop("language")) == ("ar", "en")
    del theirs["made_at"], ours["made_at"]
    assert theirs == ours


def test_arabic_files_for_people_are_arabic_and_from_the_right() -> None:
    lines, countries = (asked("ar", by=by) for by in (Grouping.LINES, Grouping.COUNTRY))

    page = file(lines, Format.HTML).decode()
    assert '<html lang="ar" dir="rtl">' in page
    assert ("التوصيل: " in page, "مبلغ مُعاد: " in page, "Delivery" in page) == (True, True, False)
    assert "ألمانيا" in file(countries, Format.HTML).decode()
    with zipfile.ZipFile(io.BytesIO(file(countries, Format.XLSX))) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name]
        texts = "".join(sheets)
        names = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
    assert [sheet.count('rightToLeft="1"') for sheet in sheets] == [1] * len(sheets)
    assert names == ["الملخص", "الرسوم البيانية", "حسب البلد"]
    assert ("ألمانيا" in texts, "الإجمالي" in texts) == (True, True)
    reader = PdfReader(io.BytesIO(file(countries, Format.PDF)))
    assert (reader.trailer["/Root"]["/Lang"], 0 in glyphs_of(reader)) == ("ar", False)


def test_german_pdf_is_german_with_its_days_and_amounts() -> None:
    found = asked("de")
    reader = PdfReader(io.BytesIO(file(found, Format.PDF)))

    text = " ".join("\n".join(page.extract_text() for page in reader.pages).split())
    day = format_date(timezone.now().astimezone(BERLIN).date(), "medium", locale="de")
    amount = format_currency(found.figures[0].value, found.currency, locale="de").replace("\xa0", " ")
    for part in ("Umsatz", "Nach Tag", "Bestellungen", "Was gezählt wurde", "Seite 1 von", day, amount):
        assert (part, part in text) == (part, True)
    assert reader.trailer["/Root"]["/Lang"] == "de"
