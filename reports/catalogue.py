"""The reports that there are; other apps may add theirs with `register`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reports.questions import Grouping, Question
from reports.results import Answer, Text


@dataclass(frozen=True, slots=True)
class Report:
    """A kind of report: what it may be grouped and filtered by, and what answers it.

    `permission` is what somebody needs, beside seeing reports at all, to read it.
    """

    key: str
    name: Text
    answer: Callable[[Question], Answer]
    groupings: tuple[Grouping, ...]
    filters: tuple[str, ...] = ()
    compares: bool = True


REPORTS: dict[str, Report] = {}


def register(report: Report) -> None:
    """Add a report; one with the same key gives way."""
    REPORTS[report.key] = report
