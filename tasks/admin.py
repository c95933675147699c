"""The admin of operations: jobs, queues, the schedule, and here the history of tasks."""

from __future__ import annotations

import re
from typing import Any

from celery import current_app, states
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django_celery_results.models import GroupResult, TaskResult
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from tasks import job_admin, queue_admin, schedule_admin  # noqa: F401 - they register theirs
from tasks.listing import ReadOnlyAdmin, log, spoken, stacked

_RESULT_COLOURS = {
    states.SUCCESS: "success",
    states.FAILURE: "danger",
    states.RETRY: "warning",
    states.REVOKED: "warning",
}
# They register themselves with Django's own looks; groups of results are not used here.
admin.site.unregister([TaskResult, GroupResult])


class TaskNameFilter(DropdownFilter):
    """The tasks that this release knows."""

    title = "task"
    parameter_name = "task_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted(current_app.tasks) if not name.startswith("celery.")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TaskResult]) -> QuerySet[TaskResult]:
        return queryset.filter(task_name=self.value()) if self.value() else queryset


@admin.register(TaskResult)
class TaskHistoryAdmin(ReadOnlyAdmin):
    """What Celery ran, for people; the truth about work is in the jobs."""

    list_display = ["what", "status_label", "seconds", "worker", "done"]
    list_filter = [("status", ChoicesDropdownFilter), TaskNameFilter]
    search_fields = ["task_id__exact", "worker"]
    search_help_text = "A task's id, or part of a worker's name"
    fieldsets = [
        (None, {"fields": ["task_name", "status", "of_job", "task_id", "worker", "periodic_task_name"]}),
        ("Arguments", {"fields": ["task_args", "task_kwargs"]}),
        ("Result", {"fields": ["result", "full_traceback"]}),
        ("Times", {"fields": ["date_created", "date_started", "date_done", "seconds"]}),
    ]
    readonly_fields = ["of_job", "full_traceback", "seconds", "date_created", "date_started", "result"]

    @display(description="task", ordering="task_name")
    def what(self, result: TaskResult) -> SafeString:
        return stacked(result.task_name or "–", Truncator((result.task_kwargs or "").strip('"')).chars(80))

    @display(description="job")
    def of_job(self, result: TaskResult) -> SafeString | str:
        found = re.search(r"· job (\d+)\W*$", result.task_kwargs or "")
        if found is None:
            return "–"
        address = reverse("admin:tasks_job_change", args=[found[1]])
        return format_html('<a class="tally-link" href="{}">job {}</a>', address, found[1])

    @display(description="state", ordering="status", label=_RESULT_COLOURS)
    def status_label(self, result: TaskResult) -> tuple[str, str]:
        return result.status, result.status.lower()

    @display(description="seconds", formatting="price")
    def seconds(self, result: Any) -> str:
        if result.date_started is None:
            return "–"
        return f"{max(0.0, (result.date_done - result.date_started).total_seconds()):,.2f}"

    @display(description="finished", ordering="date_done")
    def done(self, result: TaskResult) -> str:
        return spoken(result.date_done)

    @display(description="traceback")
    def full_traceback(self, result: TaskResult) -> SafeString | str:
        return log(result.traceback)
