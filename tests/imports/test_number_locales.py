"""Numbers as the locales of the world write them: what Babel formats must be read as it was meant."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent
from hypothesis import given
from hypothesis import strategies as st

from imports import numbers
from imports.columns import BY_NAME, CellError
from imports.words import CURRENCIES

_POINT = "en_US en_GB en_IN hi_IN ja_JP he_IL de_CH es_MX"
_COMMA = "de_DE de_AT fr_FR es_ES it_IT nl_NL pt_BR pt_PT sv_SE nb_NO da_DK fi_FI pl_PL cs_CZ tr_TR fr_CH"
# Locale → the format of its columns.
FORMATS = dict.fromkeys(_POINT.split(), "point") | dict.fromkeys(_COMMA.split(), "comma")
LOCALES = st.sampled_from(sorted(FORMATS))
CODES = st.sampled_from(sorted(CURRENCIES))
CENTS = st.integers(0, 10**12 - 1).map(lambda cents: Decimal(cents) / 100)


def price(text: str, **chosen: str) -> str:
    """The cell as it is stored, or the code of its error."""
    try:
        return BY_NAME["price"](chosen).clean(text)
    except CellError as error:
        return error.code


@given(LOCALES, CENTS)
def test_plain_number_of_a_locale_is_read_as_it_was_meant(locale: str, amount: Decimal) -> None:
    grouped = "#,##,##0.00" if locale.endswith("_IN") else "#,##0.00"
    text = format_decimal(amount, format=grouped, locale=locale)
    assert Decimal(price(text, format=FORMATS[locale])) == amount


@given(LOCALES, CENTS, CODES, st.sampled_from([None, "¤¤ #,##0.00", "#,##0.00¤¤"]))
def test_amount_of_a_locale_is_read_as_it_was_meant(
    locale: str, amount: Decimal, currency: str, pattern: str | None
) -> None:
    """By the locale's own pattern with its sign, or with the currency's code before or behind."""
    text = format_currency(amount, currency, pattern, locale, currency_digits=False)
    assert Decimal(price(text, format=FORMATS[locale], currency=currency)) == amount


@given(LOCALES, CENTS.filter(bool), CODES, st.sampled_from(["standard", "accounting"]))
def test_negative_amount_of_a_locale_is_told_to_be_below_zero(
    locale: str, amount: Decimal, currency: str, style: str
) -> None:
    text = format_currency(-amount, currency, locale=locale, format_type=style, currency_digits=False)
    assert price(text, format=FORMATS[locale], currency=currency) == "negative_price"


@given(LOCALES, CODES, st.lists(CENTS, min_size=1, max_size=6))
def test_format_told_from_a_column_of_a_locale_is_the_right_one(
    locale: str, currency: str, amounts: list[Decimal]
) -> None:
    texts = [format_currency(one, currency, locale=locale, currency_digits=False) for one in amounts]
    assert numbers.detect(texts)["format"] == FORMATS[locale]


@pytest.mark.parametrize("locale", sorted(FORMATS))
def test_percentage_of_a_locale_is_told_to_be_no_amount(locale: str) -> None:
    assert price(format_percent(0.19, locale=locale)) == "percentage"


@pytest.mark.parametrize("locale", sorted(FORMATS))
def test_rounded_number_of_a_locale_is_refused(locale: str) -> None:
    assert price(format_compact_decimal(12_300_000, locale=locale, fraction_digits=1)) == "not_a_price"
