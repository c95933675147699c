"""Reports about imports and mails. Reports know neither, and neither knows the other: config wires them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Aggregate, Count, Func, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from imports.models import ImportRun
from notifications.models import Message
from reports import columns
from reports.catalogue import Report, register
from reports.periods import Period
from reports.results import Column, Kind, Row, Table
from reports.tallies import GROUPINGS, Counts, Health, Tally


def connect() -> None:
    """Add them to the reports; called once, when Django is ready."""
    register(Report("imports", IMPORTS.title, IMPORTS.answer, GROUPINGS))
    register(Report("mails", MAILS.title, MAILS.answer, GROUPINGS))


def _imports(period: Period) -> QuerySet[ImportRun]:
    ended = ImportRun.objects.filter(state__in=ImportRun.ENDED, kind=ImportRun.Kind.IMPORT)
    return ended.filter(finished_at__gte=period.begin, finished_at__lt=period.end).order_by()


def _count_imports(period: Period) -> Mapping[date, Counts]:
    by_day = _imports(period).values(day=TruncDate("finished_at", tzinfo=period.zone))
    return {day: tuple(counts) for day, *counts in _counted(by_day, "day", _IMPORTED)}


def _counted(rows: QuerySet[Any], key: str, counted: Sequence[Aggregate | Func]) -> QuerySet[Any]:
    """Each key that the rows are grouped by, with these counts of it."""
    named = {f"count_{number}": one for number, one in enumerate(counted)}
    return rows.annotate(**named).values_list(key, *named)


_IMPORTED = (
    Count("pk"),
    Count("pk", filter=Q(state=ImportRun.State.COMPLETED)),
    Count("pk", filter=Q(state=ImportRun.State.FAILED)),
    Coalesce(Sum("rows"), 0),
    Coalesce(Sum("rejected"), 0),
    Coalesce(Sum("repaired"), 0),
)

_ENDS = {
    ImportRun.State.COMPLETED: pgettext_lazy("import", "completed"),
    ImportRun.State.FAILED: pgettext_lazy("import", "failed"),
    ImportRun.State.CANCELLED: pgettext_lazy("import", "cancelled"),
}


def _worst_imports(period: Period) -> Sequence[Table]:
    """Each that failed, or rejected rows."""
    headings = (
        Column("import", pgettext_lazy("report", "Import"), Kind.TEXT),
        Column("finished", pgettext_lazy("report", "Ended"), Kind.MOMENT),
        Column("state", pgettext_lazy("report", "State"), Kind.TEXT),
        Column("rows", pgettext_lazy("report", "Rows"), Kind.COUNT),
        Column("rejected", pgettext_lazy("report", "Rejected"), Kind.COUNT),
        Column("share", pgettext_lazy("report", "Share"), Kind.SHARE),
    )
    bad = _imports(period).filter(Q(state=ImportRun.State.FAILED) | Q(rejected__gt=0))
    rows = [
        Row(
            (
                f"{run.pk}: {run.filename}",
                run.finished_at.astimezone(period.zone) if run.finished_at else None,
                _ENDS[ImportRun.State(run.state)],
                run.rows,
                run.rejected,
                columns.share(Decimal(run.rejected), Decimal(run.rows)),
            )
        )
        for run in bad.order_by("-rejected", "-pk").iterator()
    ]
    return [Table(_("Failed, or with rejected rows"), headings, rows)]


IMPORTS = Health(
    pgettext_lazy("report", "Imports"),
    (
        Tally("imports", pgettext_lazy("report", "Imports")),
        Tally("completed", pgettext_lazy("report", "Completed")),
        Tally("failed", pgettext_lazy("report", "Failed"), is_good=False),
        Tally("rows", pgettext_lazy("report", "Rows")),
        Tally("rejected", pgettext_lazy("report", "Rejected rows"), is_good=False),
        Tally("repaired", pgettext_lazy("report", "Repaired rows"), is_good=None),
    ),
    _count_imports,
    Tally("rejected_share", pgettext_lazy("report", "Share rejected"), is_good=False),
    part=4,
    whole=3,
    tables=_worst_imports,
)


def _mails(period: Period) -> QuerySet[Message]:
    return Message.objects.filter(created_at__gte=period.begin, created_at__lt=period.end).order_by()


_State, _Fate = Message.State, Message.Fate
_TOLD = (
    Count("pk"),
    Count("pk", filter=Q(state=_State.SENT)),
    Count("pk", filter=Q(state__in=[_State.QUEUED, _State.SENDING])),
    Count("pk", filter=Q(state=_State.FAILED)),
    Count("pk", filter=Q(state=_State.UNCERTAIN)),
    Count("pk", filter=Q(state=_State.SUPPRESSED)),
    Count("pk", filter=Q(fate=_Fate.BOUNCED)),
    Count("pk", filter=Q(fate=_Fate.COMPLAINED)),
)
_TALLIES = (
    Tally("mails", pgettext_lazy("report", "Mails")),
    Tally("sent", pgettext_lazy("report", "Sent")),
    Tally("waiting", pgettext_lazy("report", "Waiting"), is_good=False),
    Tally("failed", pgettext_lazy("report", "Failed"), is_good=False),
    Tally("uncertain", pgettext_lazy("report", "Perhaps sent"), is_good=False),
    Tally("suppressed", pgettext_lazy("report", "Held back"), is_good=None),
    Tally("bounced", pgettext_lazy("report", "Came back"), is_good=False),
    Tally("complained", pgettext_lazy("report", "Called spam"), is_good=False),
)


def _count_mails(period: Period) -> Mapping[date, Counts]:
    by_day = _mails(period).values(day=TruncDate("created_at", tzinfo=period.zone))
    return {day: tuple(counts) for day, *counts in _counted(by_day, "day", _TOLD)}


def _mails_by_kind(period: Period) -> Sequence[Table]:
    headings = (
        Column("kind", pgettext_lazy("report", "Kind"), Kind.TEXT),
        *(Column(one.key, one.title, Kind.COUNT) for one in _TALLIES),
    )
    found = _counted(_mails(period).values("kind"), "kind", _TOLD).order_by("-count_0", "kind")
    return [Table(_("By kind"), headings, [Row(tuple(row)) for row in found])]


MAILS = Health(
    pgettext_lazy("report", "Mails"),
    _TALLIES,
    _count_mails,
    Tally("sent_share", pgettext_lazy("report", "Share sent")),
    part=1,
    whole=0,
    tables=_mails_by_kind,
)
