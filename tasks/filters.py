"""Filters of the list of jobs. Their choices come from the code: asking the table for its own would read
all of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from tasks.models import Job
from tasks.registry import kinds
from tasks.troubles import OVERDUE_SECONDS

_QUEUED = Q(state=Job.State.QUEUED)


class KindFilter(DropdownFilter):
    """The kinds that this release knows."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in kinds()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class QueueFilter(DropdownFilter):
    """The queues that workers serve."""

    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(queue.name, queue.name) for queue in settings.CELERY_TASK_QUEUES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(queue=self.value()) if self.value() else queryset


class TroubleFilter(DropdownFilter):
    """What wants a look, whatever its state."""

    title = "trouble"
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("failing", "failed, tried again later"),
            ("overdue", "due, and not begun"),
            ("silent", "its worker fell silent"),
            ("stranded", "no worker would take it"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        found = {
            "failing": _QUEUED & ~Q(error=""),
            "overdue": _QUEUED & Q(run_after__lte=Now() - timedelta(seconds=OVERDUE_SECONDS)),
            "silent": Q(state=Job.State.RUNNING, lease_until__lte=Now()),
            "stranded": Q(state__in=Job.UNFINISHED) & ~_served()
            | _QUEUED & Q(attempts__gte=F("max_attempts")),
        }.get(self.value() or "")
        return queryset if found is None else queryset.filter(found)


def _served() -> Q:
    return Q(kind__in=kinds(), queue__in=[queue.name for queue in settings.CELERY_TASK_QUEUES])
