"""Who gets which invoice: customers by their order's link, staff by permission."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client

from invoices.models import Document
from shop import personal_data
from shop.models import Order
from tests.shop.orders import a_paid_order, refund
from tests.shop.staffing import page_of, staff, text_of

pytestmark = pytest.mark.django_db


def test_customer_gets_the_papers_of_the_order_and_of_no_other(client: Client) -> None:
    order, other = a_paid_order({"KNIFE": 1}), a_paid_order({"KNIFE": 1})
    refund(order, "5.00")
    here = f"/orders/{order.token}"

    page = client.get(f"{here}/").text
    for address, name in ((f"{here}/invoice-1.pdf", "INV-00001"), (f"{here}/credit-note-1.pdf", "CN-00001")):
        assert f'href="{address}"' in page
        answer = client.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
        assert answer["Content-Disposition"] == f'attachment; filename="{name}.pdf"'
        assert (answer.content[:5], answer["X-Robots-Tag"][:7]) == (b"%PDF-", "noindex")
        assert "no-store" in answer["Cache-Control"]

    wrong = [f"{here}/invoice-2.pdf", f"{here}/invoice-0.pdf", f"/orders/{other.token}/invoice-1.pdf"]
    wrong += [f"/orders/{'x' * 32}/invoice-1.pdf", f"{here}/invoice-{'9' * 18}.pdf"]
    assert [client.get(address).status_code for address in wrong] == [404] * 5
    assert client.post(f"{here}/invoice-1.pdf").status_code == 405


def test_link_ends_when_the_customers_data_is_erased(client: Client) -> None:
    order = a_paid_order({"KNIFE": 1})
    refund(order, "19.99")
    kim = personal_data.of_address("kim@example.com")
    assert kim is not None
    personal_data.erase(kim)

    assert client.get(f"/orders/{order.token}/invoice-1.pdf").status_code == 404
    assert "invoice-1.pdf" not in client.get(f"/orders/{order.token}/").text
    document = Document.objects.get(kind="invoice")
    assert staff("view_document").get(f"/admin/invoices/document/{document.pk}/pdf/").status_code == 200


def test_staff_find_invoices_by_their_number_or_the_orders() -> None:
    order, other = a_paid_order({"KNIFE": 1}), a_paid_order({"KNIFE": 1})
    clerk = staff("view_document", "view_order")

    def found(words: str) -> list[str]:
        page = text_of(clerk.get("/admin/invoices/document/", {"q": words}))
        return [name for name in ("INV-00001", "INV-00002") if f"{name} " in page]

    assert found("") == ["INV-00001", "INV-00002"]
    for words in ("INV-00001", "inv-00001", "1", str(order.number)):
        assert (words, found(words)) == (words, ["INV-00001"])
    assert [found(words) for words in ("nobody", "CN-00001", "9" * 30)] == [[], [], []]
    assert "19.99 EUR" in text_of(clerk.get(f"/admin/invoices/document/{other.documents.get().pk}/change/"))


def test_orders_page_shows_its_invoices_to_those_who_may_see_them() -> None:
    order = a_paid_order({"KNIFE": 1})
    link = f'href="/admin/invoices/document/{order.documents.get().pk}/pdf/"'

    shown = {
        name: link in staff(*permissions, name=name).get(page_of(order)).text
        for name, permissions in {"both": ("view_order", "view_document"), "one": ("view_order",)}.items()
    }

    assert shown == {"both": True, "one": False}


def test_order_without_invoice_says_when_it_comes(client: Client) -> None:
    order = Order.objects.get(pk=a_paid_order({"KNIFE": 1}).pk)
    assert client.get(f"/orders/{order.token}/").text.count("<h2>Invoices</h2>") == 1


def test_deploy_check_asks_who_sells(settings: Any) -> None:
    def warnings() -> list[str]:
        return [one.msg for one in run_checks(include_deployment_checks=True) if one.id == "invoices.W001"]

    assert warnings() == []
    settings.SELLER_VAT_ID = ""  # not every seller has one
    assert warnings() == []
    settings.SELLER_ADDRESS = ""
    assert warnings() == ["Invoices are issued without the seller's address: SELLER_ADDRESS is empty."]
