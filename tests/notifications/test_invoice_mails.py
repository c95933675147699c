"""Invoices and credit notes in the mail: with their PDF or a link, and never without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from invoices.models import Document
from notifications import outbox
from notifications.models import Message
from shop.models import Order
from shop.printing import printer
from tests.notifications.conftest import Provider, attempt
from tests.shop.factories import a_product
from tests.shop.orders import a_paid_order, refund

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def goods(db: None, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.SITE_URL, settings.INVOICE_MAIL = "https://shop.example", "attach"
    a_product(sku="KNIFE", price=20, stock=9)


def mails(order: Order, kind: str) -> list[Message]:
    return list(Message.objects.filter(about=order.subject, kind=kind).order_by("pk"))


def test_invoice_is_attached_and_made_for_it(provider: Provider) -> None:
    order = a_paid_order({"KNIFE": 1})
    (mail,) = mails(order, "invoice")

    attempt(mail)
    attempt(outbox.resend(mail))

    document = Document.objects.get()
    assert (mail.subject, mail.event) == (
        f"Invoice INV-00001 for your order {order.number}",
        f"order/{order.number}/invoice",
    )
    assert "Invoice INV-00001 comes to €21.60. It is attached to this mail as a PDF.\n" in mail.text
    for sent in provider.mails:
        (file,) = sent.iter_attachments()
        assert (file.get_filename(), file.get_content_type()) == ("INV-00001.pdf", "application/pdf")
        assert file.get_content() == document.file.open().read()
    assert len(provider.mails) == 2


def test_each_refund_has_its_credit_note_in_the_mail(provider: Provider) -> None:
    order = a_paid_order({"KNIFE": 1})
    refund(order, "1.60")
    refund(order, "20")

    notes = mails(order, "credit_note")

    assert [(mail.event, mail.attachment) for mail in notes] == [
        (f"order/{order.number}/credit_note/{one.number}", one.subject)
        for one in Document.objects.filter(kind="credit_note").order_by("pk")
    ]
    assert "Credit note CN-00002 takes €20.00 off invoice INV-00001." in notes[1].text


def test_link_leads_to_the_pdf_and_nothing_is_attached(
    provider: Provider, settings: Any, client: Client
) -> None:
    settings.INVOICE_MAIL = "link"
    order = a_paid_order({"KNIFE": 1})
    (mail,) = mails(order, "invoice")

    attempt(mail)

    link = f"https://shop.example/orders/{order.token}/invoice-1.pdf"
    assert (f"\n{link}\n" in mail.text, f'href="{link}"' in mail.html) == (True, True)
    assert list(provider.mails[0].iter_attachments()) == []
    assert client.get(link.removeprefix("https://shop.example")).content.startswith(b"%PDF-")


def test_invoices_need_not_be_mailed(settings: Any) -> None:
    settings.INVOICE_MAIL = "none"

    order = a_paid_order({"KNIFE": 1})

    assert (mails(order, "invoice"), Document.objects.count()) == ([], 1)


def test_mail_waits_for_a_pdf_that_cannot_be_made(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import sys; sys.exit('no such font')")
    monkeypatch.setattr(printer, "_SCRIPT", broken)
    (mail,) = mails(a_paid_order({"KNIFE": 1}), "invoice")

    attempt(mail)
    assert (mail.state, mail.may_be_double, provider.mails) == ("queued", False, [])
    assert (
        mail.error == "The file that goes with it can't be had: INV-00001 could not be made: no such font\n"
    )

    monkeypatch.undo()
    attempt(mail)
    assert (mail.state, len(provider.mails)) == ("sent", 1)
