"""What people type when they ask for a report, read into a question; what can't be is said in words."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date

from reports.cadence import zone_of
from reports.period_rules import PeriodRule
from reports.periods import Period
from reports.questions import Question
from reports.results import Answer, Text
from shop import categories, countries, gateways
from shop.gateways import UnknownMethod
from shop.models import Category, DiscountCode, Product

_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})").fullmatch
_YEARS = range(1970, 2101)


def day(text: str) -> date:
    """`2026-01-31` as a day; raises ValueError for what is none."""
    if not (match := _DAY(text.strip())):
        raise ValueError(f"“{text}” is not a day. Write it as year, month and day: 2026-01-31.")
    year, month, number = map(int, match.groups())
    if year not in _YEARS or not 1 <= month <= 12:
        what = f"year {year}" if year not in _YEARS else f"month {month}"
        raise ValueError(f"There is no {what} to report on in “{text}”. Write a day such as 2026-01-31.")
    if not 1 <= number <= (days := monthrange(year, month)[1]):
        raise ValueError(f"There is no {text}: {date(year, month, 1):%B %Y} has {days} days.")
    return date(year, month, number)


def period(first: str, last: str, zone: str) -> Period:
    """Both days included, by the clock of a zone that is named. Raises ValueError."""
    return Period(day(first), day(last), zone_of(zone.strip()))


def filters(typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed, without what was left blank, as orders have it; raises ValueError for a country and a
    way to pay that can't be. Categories and products need not be there any more: orders keep them."""
    given = {name: text for name in typed if (text := typed[name].strip())}
    if "country" in given:
        given["country"] = _country(given["country"])
    if "category" in given:
        given["category"] = _category(given["category"])
    if "payment" in given:
        _check_payment(given["payment"])
    return given


def _country(text: str) -> str:
    code = text.upper()
    if not re.fullmatch(r"[A-Z]{2}", code) or countries.name_of(code) == code:
        raise ValueError(f"“{text}” is no country. Write its code of two letters, such as DE or CH.")
    return code


def _category(text: str) -> str:
    """Its path as the catalogue writes it, or as it was typed where the catalogue has none such."""
    names = categories.split_path(text)
    found = Category.objects.filter(key=categories.key_of(names)).first()
    return found.full_name if found else categories.SEPARATOR.join(names)


def _check_payment(code: str) -> None:
    try:
        gateways.named(code)
    except UnknownMethod as error:
        raise ValueError(str(error)) from error


def hints(question: Question, *, is_empty: bool) -> list[str]:
    """What a reader must know of things asked for that the shop doesn't have: whether they are gone, and what
    was sold of them stands here, or there is nothing of that name."""
    missing = list(_missing(question.filters))
    if is_empty:
        ending = "and none was sold in these days. See that it is written as in the catalogue."
    else:
        ending = "any more; its sales stand here under the name that they were made with."
    return [f"{what} is not in the shop{',' if is_empty else ''} {ending}" for what in missing]


def _missing(wanted: Mapping[str, str]) -> Iterator[str]:
    if path := wanted.get("category"):
        key = categories.key_of(categories.split_path(path))
        if not Category.objects.filter(key=key).exists():
            yield f"The category “{path}”"
    if (sku := wanted.get("sku")) and not Product.objects.filter(sku=sku).exists():
        yield f"The product “{sku}”"
    if (code := wanted.get("discount")) and not DiscountCode.objects.filter(code=code.upper()).exists():
        yield f"The discount code “{code}”"


def rule_of(asked: Period, today: date) -> PeriodRule | None:
    """How these days are called today, if they have a name."""
    return next((rule for rule in PeriodRule if rule.period(today, asked.zone) == asked), None)


def rule_like(asked: Period) -> PeriodRule:
    """The rule for the same kind of days again and again: “last month” for the days of any one month."""
    first, last = asked.first, asked.last
    is_whole = first.day == 1 and last.day == monthrange(last.year, last.month)[1]
    if is_whole and (first.year, first.month) == (last.year, last.month):
        return PeriodRule.LAST_MONTH
    if is_whole and first.month == 1 and asked.days in (365, 366):
        return PeriodRule.LAST_YEAR
    if asked.days == 7:
        return PeriodRule.LAST_WEEK if first.weekday() == 0 else PeriodRule.LAST_7_DAYS
    return PeriodRule.YESTERDAY if asked.days == 1 else PeriodRule.LAST_30_DAYS


def name_of(report: Text, question: Question) -> str:
    """`Sales by day`, of a report of that name."""
    return f"{report} by {question.group_by.value.replace('_', ' ')}" if question.group_by else str(report)


def title_of(report: Text, question: Question) -> str:
    """`Sales by day, 2026-01-01 to 2026-01-31`: what it is called in lists."""
    days = question.period
    return f"{name_of(report, question)}, {days.first}" + (f" to {days.last}" if days.days > 1 else "")


def lines_of(answer: Answer) -> int:
    """How many lines its files have, estimated from its figures: as many as pieces sold and orders, at most,
    where every line is one of its own."""
    if not any(table.is_stream for table in answer.tables):
        return 0
    counts = {figure.key: figure.value for figure in answer.figures}
    return sum(value for key in ("units", "orders") if isinstance(value := counts.get(key), int))
