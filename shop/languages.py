"""The reader's language, as Babel knows it, and figures in it."""

from __future__ import annotations

import unicodedata
from decimal import localcontext

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal
from django.conf import settings
from django.utils.translation import get_language

_NOTHING = dict.fromkeys(range(0x2066, 0x206A))  # others' signs of direction would end ours


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


def is_from_right() -> bool:
    """Whether the request's language is written from the right."""
    return locale().text_direction == "rtl"


def apart(text: str) -> str:
    """What stands amid a script that runs the other way, so that neither turns the other around, such as
    `20457 Hamburg` in Arabic. Unchanged where nothing could turn."""
    text = text.translate(_NOTHING)
    if text and (is_from_right() or any(unicodedata.bidirectional(one) in ("R", "AL") for one in text)):
        return f"\u2068{text}\u2069"
    return text
