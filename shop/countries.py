"""Where the shop delivers to, by the table of delivery methods, in the reader's language."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

from shop.languages import locale
from shop.models import DeliveryMethod

# What Babel has a name for and nobody lives in: unions, test regions, the unknown.
_NO_COUNTRIES = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"}


def offered(methods: Iterable[DeliveryMethod]) -> list[tuple[str, str]]:
    """(ISO code, name) of each country that one of the methods goes to, by name."""
    known = dict(every())
    methods = list(methods)
    if any(not method.countries for method in methods):
        return every()
    codes = {code for method in methods for code in method.countries}
    return sorted(((code, known.get(code, code)) for code in codes), key=lambda one: _sorted_by(one[1]))


def every() -> list[tuple[str, str]]:
    """(ISO code, name) of each country there is, by name: invoices go to those that no parcel reaches."""
    return list(_every(str(locale())))


def name_of(code: str) -> str:
    """`Switzerland` for CH; what was given where it is no code."""
    return dict(_every(str(locale()))).get(code, code)


def likely(request: HttpRequest, choices: Iterable[tuple[str, str]]) -> str:
    """The code of the country that the visitor probably lives in: by their browser's languages (de-CH), or
    because there is only one; blank if nothing tells."""
    codes = [code for code, _ in choices]
    for language, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        region = language.rpartition("-")[2].upper()
        if "-" in language and region in codes:
            return region
    return codes[0] if len(codes) == 1 else ""


@cache
def _every(language: str) -> tuple[tuple[str, str], ...]:
    names = locale(language).territories
    found = {
        code: name for code, name in names.items() if len(code) == 2 and code.isalpha() and code.isupper()
    }
    countries = [(code, name) for code, name in found.items() if code not in _NO_COUNTRIES]
    return tuple(sorted(countries, key=lambda one: _sorted_by(one[1])))


def _sorted_by(name: str) -> str:
    """Åland beside Albania: without accents and case."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold() or name
