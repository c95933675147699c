"""The form of the page that asks for a report: what it shows, and the question it comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings

from reports import asking
from reports.cadence import CadenceError, zone_of
from reports.catalogue import REPORTS, Report
from reports.period_rules import PeriodRule
from reports.questions import Comparison, Grouping, Question
from shop import gateways

DAYS_AT_FIRST = PeriodRule.LAST_30_DAYS
_GROUPINGS = {Grouping.LINES: "every line", Grouping.VARIANT: "variant (SKU)"}
_COMPARISONS = {
    Comparison.NONE: "nothing",
    Comparison.PREVIOUS: "days before",
    Comparison.YEAR: "year before",
}
_FILTERS = {
    "country": ("Country", "DE"),
    "category": ("Category", "Home > Kitchen"),
    "sku": ("SKU", "of a product or variant"),
    "payment": ("Payment", ""),
    "discount": ("Discount code", ""),
}
_QUICK = (
    PeriodRule.TODAY, PeriodRule.YESTERDAY, PeriodRule.LAST_7_DAYS, PeriodRule.LAST_30_DAYS,
    PeriodRule.WEEK_TO_DATE, PeriodRule.LAST_WEEK, PeriodRule.MONTH_TO_DATE, PeriodRule.LAST_MONTH,
    PeriodRule.QUARTER_TO_DATE, PeriodRule.LAST_QUARTER, PeriodRule.YEAR_TO_DATE, PeriodRule.LAST_YEAR,
)  # fmt: skip
_QUICK_LABELS = {
    PeriodRule.TODAY: "Today",
    PeriodRule.LAST_7_DAYS: "Last 7 days",
    PeriodRule.LAST_30_DAYS: "Last 30 days",
    PeriodRule.WEEK_TO_DATE: "This week",
    PeriodRule.LAST_WEEK: "Last week",
    PeriodRule.MONTH_TO_DATE: "This month",
    PeriodRule.QUARTER_TO_DATE: "This quarter",
    PeriodRule.YEAR_TO_DATE: "This year",
}


class Choice(NamedTuple):
    value: str
    label: str
    is_chosen: bool


class Typed(NamedTuple):
    """A field that narrows a report down; with `choices` it is one of them."""

    name: str
    label: str
    value: str
    hint: str
    choices: list[Choice]


@dataclass(frozen=True, slots=True)
class Form:
    """What the fields hold, and the question; or what is wrong, in words, and with which field."""

    report: Report
    values: Mapping[str, str]
    question: Question | None = None
    rule: PeriodRule | None = None
    error: str = ""
    wrong: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str], *, now: datetime) -> Form:
        """From an address' query string, which may say anything or nothing. A button that names days (`days`)
        goes before the two fields. What the report doesn't know is left out."""
        report = REPORTS.get(query.get("report", ""), REPORTS["sales"])
        values = _begun(report) | {name: query[name].strip() for name in _NAMES if name in query}
        values["report"] = report.key
        for name in _FILTERS.keys() - set(report.filters):
            values.pop(name, None)
        if values["group_by"] not in report.groupings:
            values["group_by"] = report.groupings[0]
        if not report.compares or values["compare"] not in Comparison:
            values["compare"] = ""
        try:
            zone = zone_of(values["zone"])
        except CadenceError as error:
            return cls(report, values, error=str(error), wrong="zone")
        today = now.astimezone(zone).date()
        named = query.get("days", "") if query.get("days") in PeriodRule else ""
        if named or not (values["first"] or values["last"]):
            days = PeriodRule(named or DAYS_AT_FIRST).period(today, zone)
            values |= {"first": days.first.isoformat(), "last": days.last.isoformat()}
        return cls(report, values)._asked(now)

    def _asked(self, now: datetime) -> Form:
        values = self.values
        try:
            days = asking.period(values["first"], values["last"], values["zone"])
        except ValueError as error:
            return Form(self.report, values, error=str(error), wrong="first")
        try:
            filters = asking.filters({name: values.get(name, "") for name in self.report.filters})
        except ValueError as error:
            return Form(self.report, values, error=str(error), wrong="filters")
        question = Question(
            report=self.report.key,
            period=days,
            group_by=Grouping(values["group_by"]),
            compare=Comparison(values["compare"]),
            filters=filters,
            language=settings.LANGUAGE_CODE,
        )
        rule = asking.rule_of(days, now.astimezone(days.zone).date())
        return Form(self.report, values, question, rule)

    def failed(self, error: str) -> Form:
        """The same, which nobody can answer."""
        return Form(self.report, self.values, error=error, wrong="group_by")

    @property
    def reports(self) -> list[Choice]:
        """Sales first, whichever app registered first."""
        listed = sorted(REPORTS.values(), key=lambda one: (one.key != "sales", one.name))
        return [Choice(one.key, str(one.name), one.key == self.report.key) for one in listed]

    @property
    def groupings(self) -> list[Choice]:
        chosen = self.values["group_by"]
        return [
            Choice(one.value, _GROUPINGS.get(one) or one.value.replace("_", " "), one == chosen)
            for one in self.report.groupings
        ]

    @property
    def comparisons(self) -> list[Choice]:
        if not self.report.compares:
            return []
        return [
            Choice(one.value, label, one == self.values["compare"]) for one, label in _COMPARISONS.items()
        ]

    @property
    def quick(self) -> list[Choice]:
        """Buttons for days that have a name."""
        return [
            Choice(rule.value, _QUICK_LABELS.get(rule) or rule.label.capitalize(), rule == self.rule)
            for rule in _QUICK
        ]

    @property
    def filters(self) -> list[Typed]:
        return [self._typed(name) for name in _FILTERS if name in self.report.filters]

    def _typed(self, name: str) -> Typed:
        label, hint = _FILTERS[name]
        value = self.values.get(name, "")
        return Typed(name, label, value, hint, list(_ways_to_pay(value)) if name == "payment" else [])

    @property
    def is_narrowed(self) -> bool:
        """Whether the fields behind “Only some” say anything that isn't so anyway."""
        is_filtered = any(self.values.get(name) for name in _FILTERS)
        return is_filtered or self.wrong in ("filters", "zone") or self.values["zone"] != settings.TIME_ZONE

    @property
    def query(self) -> str:
        """The query string of this report, with its days written out."""
        return urlencode({name: text for name, text in self.values.items() if text or name in _BLANK})

    @property
    def schedule_query(self) -> str:
        """What the form of a new schedule is filled with: the same for the same kind of days."""
        if self.question is None:
            return ""
        asked = self.question
        rule = self.rule or asking.rule_like(asked.period)
        name = f"{asking.name_of(self.report.name, asked)}, {rule.label}"
        fields = {
            "name": name, "report": asked.report, "period": rule.value,
            "group_by": asked.group_by.value, "compare": asked.compare.value, "zone": asked.period.zone.key,
            **asked.filters,
        }  # fmt: skip
        return urlencode(fields)


_NAMES = ("first", "last", "zone", "group_by", "compare", *_FILTERS)
_BLANK = ("group_by", "compare")  # to say nothing of these is something else


def _begun(report: Report) -> dict[str, str]:
    by = Grouping.DAY if Grouping.DAY in report.groupings else report.groupings[0]
    return {
        "report": report.key, "first": "", "last": "", "zone": settings.TIME_ZONE, "group_by": by.value,
        "compare": Comparison.PREVIOUS.value if report.compares else "",
    }  # fmt: skip


def _ways_to_pay(chosen: str) -> Iterator[Choice]:
    yield Choice("", "any", not chosen)
    for code, gateway in gateways.every().items():
        yield Choice(code, str(gateway.method.name), code == chosen)
