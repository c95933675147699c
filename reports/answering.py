"""The one way to an answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.utils import translation

from reports.catalogue import REPORTS
from reports.questions import Question
from reports.results import Answer


def answer(question: Question) -> Answer:
    """What a report finds; raises ValueError, in words for people, for what can't be asked."""
    report = REPORTS.get(question.report)
    if report is None:
        raise ValueError(f"There is no report “{question.report}”. There are: {', '.join(sorted(REPORTS))}.")
    if question.group_by not in report.groupings:
        allowed = ", ".join(grouping.value or "lines" for grouping in report.groupings)
        raise ValueError(f"“{report.name}” can't be grouped by {question.group_by}. It can by: {allowed}.")
    if unknown := sorted(question.filters.keys() - set(report.filters)):
        allowed = ", ".join(report.filters) or "nothing"
        raise ValueError(f"“{report.name}” can't be filtered by {', '.join(unknown)}. It can by: {allowed}.")
    if question.compare and not report.compares:
        raise ValueError(f"“{report.name}” shows how things are; it has nothing to compare with.")
    with translation.override(question.language), _one_moment():
        return report.answer(question)


@contextmanager
def _one_moment() -> Iterator[None]:
    """All statements see the same orders, so that figures, charts and tables agree. Part of a transaction
    where there is one."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield
