"""What is shown when something goes wrong: a page of the shop's, whatever else is gone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import translation

from config import error_pages
from tests.accounts.people import a_clerk

TITLES = {
    "en": "Something went wrong here",
    "de": "Hier ist etwas schiefgegangen",
    "fr": "Un problème est survenu chez nous",
    "es": "Algo ha fallado por nuestra parte",
    "ar": "حدث خطأ لدينا",
}


def careless() -> Client:
    """A client that gets what a browser gets, instead of the exception."""
    return Client(raise_request_exception=False)


def title(page: str) -> str:
    return re.findall("<h1>(.*)</h1>", page)[0]


# No test below has the database, so whatever asks it fails: first the page, then what tells of that.


@pytest.mark.parametrize("language", TITLES)
def test_failure_is_told_in_the_readers_language_without_the_database(language: str) -> None:
    answer = careless().get("/", headers={"Accept-Language": language})

    assert (answer.status_code, title(answer.text)) == (500, TITLES[language])
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in answer.text
    assert "tallyman/shop.css" in answer.text
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("gone", ["gettext", "override"])
def test_failure_is_told_in_english_where_nothing_else_works(
    monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    def broken(*_: Any) -> str:
        raise OSError("the catalogue can't be read: /srv/secret/path")

    monkeypatch.setattr(translation, gone, broken)

    answer = error_pages.server_error(RequestFactory().get("/"))

    assert (answer.status_code, title(answer.text)) == (500, TITLES["en"])
    assert "secret" not in answer.text


def test_damaged_request_is_told_so() -> None:
    answer = careless().get("/", headers={"Host": "elsewhere.example", "Accept-Language": "de"})

    assert (answer.status_code, title(answer.text)) == (400, "Das lässt sich nicht verstehen")


@pytest.mark.django_db
def test_forbidden_page_says_so_in_the_admins_english() -> None:
    client = Client(headers={"Accept-Language": "de"})
    client.force_login(a_clerk())

    answer = client.get("/admin/shop/order/")

    assert (answer.status_code, title(answer.text)) == (403, "This page is not for you")


@pytest.mark.django_db
def test_too_many_attempts_are_told_so(settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    client = Client(headers={"Accept-Language": "fr"})

    answers = [
        client.post("/account/login/", {"login": "kim@example.com", "password": "?"}) for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [200, 429]
    assert title(answers[1].text) == "Trop de tentatives"
