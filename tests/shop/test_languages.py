"""The storefront in the reader's language: the browser's at first, then the one that was chosen."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext

from config import translations
from shop import caching
from shop.languages import apart
from shop.models import DeliveryMethod
from tests.shop.buying import add, check_out, told
from tests.shop.factories import a_category, a_product
from tests.shop.shopping import index_all, opened

pytestmark = pytest.mark.django_db
SHOP = "http://testserver"
HTML = re.compile(r'<html lang="(\w+)" dir="(\w+)">')


def language_of(page: str) -> tuple[str, str]:
    """Language and direction, as the page says them."""
    found = HTML.search(page)
    assert found
    return found[1], found[2]


def choose(client: Client, language: str, page: str = "/", **said: str) -> Any:
    """Press the language's button in the footer of a page."""
    here = f"{SHOP}{page}"
    return client.post("/language/", {"language": language, **said}, headers={"Referer": here})


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", ("en", "ltr")),
        ("de-AT,en;q=0.5", ("de", "ltr")),
        ("fr", ("fr", "ltr")),
        ("es-MX", ("es", "ltr")),
        ("ar-EG", ("ar", "rtl")),
        ("sv,pt;q=0.9", ("en", "ltr")),
    ],
)
def test_first_visit_is_in_the_browsers_language(
    client: Client, accepted: str, language: tuple[str, str]
) -> None:
    answer = client.get("/cart/", headers={"Accept-Language": accepted})

    assert (language_of(answer.text), answer["Content-Language"]) == (language, language[0])
    vary = {name.strip() for name in answer["Vary"].split(",")}
    assert {"Accept-Language", "Cookie"} <= vary


def test_chosen_language_stays_on_all_pages_whatever_the_browser_says() -> None:
    client = Client(headers={"Accept-Language": "fr"})
    a_product(slug="bowl", name="Bowl", price=Decimal("1299.5"), category=a_category("Home"))
    index_all()

    answer = choose(client, "de", "/?q=bowl&sort=price")

    assert (answer.status_code, answer["Location"]) == (302, f"{SHOP}/?q=bowl&sort=price")
    pages = {path: opened(client, path) for path in ("/", "/p/bowl/", "/cart/", "/account/login/")}
    assert {path: language_of(page) for path, page in pages.items()} == dict.fromkeys(pages, ("de", "ltr"))
    assert (re.search(r"\s1 Produkt\s", pages["/"]) is not None, "1.299,50\xa0€" in pages["/"]) == (
        True,
        True,
    )
    assert "Ausverkauft" in pages["/p/bowl/"]
    lost = client.get("/nothing").text
    assert (language_of(lost), "Diese Seite gibt es nicht" in lost) == (("de", "ltr"), True)


def test_page_that_answers_a_form_leads_back_to_one_that_can_be_opened(client: Client) -> None:
    answer = client.post("/cart/add/", {"product": "none", "quantity": "1"})
    leads_to = re.search(r'name="next" value="([^"]*)"', answer.text)

    assert leads_to
    assert choose(client, "ar", "/cart/add/", next=leads_to[1])["Location"] == "/cart/"


def test_choosing_a_language_leads_nowhere_else(client: Client) -> None:
    answer = choose(client, "de", next="https://elsewhere.example/")

    assert answer["Location"] == f"{SHOP}/"


def test_kept_pages_do_not_leak_into_other_languages() -> None:
    shirt = a_product(slug="shirt", name="Shirt", price=20)
    a_product(parent=shirt, sku="S", name="Small", options={}, price=20)
    index_all()
    clients = {code: Client(headers={"Accept-Language": code}) for code in ("en", "ar", "de")}

    for _ in range(2):  # made, then kept
        for code, client in clients.items():
            pages = opened(client), opened(client, "/p/shirt/")
            assert {language_of(page)[0] for page in pages} == {code}
            with translation.override(code):
                words = [gettext("All products"), gettext("Variant")]
            assert [word in page for word, page in zip(words, pages, strict=True)] == [True, True]


def test_what_is_kept_is_kept_for_each_language() -> None:
    said = {}
    for code in ("de", "ar", "de"):
        with translation.override(code):
            said[code] = caching.remembered("x", version=1, make=lambda: gettext("Cart"))

    assert said == {"de": "Warenkorb", "ar": "السلة"}


def test_admin_stays_english(admin_client: Client) -> None:
    choose(admin_client, "ar")

    shop, admin = admin_client.get("/").text, admin_client.get("/admin/shop/order/").text

    assert language_of(shop) == ("ar", "rtl")
    assert ('lang="en"' in admin, 'dir="rtl"' in admin, "السلة" in admin) == (True, False, False)


def test_refusals_are_in_the_readers_language(client: Client) -> None:
    bowl = a_product(sku="BOWL", name="Bowl", price=10, stock=3)
    DeliveryMethod.objects.create(code="post", name="Post", fee=5, countries=["CH"])
    choose(client, "de")

    assert told(add(client, bowl, "x").text) == [
        "Bowl: Bitte geben Sie die gewünschte Menge als ganze Zahl ein, zum Beispiel 2."
    ]
    add(client, bowl, 5)
    assert "Bowl: nur noch 3 da, und Sie haben 5 im Warenkorb." in told(opened(client, "/cart/"))
    add(client, bowl, 20_000)
    refused = check_out(client, name="", email="kim", discount="none")
    assert told(refused.text)[1:] == [
        "Bowl: nur noch 3 da, und Sie haben 5 im Warenkorb.",
        "Das sieht nicht wie eine E-Mail-Adresse aus; eine solche lautet etwa kim@example.com.",
        "Für wen ist die Bestellung?",
        "Der Rabattcode NONE ist nicht oder nicht mehr gültig. Nehmen Sie ihn heraus, dann können"
        " Sie ohne ihn bestellen.",
    ]


def test_payment_that_is_refused_is_told_in_whatever_language_its_order_is_looked_at(client: Client) -> None:
    bowl = a_product(sku="BOWL", price=10, stock=3)
    DeliveryMethod.objects.create(code="post", name="Post", fee=5, countries=["CH"])
    add(client, bowl)
    order = check_out(client, card_number="4000 0000 0000 9995")["Location"]

    pages = {}
    for code in ("en", *translations.languages()):
        choose(client, code)
        pages[code] = unescape(opened(client, order))

    assert {code: text in pages[code] for code, text in LITTLE_MONEY.items()} == dict.fromkeys(pages, True)


LITTLE_MONEY = {
    "en": "The card has too little money left. Nothing was charged.",
    "de": "Auf der Karte ist nicht genug Geld. Es wurde nichts abgebucht.",
    "fr": "Le solde de la carte est insuffisant. Rien n’a été débité.",
    "es": "La tarjeta no tiene saldo suficiente. No se ha cobrado nada.",
    "ar": "رصيد البطاقة غير كافٍ. لم يُخصم أي مبلغ.",
}


def test_words_of_the_other_direction_are_kept_apart() -> None:
    with translation.override("ar"):
        assert apart("20457 Hamburg") == "\u206820457 Hamburg\u2069"
    with translation.override("en"):
        assert (apart("20457 Hamburg"), apart("\u2069محمد")) == (
            "20457 Hamburg",
            "\u2068محمد\u2069",
        )
