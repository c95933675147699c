"""Mails in the language that their reader chose in the shop, and what becomes of them when it breaks."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from babel.dates import format_date
from babel.numbers import format_currency
from django.test import Client
from django.utils import timezone

from config import translations
from notifications.models import Message
from shop.models import DeliveryMethod, Order, Product
from tests.accounts.people import sign_up
from tests.notifications.conftest import Provider, attempt
from tests.shop.buying import add, check_out
from tests.shop.factories import a_product
from tests.shop.orders import an_order

pytestmark = pytest.mark.django_db(transaction=True)
SUBJECTS = {
    "en": "We have your order {}",
    "de": "Ihre Bestellung {} ist bei uns eingegangen",
    "fr": "Nous avons reçu votre commande {}",
    "es": "Hemos recibido su pedido {}",
    "ar": "لقد استلمنا طلبك {}",
}


@pytest.fixture(autouse=True)
def goods(settings: Any, tmp_path: Path) -> None:
    settings.TEST_CARD_BOOKS, settings.STORE_CURRENCY = tmp_path / "test-card.sqlite3", "EUR"
    settings.INVOICE_MAIL = "none"  # another mail, by tests/notifications/test_invoice_mails.py
    DeliveryMethod.objects.create(code="post", name="Post", fee=5, countries=["CH"])
    a_product(sku="BOWL", name="Bowl", price=Decimal("1299.5"), stock=9)


@pytest.mark.parametrize("language", SUBJECTS)
def test_order_placed_in_a_language_is_confirmed_in_it(language: str, provider: Provider) -> None:
    client = Client(headers={"Accept-Language": "fi"})
    client.post("/language/", {"language": language})
    add(client, Product.objects.get())
    check_out(client, payment="invoice")

    order, mail = Order.objects.get(), Message.objects.get(kind="order_placed")
    attempt(mail)
    (arrived,) = provider.mails

    total = format_currency(order.total, "EUR", locale=language)
    day = format_date(timezone.localtime(order.placed_at), "long", locale=language)
    direction = "rtl" if language == "ar" else "ltr"
    assert (order.language, arrived["Subject"]) == (language, SUBJECTS[language].format(order.number))
    bodies = {part: arrived.get_body((part,)) for part in ("plain", "html")}
    for body in bodies.values():
        assert body
        text = unescape(body.get_content())
        assert (total in text, day in text) == (True, True)
    html = bodies["html"].get_content()  # type: ignore[union-attr]
    assert f'<html lang="{language}" dir="{direction}"' in html
    assert re.findall(r'<(?:body|table)[^>]* dir="(\w+)"', html) == [direction, direction]
    ends = re.findall(r'class="count[^"]*" style="[^"]*text-align: (\w+)', html)
    assert set(ends) == {"right" if direction == "ltr" else "left"}


def test_mail_of_an_account_is_in_the_language_of_the_page() -> None:
    client = Client()
    client.post("/language/", {"language": "ar"})
    sign_up(client)

    mail = Message.objects.get()
    assert mail.subject == "تأكيد عنوان بريدك الإلكتروني لدى Tallyman"
    assert ('lang="ar" dir="rtl"' in mail.html, "تصلك هذه الرسالة بسبب حسابك" in mail.html) == (True, True)


@pytest.fixture
def broken_arabic(settings: Any, tmp_path: Path) -> None:
    """Templates of an order's confirmation and of the account's mails that fail in Arabic."""
    here = "{% load i18n %}{% get_current_language as code %}"
    fails = here + '{% if code == "ar" %}{% url "no-such-page" %}{% endif %}'
    for name in ("notifications/order_placed/body.html", "account/email/email_confirmation_message.txt"):
        path = tmp_path / "templates" / name
        path.parent.mkdir(parents=True)
        path.write_text(f"{fails}fine")
    (own,) = settings.TEMPLATES
    settings.TEMPLATES = [own | {"DIRS": [tmp_path / "templates", *own["DIRS"]]}]


def test_template_that_fails_in_one_language_gives_way_to_english_and_is_reported(
    broken_arabic: None, caplog: pytest.LogCaptureFixture
) -> None:
    orders = {language: an_order({"BOWL": 1}, language=language) for language in SUBJECTS}

    subjects = {code: Message.objects.get(about=order.subject).subject for code, order in orders.items()}
    wanted = SUBJECTS | {"ar": SUBJECTS["en"]}
    assert subjects == {code: wanted[code].format(order.number) for code, order in orders.items()}
    reported = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert [("could not be rendered" in text, "'ar'" in text) for text in reported] == [(True, True)]


def test_mail_of_an_account_whose_template_fails_comes_in_english(
    broken_arabic: None, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(headers={"Accept-Language": "ar"})

    assert sign_up(client).status_code == 302

    mail = Message.objects.get()
    assert (mail.subject, 'lang="en" dir="ltr"' in mail.html) == (
        "Confirm your e-mail address at Tallyman",
        True,
    )
    assert "could not be rendered" in caplog.text


def test_arabic_leaves_an_address_and_a_name_that_begin_with_figures_whole() -> None:
    sold_out = a_product(sku="LAMP", name="60 W (E27)", price=3, stock=0)

    page = Client(headers={"Accept-Language": "ar"}).post(
        "/mails/stock/", {"product": str(sold_out.pk), "email": "123@example.com"}
    )

    mail = Message.objects.get()
    assert ("\u2068123@example.com\u2069" in page.text, "\u206860 W (E27)\u2069" in mail.text) == (True, True)
    assert "\u206860 W (E27)\u2069" in mail.html


def test_all_languages_have_a_subject_here() -> None:
    assert SUBJECTS.keys() == {"en", *translations.languages()}
