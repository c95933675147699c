"""Values of a report as people write them, in the question's language, which is the active one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_interval, format_time
from babel.numbers import (
    format_compact_currency,
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
)
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from reports.periods import Period
from reports.results import Answer, Kind, Value
from shop import languages

NOTHING = "–"  # stands for a value that is not there
_NUMBERS = (Kind.MONEY, Kind.COUNT, Kind.SHARE)
_LEAST = Decimal("0.001")  # of a change that is told
_ARROWS = {"up": "▲", "down": "▼", "same": "=", "new": "✱"}


@dataclass(frozen=True, slots=True)
class Change:
    """How a value stands against the one before. `way` is up, down, same or new (there was nothing before);
    `size` says how far, such as `12.4%`, and is empty where there is nothing to measure it by."""

    way: str
    size: str = ""

    @property
    def arrow(self) -> str:
        return _ARROWS[self.way]

    @property
    def words(self) -> str:
        """For those who can't see the arrow."""
        match self.way:
            case "same":
                return _("no change")
            case "new":
                return pgettext("change", "new")
            case "up":
                return _("up %(size)s") % {"size": self.size} if self.size else pgettext("change", "up")
        return _("down %(size)s") % {"size": self.size} if self.size else pgettext("change", "down")

    @property
    def short(self) -> str:
        """Beside the arrow, which stands for the way."""
        return self.size or self.words

    @property
    def brief(self) -> str:
        """With the arrow, for cells."""
        return self.arrow if self.way == "same" else f"{self.arrow}\xa0{self.short}"


def is_number(kind: Kind) -> bool:
    """Whether its values stand on the right and can be compared."""
    return kind in _NUMBERS


def change_of(kind: Kind, value: Value, before: Value) -> Decimal | None:
    """The share by which a number grew, 0.5 for half as much again; None where there is nothing to divide by.
    Of a share the difference, for 2 % after 1 % is no doubling to a reader."""
    if not isinstance(value, int | Decimal) or not isinstance(before, int | Decimal):
        return None
    if kind == Kind.SHARE:
        return Decimal(value) - before
    return (Decimal(value) - before) / before if before > 0 else None


def period_text(period: Period, locale: Locale) -> str:
    """`Jan 1 – 31, 2026`."""
    if period.first == period.last:
        return format_date(period.first, "medium", locale=locale)
    return str(format_interval(period.first, period.last, "yMMMd", locale=locale))


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes values in a language and a currency; moments as clocks in `zone` show them."""

    locale: Locale
    currency: str
    zone: ZoneInfo

    @classmethod
    def of(cls, answer: Answer) -> Writer:
        """The one that its question asks for."""
        question = answer.question
        return cls(languages.locale(question.language), answer.currency, question.period.zone)

    def value(self, kind: Kind, value: Value) -> str:
        """In full, such as `€1,299.00`; a value that is not there is `–`."""
        match value:
            case None:
                return NOTHING
            case datetime():
                return self.moment(value)
            case date():
                return format_date(value, "medium", locale=self.locale)
            case str() | Promise():
                return str(value)
        match kind:
            case Kind.MONEY:
                return format_currency(value, self.currency, locale=self.locale)
            case Kind.SHARE:
                return self._percent(Decimal(value))
        return format_decimal(value, locale=self.locale)

    def short(self, kind: Kind, value: Decimal | int) -> str:
        """In few letters, for an axis: `€2.5K`."""
        match kind:
            case Kind.MONEY:
                text = format_compact_currency(value, self.currency, locale=self.locale, fraction_digits=1)
                # Babel says the direction of all amounts but short ones without letters.
                is_from_right = self.locale.text_direction == "rtl"
                return f"\u200f{text}" if is_from_right and text[:1].isdigit() else text
            case Kind.SHARE:
                return self._percent(Decimal(value))
        return format_compact_decimal(value, locale=self.locale, fraction_digits=1)

    def moment(self, at: datetime) -> str:
        """A day and its time."""
        there = at.astimezone(self.zone)
        day = format_date(there, "medium", locale=self.locale)
        return f"{day}, {format_time(there, 'short', locale=self.locale)}"

    def period(self, period: Period) -> str:
        """`Jan 1 – 31, 2026`."""
        return period_text(period, self.locale)

    def change(self, kind: Kind, value: Value, before: Value) -> Change | None:
        """How it changed; None where one of them is not there. Shares change by percentage points."""
        if not isinstance(value, int | Decimal) or not isinstance(before, int | Decimal):
            return None
        if value == before:
            return Change("same")
        way = "up" if value > before else "down"
        if kind == Kind.SHARE:
            points = self._decimal(abs(Decimal(value) - before) * 100)
            return Change(way, pgettext("percentage points", "%(points)s pp") % {"points": points})
        if before == 0:
            return Change("new") if value > 0 else Change(way)
        grown = change_of(kind, value, before)
        return Change(way, self._growth(abs(grown)) if grown is not None else "")

    def _growth(self, share: Decimal) -> str:
        """What changed did not change by 0 %."""
        return self._percent(share) if share >= _LEAST else f"<{self._percent(_LEAST)}"

    def _percent(self, share: Decimal) -> str:
        pattern = self.locale.percent_formats[None].pattern.replace("##0", "##0.#")
        return format_percent(share, pattern, locale=self.locale)

    def _decimal(self, number: Decimal) -> str:
        return format_decimal(number, "#,##0.#", locale=self.locale)
