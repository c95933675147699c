"""Whom the invoice is for: who gets the goods, unless the customer says otherwise."""

from __future__ import annotations

import re
from decimal import Decimal
from html import escape, unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from invoices.models import Document
from notifications.models import Message
from shop.models import DeliveryMethod, Order, Product, TaxRate
from tests.shop.buying import add, check_out, filled_in, told
from tests.shop.factories import a_product
from tests.shop.orders import findings
from tests.shop.shopping import opened

pytestmark = pytest.mark.django_db
OTHER = {
    "billing": "other",
    "billing-name": "Robin Roe",
    "billing-company": "Roe & Sons <Ltd>",
    "billing-line1": "Rue 2",
    "billing-postcode": "75001",
    "billing-city": "Paris",
    "billing-country": "FR",  # no parcel goes there
}
WRITTEN = ["Robin Roe", "Roe & Sons <Ltd>", "Rue 2", "75001 Paris", "France"]


@pytest.fixture
def bowl(client: Client) -> Product:
    """A bowl in the client's cart; the post brings it to Switzerland, where it is taxed by 10 %."""
    DeliveryMethod.objects.create(code="post", name="Post", countries=["CH"])
    TaxRate.objects.create(country="CH", percent=10)
    TaxRate.objects.create(country="FR", percent=20)
    product = a_product(sku="BOWL", slug="bowl", name="Bowl", price=Decimal(10), stock=9)
    add(client, product)
    return product


def test_invoice_goes_where_the_goods_go_unless_told_otherwise(client: Client, bowl: Product) -> None:
    page = check_out(client, **(OTHER | {"billing": "same", "billing-country": "?"}))
    order = Order.objects.get()

    assert order.billing_address == order.shipping_address
    assert "Invoice goes to" not in opened(client, page.headers["Location"])
    assert Message.objects.filter(text__contains="Invoice goes to").count() == 0


def test_other_address_stands_wherever_addresses_stand(
    client: Client, admin_client: Client, bowl: Product
) -> None:
    there = check_out(client, **OTHER).headers["Location"]
    order = Order.objects.get()
    page, staff = opened(client, there), admin_client.get(f"/admin/shop/order/{order.pk}/change/").text
    said, mail = Document.objects.get().content, Message.objects.get(kind="order_placed")

    assert (order.shipping_address["name"], order.billing_address["name"]) == ("Kim Doe", "Robin Roe")
    assert (order.total, findings()) == (Decimal("11.00"), [])
    assert f'<address dir="auto">{"<br>".join(map(escape, WRITTEN))}</address>' in page
    assert "Roe &amp; Sons &lt;Ltd&gt;" in staff[staff.index("Invoice to") :]
    assert (said["to"], said["sent_to"][0]) == (WRITTEN, "Kim Doe")
    assert "\n\nInvoice goes to:\n" + "\n".join(WRITTEN) + "\n" in mail.text
    assert "Roe &amp; Sons &lt;Ltd&gt;" in mail.html[mail.html.index("Invoice goes to") :]


@pytest.mark.parametrize(
    ("name", "city"), [("Đặng Thị Hà", "Hà Nội"), ("محمد علي", "القاهرة"), ("李小龍", "香港")]
)
def test_other_address_may_be_in_any_script(client: Client, bowl: Product, name: str, city: str) -> None:
    there = check_out(client, **OTHER | {"billing-name": f" {name}\t", "billing-city": city})

    billing = Order.objects.get().billing_address
    assert (billing["name"], billing["city"]) == (name, city)
    assert f"{name}<br>" in opened(client, there.headers["Location"])


@pytest.mark.parametrize(
    ("said", "messages"),
    [
        (
            dict.fromkeys(OTHER, " ") | {"billing": "other"},
            [
                "Who shall the invoice be made out to?",
                "Which street and number?",
                "Which city?",
                "Which country?",
            ],
        ),
        ({"billing-name": "R\0"}, ["Name: this has a character that can't be printed."]),
        ({"billing-city": "x" * 121}, ["City: 120 characters are the most."]),
        ({"billing-country": "ZZ"}, ["Which country?"]),
    ],
)
def test_what_is_missing_is_told_and_what_was_typed_stays(
    client: Client, bowl: Product, said: dict[str, str], messages: list[str]
) -> None:
    form = filled_in(client, **OTHER | {"billing-line2": "Door 3"}) | said

    page = client.post("/checkout/", form).text
    again = client.post("/checkout/", {**form, "update": "1"}).text

    assert [one for one in told(page) if not one.startswith("Nothing is ordered")] == messages
    assert Order.objects.count() == 0
    for shown in (page, again):
        assert ('value="Door 3"' in shown, 'value="other" checked' in shown) == (True, True)
    assert told(again) == []


def test_form_with_another_billing_address_is_another_form(client: Client, bowl: Product) -> None:
    form = filled_in(client, **OTHER)
    client.post("/checkout/", form)

    answer = client.post("/checkout/", {**form, "billing": "same"})

    assert (answer.status_code, Order.objects.get().billing_address["name"]) == (409, "Robin Roe")


@pytest.mark.parametrize("last", ["other", "same"])
def test_customer_finds_both_addresses_next_time(client: Client, bowl: Product, last: str) -> None:
    client.force_login(User.objects.create_user("kim", email="kim@example.org"))
    add(client, bowl)
    check_out(client, **OTHER | {"billing": last})
    add(client, bowl)

    page = unescape(opened(client, "/checkout/"))

    assert re.findall('name="billing" value="([^"]*)" checked', page) == [last]
    assert ('value="Roe & Sons <Ltd>"' in page, 'value="FR" selected' in page) == (
        last == "other",
        last == "other",
    )


def test_same_address_typed_twice_is_one(client: Client, bowl: Product) -> None:
    names = ("name", "line1", "city", "postcode", "country")
    form = filled_in(client, phone="+41 1")
    check_out(client, phone="+41 1", billing="other", **{f"billing-{name}": form[name] for name in names})

    order: Any = Order.objects.get()
    assert (order.billing_address, order.bill_to) == (order.shipping_address, {})
