"""Prices and numbers as people write them in the language of the request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from babel.dates import format_date, format_time
from babel.numbers import format_currency
from django import template
from django.conf import settings
from django.utils.timezone import localtime

from shop.languages import apart as _apart
from shop.languages import locale as _locale
from shop.languages import number_text

register = template.Library()


@register.filter
def money(amount: Decimal, currency: str = "") -> str:
    """An amount in the store's currency, or another one: `€1,299.00` in English, `1.299,00 €` in German."""
    return format_currency(amount, currency or settings.STORE_CURRENCY, locale=_locale())


@register.filter
def number(count: int) -> str:
    """A number with its thousands apart."""
    return number_text(count)


@register.filter
def day(moment: datetime) -> str:
    """A day in the shop's time zone: `November 23, 2026` in English, `23. November 2026` in German."""
    return format_date(localtime(moment), format="long", locale=_locale())


@register.filter
def moment(at: datetime) -> str:
    """A day with its time, in the shop's time zone: `Nov 23, 2026, 1:05 PM`."""
    there = localtime(at)
    day_there = format_date(there, format="medium", locale=_locale())
    return f"{day_there}, {format_time(there, format='short', locale=_locale())}"


@register.filter
def options(chosen: Mapping[str, object]) -> str:
    """What sets a variant apart: `Size: S, Colour: red`."""
    return ", ".join(f"{name}: {value}" for name, value in chosen.items())


@register.filter
def apart(text: str) -> str:
    """A name, a code or an address within a sentence, kept whole by signs where there can be no `<bdi>`."""
    return _apart(text)
