"""What somebody asks of a report: which one, of which days, by what, of which orders, against what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from reports.periods import Period


class Grouping(StrEnum):
    """What the rows of a report stand for. LINES is every order line by itself, streamed."""

    LINES = ""
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    PRODUCT = "product"
    VARIANT = "variant"
    CATEGORY = "category"
    CUSTOMER = "customer"
    COUNTRY = "country"
    TAX_RATE = "tax_rate"
    PAYMENT = "payment"
    DISCOUNT = "discount"

    @property
    def is_time(self) -> bool:
        return self in (Grouping.HOUR, Grouping.DAY, Grouping.WEEK, Grouping.MONTH)


class Comparison(StrEnum):
    NONE = ""
    PREVIOUS = "previous"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Question:
    """`report` is a key of `reports.catalogue.REPORTS` ("sales", "stock", "imports", "mails").

    `filters` are `country` (ISO 3166 code), `category` (`Home > Kitchen`, with all below it), `sku`,
    `payment` (method) and `discount` (code); all of them must hold.
    """

    report: str
    period: Period
    group_by: Grouping = Grouping.DAY
    compare: Comparison = Comparison.NONE
    filters: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"

    def compared(self) -> Period | None:
        """The days it is compared with."""
        match self.compare:
            case Comparison.PREVIOUS:
                return self.period.previous()
            case Comparison.YEAR:
                return self.period.year_before()
        return None

    def to_json(self) -> dict[str, Any]:
        return {
            "report": self.report,
            "first": self.period.first.isoformat(),
            "last": self.period.last.isoformat(),
            "zone": self.period.zone.key,
            "group_by": self.group_by.value,
            "compare": self.compare.value,
            "filters": dict(self.filters),
            "language": self.language,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Question:
        """The reverse of `to_json`."""
        first, last = date.fromisoformat(data["first"]), date.fromisoformat(data["last"])
        return cls(
            report=data["report"],
            period=Period(first, last, ZoneInfo(data["zone"])),
            group_by=Grouping(data["group_by"]),
            compare=Comparison(data["compare"]),
            filters=dict(data["filters"]),
            language=data["language"],
        )
