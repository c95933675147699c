"""The one way to an answer."""

from __future__ import annotations

from reports.catalogue import REPORTS, Report, register
from reports.questions import Grouping, Question
from reports.results import Answer


def answer(question: Question) -> Answer:
    """What a report finds; raises ValueError, in words for people, for what can't be asked."""
    report = REPORTS.get(question.report)
    if report is None:
        raise ValueError(f"There is no report “{question.report}”. There are: {', '.join(sorted(REPORTS))}.")
    return report.answer(question)


def _register_own() -> None:
    from reports import sales

    register(
        Report(
            "sales",
            "Sales",
            sales.answer,
            tuple(Grouping),
            ("country", "category", "sku", "payment", "discount"),
        )
    )


_register_own()
