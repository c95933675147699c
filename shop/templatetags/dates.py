"""Days and times as people write them in the language of the request."""

from __future__ import annotations

from datetime import datetime

from babel.dates import format_date
from django import template
from django.utils import timezone

from shop.templatetags.storefront import _locale

register = template.Library()


@register.filter
def day(at: datetime) -> str:
    """The day in the shop's time zone: `23 November 2026`, `23. November 2026`."""
    return format_date(timezone.localtime(at).date(), format="long", locale=_locale())
