"""What the PDF says, in which scripts, and that it can be read to somebody."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from invoices import rendering, wording
from invoices.models import Document
from shop.models import DeliveryMethod, DiscountCode
from shop.placing import Address
from shop.printing import glyphs
from tests.invoices.reading import amounts_in, glyphs_of, read, text_of
from tests.shop.factories import a_product
from tests.shop.orders import ADDRESS, a_paid_order, a_payment, an_order, refund

pytestmark = pytest.mark.django_db

NAMES = {
    "Latin": "Þórunn Ångström-Nguyễn",
    "Cyrillic": "Зоя Їжакевич",
    "Greek": "Εὐάγγελος",
    "Arabic": "محمد الهاشمي",
    "Hebrew": "שרה כהן",
    "Han": "王小明",
    "Kana": "さくら タナカ",
    "Hangul": "김민수",
    "Devanagari": "सीता क्षत्रिय",
    "Thai": "สมชาย ใจดี",
    "Bengali": "রবি",
    "Tamil": "பொன்னி",
    "Georgian": "ქეთევანი",
    "Armenian": "Անահիտ",
    "Ethiopic": "አበበ",
    "Khmer": "សុខា",
    "Myanmar": "အောင်",
    "Emoji": "👩‍💻 ★",
}


@pytest.fixture
def priced() -> None:
    DeliveryMethod.objects.create(code="post", name="Post", fee="4.90")
    DiscountCode.objects.create(code="TEN", percent=10)


@pytest.mark.parametrize("included", [True, False])
def test_invoice_has_the_amounts_of_the_order_to_the_cent(
    priced: None, included: bool, settings: Any
) -> None:
    settings.PRICES_INCLUDE_TAX = included
    order = a_paid_order({"KNIFE": 3, "FORK": 1_250}, discount="TEN")

    text = text_of(read(Document.objects.get()))

    fork, knife = order.lines.all()
    tax = [] if included else [order.tax]
    assert amounts_in(text) == [
        *(fork.price, fork.subtotal, knife.price, knife.subtotal),
        *(order.subtotal, -order.discount, order.delivery, *tax, order.total),
        *(order.net, order.tax, order.total),
    ]
    assert ("1,250 €5.55 19% €6,937.50" in text, "Prices include tax." in text) == (True, included)
    for said in ("INV-00001", f"Order {order.number}, ", "Kim Doe", "20457 Hamburg", "VAT ID DE123456789"):
        assert said in text


def test_credit_note_has_the_amounts_of_the_refund() -> None:
    order = a_paid_order({"KNIFE": 2})
    refund(order, "19.99", restock={"KNIFE": 1})

    text = text_of(read(Document.objects.get(kind="credit_note")))

    assert amounts_in(text) == [Decimal(one) for one in ("19.99", "16.80", "3.19", "19.99")]
    assert "Credit note CN-00001" in text
    assert "For invoice INV-00001, " in text
    assert "Bread knife (Size: L), KNIFE 1\n" in text


def test_invoice_to_be_paid_by_transfer_says_how() -> None:
    order = an_order({"KNIFE": 1})
    a_payment(order, gateway="invoice", awaiting=True)
    order.refresh_from_db()

    until = order.expires_at.strftime("%B %-d, %Y")
    assert (
        f"Please transfer €19.99 until {until}, with the reference “Order {order.number}”.\n"
        "Account: DE02 1203 0000 0000 2020 51\n"
    ) in text_of(read(Document.objects.get()))


def test_both_addresses_and_the_way_to_pay_stand_on_the_invoice_in_its_language() -> None:
    payer = Address(name="Robin Roe", company="Roe & Sons", line1="Rue 2", city="Paris", country="FR")
    a_paid_order({"KNIFE": 1}, language="de", billing=payer)

    text = text_of(read(Document.objects.get()))

    assert re.search(r"Robin Roe\s+Roe & Sons\s+Rue 2\s+Paris\s+Frankreich", text)
    assert re.search(r"Lieferadresse\s+Kim Doe, Main Street 1, 3000 Bern, Schweiz", text)
    assert re.search(r"Bezahlt am .*: Testkarte\.", text)


def test_long_invoice_has_its_heads_and_numbers_on_every_page() -> None:
    for number in range(90):
        a_product(sku=f"P-{number:02d}", stock=1)
    a_paid_order({f"P-{number:02d}": 1 for number in range(90)})

    pages = [page.extract_text() for page in read(Document.objects.get()).pages]

    assert len(pages) > 2
    for at, page in enumerate(pages, 1):
        assert f"Page {at} of {len(pages)}" in page
    assert all("Product Quantity Price Tax Amount" in page for page in pages[:-1])
    assert [f"P-{number:02d}" in "".join(pages) for number in range(90)] == [True] * 90


def test_names_in_any_script_are_printed_without_an_empty_box() -> None:
    a_product(sku="ALL", name=" / ".join(NAMES.values()), price=1, stock=1)
    person = Address(name=NAMES["Arabic"], company=NAMES["Han"], line1="1", city=NAMES["Thai"], country="CH")
    a_paid_order({"ALL": 1}, address=person)

    reader = read(Document.objects.get())

    assert 0 not in glyphs_of(reader)
    text = text_of(reader)
    printed = {script: set(name.replace(" ", "")) <= set(text) for script, name in NAMES.items()}
    # Signs that melt into one glyph, or stand before the letter that they follow, are read as such.
    assert {script for script, whole in printed.items() if not whole} <= {"Devanagari", "Khmer", "Myanmar"}
    assert [glyphs.printable(name) for name in NAMES.values()] == list(NAMES.values())
    assert glyphs.printable(" 1\u202f250,00\xa0€ \n a") == "1\u202f250,00\xa0€ a"


def test_what_no_font_has_does_not_keep_an_invoice_from_being_made() -> None:
    odd = "a\u093f \U00020bb7 \ue000 \x07 \u202e \U0001f1e9\U0001f1ea e\u0301\u0e34 \ud7a4"
    a_product(sku="ODD", name=odd, price=1, stock=1)
    a_paid_order({"ODD": 1}, address=Address(**{**vars_of(ADDRESS), "name": odd}))

    reader = read(Document.objects.get())

    assert 0 not in glyphs_of(reader)
    assert "\na � 🇩🇪 é\nMain Street 1\n" in text_of(reader)


def vars_of(address: Address) -> dict[str, str]:
    return {name: getattr(address, name) for name in address.__slots__}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.text(max_size=12), min_size=60, max_size=60))
def test_any_text_can_be_printed(names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document.objects.first() or _any_document()
    words = {**wording.of(document), "notes": names}
    monkeypatch.setattr(wording, "of", lambda _: words)

    pdf = rendering.pdf_of(document)
    monkeypatch.undo()

    assert pdf.startswith(b"%PDF")


def _any_document() -> Document:
    a_paid_order({"KNIFE": 1})
    return Document.objects.get()


def test_pdf_is_tagged_and_tells_its_language_and_title(settings: Any) -> None:
    settings.MAIL_LANGUAGES = ["en", "ar"]
    for language in ("en", "ar"):
        a_paid_order({"KNIFE": 1}, language=language)

    found = []
    for document in Document.objects.order_by("pk"):
        reader = read(document)
        root = reader.trailer["/Root"]
        assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()
        assert (root["/MarkInfo"]["/Marked"], "/StructTreeRoot" in root) == (True, True)
        assert "INV-0000" in reader.metadata.title
        preferences = root["/ViewerPreferences"]
        found.append((root["/Lang"], preferences["/Direction"], preferences["/DisplayDocTitle"]))
    assert found == [("en", "/L2R", True), ("ar", "/R2L", True)]


def test_same_document_is_the_same_file_whoever_asks_in_whatever_language() -> None:
    document = _any_document()

    first = rendering.pdf_of(document)
    with translation.override("fr"):
        again = rendering.pdf_of(document)

    assert first == again
    assert len(first) < 100_000
