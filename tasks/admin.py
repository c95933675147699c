"""Jobs, the history of tasks and the schedule, to read; dead letters can be tried again."""

from __future__ import annotations

from typing import Any

from celery import current_app, states
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_celery_results.models import GroupResult, TaskResult
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display
from unfold.utils import prettify_json

from tasks.listing import BigListAdmin, spoken, stacked
from tasks.models import Job
from tasks.queueing import retry
from tasks.registry import kinds

_STATE_COLOURS = {
    Job.State.QUEUED: "default",
    Job.State.RUNNING: "primary",
    Job.State.DONE: "success",
    Job.State.DEAD: "danger",
    Job.State.CANCELLED: "default",
}
_RESULT_COLOURS = {
    states.SUCCESS: "success",
    states.FAILURE: "danger",
    states.RETRY: "warning",
    states.REVOKED: "warning",
}


class KindFilter(DropdownFilter):
    """The kinds that this release knows; asking the table for its own would read all of it."""

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


class TaskNameFilter(DropdownFilter):
    """The tasks that this release knows."""

    title = "task"
    parameter_name = "task_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted(current_app.tasks) if not name.startswith("celery.")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TaskResult]) -> QuerySet[TaskResult]:
        return queryset.filter(task_name=self.value()) if self.value() else queryset


class ReadOnlyAdmin(BigListAdmin):
    """Rows that only the machinery writes: nobody adds, changes or deletes them here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Every durable piece of work: what waits, what runs where, and what was given up with which error."""

    list_display = ["what", "state_label", "done_so_far", "at_work", "short_error", "when"]
    list_filter = [("state", ChoicesDropdownFilter), KindFilter, QueueFilter]
    search_fields = ["title", "subject__startswith"]
    search_help_text = "Words of the title, or import/12"
    actions = ["retry"]
    fieldsets = [
        (None, {"fields": ["kind", "state", "progress", "subject", "queue"]}),
        ("Error", {"fields": ["full_error"]}),
        ("Payload", {"fields": ["pretty_payload"]}),
        ("Attempts", {"fields": ["attempts", "max_attempts", "worker", "lease", "task_id", "backend_pid"]}),
        ("Times", {"fields": ["created_at", "run_after", "hinted_at", "started_at", "finished_at"]}),
    ]
    readonly_fields = ["progress", "lease", "full_error", "pretty_payload"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Whoever may change jobs may have them tried again; by hand nobody changes one."""
        return request.user.has_perm("tasks.change_job")

    @admin.action(description="Try dead letters again", permissions=["retry"])
    def retry(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        count = retry(jobs)
        if not count:
            self.message_user(request, "None of these is a dead letter; nothing was changed.", messages.INFO)
            return
        what = "1 job is" if count == 1 else f"{count:,} jobs are"
        self.message_user(request, f"{what} waiting for a worker again.", messages.SUCCESS)

    @display(description="state", label=_STATE_COLOURS)
    def state_label(self, job: Job) -> tuple[str, str]:
        return job.state, job.get_state_display()

    @display(description="job", ordering="id")
    def what(self, job: Job) -> SafeString:
        return stacked(job.title, job.kind)

    @display(description="progress")
    def done_so_far(self, job: Job) -> SafeString:
        return stacked(self.progress(job), f"attempt {job.attempts} of {job.max_attempts}")

    @display(description="worker")
    def at_work(self, job: Job) -> SafeString:
        return stacked(job.worker or "–", job.lease_until and self.lease(job))

    @display(description="created", ordering="created_at")
    def when(self, job: Job) -> SafeString:
        return stacked(
            spoken(job.created_at), job.finished_at and format_html("ended {}", spoken(job.finished_at))
        )

    @display(description="error")
    def short_error(self, job: Job) -> SafeString | str:
        last_line = job.error.strip().rpartition("\n")[2]
        return format_html('<span title="{}">{}</span>', last_line, Truncator(last_line).chars(60)) or "–"

    @display(description="progress")
    def progress(self, job: Job) -> SafeString | str:
        if job.percent is None:
            return "–"
        return format_html(
            '<span class="tally-progress" title="{}"><progress max="100" value="{}"></progress>{} %</span>',
            f"{job.progress_current:,} of {job.progress_total:,}",
            job.percent,
            job.percent,
        )

    @display(description="lease")
    def lease(self, job: Job) -> SafeString | str:
        if job.lease_until is None:
            return "–"
        word = "lease ends" if job.lease_until > timezone.now() else "lease ran out"
        return format_html("{} {}", word, spoken(job.lease_until))

    @display(description="error")
    def full_error(self, job: Job) -> SafeString | str:
        return _log(job.error)

    @display(description="payload")
    def pretty_payload(self, job: Job) -> SafeString | str:
        return prettify_json(job.payload, None) or "–"


def _log(text: str | None) -> SafeString | str:
    return format_html('<div class="tally-log">{}</div>', text) if text else "–"


# These register themselves with Django's own looks; groups of results are not used here, and schedules are
# written in tasks/schedule.py, so there is nothing to choose between.
for _model in (
    TaskResult,
    GroupResult,
    PeriodicTask,
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    SolarSchedule,
):
    admin.site.unregister(_model)


@admin.register(TaskResult)
class TaskHistoryAdmin(ReadOnlyAdmin):
    """What Celery ran, for people; the truth about work is in the jobs."""

    list_display = ["what", "status_label", "seconds", "worker", "done"]
    list_filter = [("status", ChoicesDropdownFilter), TaskNameFilter]
    search_fields = ["task_id__exact", "worker"]
    search_help_text = "A task's id, or part of a worker's name"
    fieldsets = [
        (None, {"fields": ["task_name", "status", "task_id", "worker", "periodic_task_name"]}),
        ("Arguments", {"fields": ["task_args", "task_kwargs"]}),
        ("Result", {"fields": ["result", "full_traceback"]}),
        ("Times", {"fields": ["date_created", "date_started", "date_done", "seconds"]}),
    ]
    readonly_fields = ["full_traceback", "seconds", "date_created", "date_started", "result"]

    @display(description="task", ordering="task_name")
    def what(self, result: TaskResult) -> SafeString:
        return stacked(result.task_name or "–", Truncator((result.task_kwargs or "").strip('"')).chars(80))

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
        return _log(result.traceback)


@admin.register(PeriodicTask)
class ScheduleAdmin(ReadOnlyAdmin):
    """What beat sends and when. Read-only: each start of beat writes these from tasks/schedule.py."""

    list_display = ["name", "task", "every", "enabled", "last_run", "times_sent"]
    list_select_related = ["interval", "crontab", "solar", "clocked"]
    ordering = ["name"]
    fieldsets = [
        (None, {"fields": ["name", "task", "every", "enabled"]}),
        ("Runs", {"fields": ["last_run", "total_run_count", "queue", "expire_seconds"]}),
        ("Arguments", {"fields": ["args", "kwargs"]}),
    ]
    readonly_fields = ["every", "last_run"]

    @display(description="times sent", formatting="price")
    def times_sent(self, entry: PeriodicTask) -> int:
        return int(entry.total_run_count)

    @display(description="when")
    def every(self, entry: PeriodicTask) -> str:
        return str(entry.scheduler)

    @display(description="last sent")
    def last_run(self, entry: PeriodicTask) -> str:
        return spoken(entry.last_run_at)
