"""Which days a report is about, said once and worked out anew each time it is due."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db.models import TextChoices

from reports.periods import Period


class PeriodRule(TextChoices):
    """Days as seen from the day on which the report is due. “To date” ends with that day itself, of which
    only what has passed can be counted; the others end with a day that is over. Weeks begin on Mondays."""

    TODAY = "today", "today, so far"
    YESTERDAY = "yesterday", "yesterday"
    LAST_7_DAYS = "last_7_days", "the 7 days before"
    LAST_30_DAYS = "last_30_days", "the 30 days before"
    WEEK_TO_DATE = "week_to_date", "week to date"
    LAST_WEEK = "last_week", "last week, Monday to Sunday"
    MONTH_TO_DATE = "month_to_date", "month to date"
    LAST_MONTH = "last_month", "last month"
    QUARTER_TO_DATE = "quarter_to_date", "quarter to date"
    LAST_QUARTER = "last_quarter", "last quarter"
    YEAR_TO_DATE = "year_to_date", "year to date"
    LAST_YEAR = "last_year", "last year"

    def period(self, today: date, zone: ZoneInfo) -> Period:
        """The days meant on that day."""
        first, last = self._days(today)
        return Period(first, last, zone)

    def _days(self, today: date) -> tuple[date, date]:
        day = timedelta(days=1)
        monday = today - today.weekday() * day
        month, year = today.replace(day=1), today.replace(month=1, day=1)
        quarter = month.replace(month=(month.month - 1) // 3 * 3 + 1)
        match self:
            case PeriodRule.TODAY:
                return today, today
            case PeriodRule.YESTERDAY:
                return today - day, today - day
            case PeriodRule.LAST_7_DAYS:
                return today - 7 * day, today - day
            case PeriodRule.LAST_30_DAYS:
                return today - 30 * day, today - day
            case PeriodRule.WEEK_TO_DATE:
                return monday, today
            case PeriodRule.LAST_WEEK:
                return monday - 7 * day, monday - day
            case PeriodRule.MONTH_TO_DATE:
                return month, today
            case PeriodRule.LAST_MONTH:
                return (month - day).replace(day=1), month - day
            case PeriodRule.QUARTER_TO_DATE:
                return quarter, today
            case PeriodRule.LAST_QUARTER:
                return _months_before(quarter, 3), quarter - day
            case PeriodRule.YEAR_TO_DATE:
                return year, today
            case PeriodRule.LAST_YEAR:
                return year.replace(year=year.year - 1), year - day


def _months_before(first: date, months: int) -> date:
    """The first of a month so many months before the one that begins with `first`."""
    count = first.year * 12 + first.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)
