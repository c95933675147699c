"""The one way to an answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from django.utils import translation
from psycopg.errors import QueryCanceled

from reports.catalogue import REPORTS
from reports.questions import Question
from reports.results import Answer


class TakesLongError(Exception):
    """The answer takes longer than whoever asked wants to wait: a worker finds it."""


def answer(question: Question, *, within: float | None = None) -> Answer:
    """What a report finds.

    Raises ValueError, in words for people, for what can't be asked, and TakesLongError when one of its
    statements takes more than `within` seconds, if such are given.
    """
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
    try:
        with translation.override(question.language), _one_moment(within):
            return report.answer(question)
    except OperationalError as error:
        if within and isinstance(error.__cause__, QueryCanceled):
            raise TakesLongError from error
        raise


@contextmanager
def _one_moment(within: float | None) -> Iterator[None]:
    """All statements see the same orders, so that figures, charts and tables agree. Part of a transaction
    where there is one."""
    is_inner = connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if not is_inner:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if within:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{within * 1000:.0f}ms"])
        yield
        if within and is_inner:
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")
