"""The reader's language, as Babel knows it, and figures in it."""

from __future__ import annotations

from decimal import localcontext

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal
from django.conf import settings
from django.utils.translation import get_language


def locale(language: str = "") -> Locale:
    """That of the language, or of the request's, or the nearest that Babel knows."""
    try:
        return Locale.parse((language or get_language() or settings.LANGUAGE_CODE).replace("_", "-"), sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale.parse(settings.LANGUAGE_CODE, sep="-")


def number_text(count: int) -> str:
    """A number with its thousands apart, as the reader writes it."""
    with localcontext(prec=100):  # whatever somebody typed: Babel rounds, and so needs all digits
        return format_decimal(count, locale=locale())
