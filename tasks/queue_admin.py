"""The queues in the admin: what stands in each, and pausing one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from tasks import operating
from tasks.listing import BigList, ReadOnlyAdmin, spoken, stacked
from tasks.models import Job, Queue

_REASONS = {
    "default": "Housekeeping: short, and never behind an import",
    "imports": "Pieces of imports, undos and exports",
    "mail": "Mails",
    "reports": "Reports, and PDFs of invoices",
    "search": "The search index, which follows the catalogue",
}


class QueueList(BigList):
    """The queues, each with its figures."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        figures = operating.figures()
        for queue in self.result_list:
            queue.figures = figures.get(queue.name, operating.Figures())


@admin.register(Queue)
class QueueAdmin(ReadOnlyAdmin):
    """What waits where; paused, no job of a queue is begun, however many workers serve it."""

    list_display = ["what", "state", "waiting", "oldest", "running", "later", "dead"]
    list_display_links = None
    actions = ["pause", "resume"]
    list_filter_submit = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[QueueList]:
        return QueueList

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Pausing is what the permission to change queues allows here."""
        return request.user.has_perm("tasks.change_queue")

    @admin.action(description="Pause", permissions=["operate"])
    def pause(self, request: HttpRequest, queues: QuerySet[Queue]) -> None:
        """What is at work ends; nothing more is begun before somebody resumes it."""
        paused = operating.pause(_names(queues), by=request.user.get_username())
        self._note(request, paused, "Paused")
        self._say(request, paused, "paused. What is at work ends; nothing more is begun")

    @admin.action(description="Resume", permissions=["operate"])
    def resume(self, request: HttpRequest, queues: QuerySet[Queue]) -> None:
        resumed = operating.resume(_names(queues), by=request.user.get_username())
        self._note(request, resumed, "Resumed")
        self._say(request, resumed, "open again")

    def _note(self, request: HttpRequest, names: list[str], what: str) -> None:
        if names:
            changed = Queue.objects.filter(name__in=names)
            LogEntry.objects.log_actions(request.user.pk, changed, CHANGE, change_message=what)  # type: ignore[arg-type]

    def _say(self, request: HttpRequest, names: list[str], what: str) -> None:
        if names:
            verb = "is" if len(names) == 1 else "are"
            self.message_user(request, f"{', '.join(names)} {verb} {what}.", messages.SUCCESS)
        else:
            self.message_user(request, "They were so already; nothing was changed.", messages.INFO)

    @display(description="queue", ordering="name")
    def what(self, queue: Queue) -> SafeString:
        return stacked(queue.name, _REASONS.get(queue.name))

    @display(description="state", label={"open": "success", "paused": "warning", "unserved": "danger"})
    def state(self, queue: Queue) -> tuple[str, str]:
        if queue.name not in {served.name for served in settings.CELERY_TASK_QUEUES}:
            return "unserved", "no worker serves it"
        if queue.paused_at:
            return "paused", f"paused by {queue.paused_by}"
        return "open", "open"

    @display(description="due")
    def waiting(self, queue: Any) -> SafeString | str:
        return _listed(queue.figures.waiting, queue=queue.name, state__exact=Job.State.QUEUED)

    @display(description="oldest due since")
    def oldest(self, queue: Any) -> SafeString | str:
        return spoken(queue.figures.oldest)

    @display(description="running")
    def running(self, queue: Any) -> SafeString | str:
        return _listed(queue.figures.running, queue=queue.name, state__exact=Job.State.RUNNING)

    @display(description="later, on hold")
    def later(self, queue: Any) -> str:
        return f"{queue.figures.later:,}, {queue.figures.held:,}"

    @display(description="dead letters")
    def dead(self, queue: Any) -> SafeString | str:
        return _listed(queue.figures.dead, queue=queue.name, state__exact=Job.State.DEAD)


def _names(queues: QuerySet[Queue]) -> list[str]:
    return list(queues.values_list("name", flat=True))


def _listed(count: int, **filters: str) -> SafeString | str:
    """The number, as a link to those jobs."""
    if not count:
        return "0"
    address = reverse("admin:tasks_job_changelist", query=filters)
    return format_html('<a class="tally-link" href="{}">{}</a>', address, f"{count:,}")
