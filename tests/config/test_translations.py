"""The catalogues say all that the code says to customers, in each language, and nothing else."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import allauth
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from django.conf import settings

from config import translations
from config.reworded import REWORDED

LANGUAGES = ["de", "fr", "es", "ar"]
# Said in the language as in English.
ALIKE = {
    "de": {"Name", "Import %(number)s"},
    "fr": {"E-mail", "Total", "Pages", "Contact", "Date"},
    "es": {"Subtotal", "Total"},
    "ar": set[str](),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|%|\{\w+\}")
TAG = re.compile(r"<[^>]*>|\"")
# Arabic says none, one and two without the figure.
WITHOUT_FIGURE = {"ar": {0, 1, 2}}


@cache
def catalogue(language: str) -> Catalog:
    return translations.read(language)


@cache
def said_in_code() -> Catalog:
    return translations.texts()


def forms(message: Message) -> list[str]:
    """The translation; of a plural, all of its forms."""
    return [message.string] if isinstance(message.string, str) else list(message.string)


def sources(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


def messages(language: str) -> list[Message]:
    return [message for message in catalogue(language) if message.id]


def identities(of: Catalog) -> set[tuple[str, ...]]:
    return {(message.context or "", *sources(message)) for message in of if message.id}


def test_every_language_of_the_shop_has_a_catalogue() -> None:
    assert translations.languages() == LANGUAGES
    assert [code for code, _ in settings.LANGUAGES] == ["en", *LANGUAGES]
    assert ["en", *LANGUAGES] == settings.MAIL_LANGUAGES


def test_texts_of_templates_and_code_are_found() -> None:
    found = said_in_code()

    assert found.get("Add to cart").locations == [("shop/templates/storefront/buy.html", 0)]
    assert found.get("The card has expired.").locations == [("shop/gateways/trial_provider.py", 0)]
    assert found.get("to", context="price") is not None
    assert found.get("%(shown)s product").id == ("%(shown)s product", "%(shown)s products")


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_has_what_the_code_says_and_nothing_else(language: str) -> None:
    """Else: `make translations`, and translate what it names."""
    ours, theirs = identities(catalogue(language)), identities(said_in_code())

    assert (sorted(theirs - ours), sorted(ours - theirs)) == ([], [])
    assert (translations.missing(catalogue(language)), list(catalogue(language).obsolete)) == ([], [])
    assert [message.id for message in messages(language) if message.fuzzy] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_in_english(language: str) -> None:
    pairs = [(source, forms(message)) for message in messages(language) for source in sources(message)]
    left = {source for source, said in pairs if source in said}

    assert {text for text in left if re.search(r"[a-z]{2}", PLACEHOLDER.sub("", text))} == ALIKE[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_placeholders_and_the_markup_of_their_texts(language: str) -> None:
    wrong = []
    for message in messages(language):
        source = sources(message)[-1]
        for number, text in enumerate(forms(message)):
            wanted, has = (sorted(PLACEHOLDER.findall(one)) for one in (source, text))
            may_lack = not isinstance(message.id, str) and number in WITHOUT_FIGURE.get(language, set())
            if has != wanted and not (may_lack and set(has) < set(wanted)):
                wrong.append((source, text))
            if sorted(TAG.findall(text)) != sorted(TAG.findall(source)):
                wrong.append((source, text))
    assert wrong == []


@pytest.mark.parametrize(("language", "count"), [("de", 2), ("fr", 2), ("es", 2), ("ar", 6)])
def test_plurals_have_all_forms_of_the_language(language: str, count: int) -> None:
    plurals = [message for message in messages(language) if not isinstance(message.id, str)]

    assert plurals
    assert {len(forms(message)) for message in plurals} == {count}
    assert catalogue(language).num_plurals == count


@pytest.mark.parametrize("language", LANGUAGES)
def test_files_are_as_the_command_writes_them(language: str) -> None:
    """So that two people's changes differ in texts only, and Django reads what the .po says."""
    path = translations.catalogue_path(language)
    made = translations.as_po(translations.updated(language, said_in_code()))

    assert path.read_bytes() == made
    with path.with_suffix(".mo").open("rb") as file:
        compiled = read_mo(file)
    assert all_said(compiled) == all_said(catalogue(language))


def all_said(of: Catalog) -> dict[tuple[str, ...], list[str]]:
    """By context, which Babel reads as bytes, and text."""
    found = {}
    for message in of:
        told: str | bytes = message.context or ""
        if message.id:
            context = told if isinstance(told, str) else told.decode()
            found[(context, *sources(message))] = forms(message)
    return found


def test_texts_that_are_reworded_are_still_those_of_allauth() -> None:
    """One that allauth has changed would be translated for nobody."""
    path = Path(allauth.__file__).parent / "locale/de/LC_MESSAGES/django.mo"
    with path.open("rb") as file:
        theirs = read_mo(file)

    assert [text for text in REWORDED if text not in theirs] == []


@pytest.mark.parametrize("language", ["de", "es"])
def test_customers_are_addressed_formally(language: str) -> None:
    familiar = {"de": r"\b(?:du|dein\w*|dir|dich)\b", "es": r"\b(?:tú|tus?|puedes|tienes|has)\b"}[language]
    said = [text for message in messages(language) for text in forms(message)]

    assert [text for text in said if re.search(familiar, text, re.IGNORECASE)] == []
