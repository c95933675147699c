"""Prices and numbers as people write them in the language of the request."""

from __future__ import annotations

from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal
from django import template
from django.conf import settings
from django.utils.translation import get_language

register = template.Library()


@register.filter
def money(amount: Decimal) -> str:
    """An amount in the store's currency: `€1,299.00` in English, `1.299,00 €` in German."""
    return format_currency(amount, settings.STORE_CURRENCY, locale=_locale())


@register.filter
def number(count: int) -> str:
    """A number with its thousands apart."""
    return format_decimal(count, locale=_locale())


def _locale() -> Locale:
    """That of the request, or the nearest that Babel knows."""
    try:
        return Locale.parse(get_language() or settings.LANGUAGE_CODE, sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale.parse(settings.LANGUAGE_CODE, sep="-")
