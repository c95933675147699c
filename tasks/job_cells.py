"""What the list and the page of jobs show of each: its cells, and what is looked up for them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.decorators import display
from unfold.utils import prettify_json

from tasks import operating, owners
from tasks.flower_links import to_task
from tasks.listing import BigList, log, spoken, stacked
from tasks.models import Job, Queue
from tasks.troubles import trouble

_STATE_COLOURS = {
    Job.State.QUEUED: "default",
    Job.State.HELD: "default",
    Job.State.RUNNING: "primary",
    Job.State.DONE: "success",
    Job.State.DEAD: "danger",
    Job.State.CANCELLED: "default",
}


class JobList(BigList):
    """A page of jobs that know what they work for and what holds them up."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        look_up(list(self.result_list), request)


def look_up(jobs: list[Job], request: HttpRequest) -> None:
    """Give each job what its cells show besides its own fields; a query for the queues, and one for each kind
    of thing that the jobs work for."""
    paused = set(Queue.objects.filter(paused_at__isnull=False).values_list("name", flat=True))
    things, now = owners.shown(jobs, request.user), timezone.now()
    for job in jobs:
        job.thing, job.whose = things.get(job.subject, ("", ""))  # type: ignore[attr-defined]
        job.trouble = trouble(job, now=now, paused=paused)  # type: ignore[attr-defined]
        job.in_flower = to_task(request, job.task_id) if job.task_id else ""  # type: ignore[attr-defined]


class JobCells:
    """Mixed into the admin of jobs; the jobs have been through `look_up`."""

    @display(description="job", ordering="id")
    def what(self, job: Job) -> SafeString:
        return stacked(job.title, f"{job.kind} · {job.queue}")

    @display(description="for")
    def owner(self, job: Any) -> SafeString | str:
        return stacked(job.thing or "–", job.whose)

    @display(description="state", label=_STATE_COLOURS)
    def state_label(self, job: Job) -> tuple[str, str]:
        return job.state, job.get_state_display()

    @display(description="progress")
    def done_so_far(self, job: Job) -> SafeString:
        return stacked(self.progress(job), f"attempt {job.attempts} of {job.max_attempts}")

    @display(description="worker")
    def at_work(self, job: Job) -> SafeString:
        return stacked(job.worker or "–", job.lease_until and self.lease(job))

    @display(description="created", ordering="created_at")
    def when(self, job: Job) -> SafeString:
        return stacked(spoken(job.created_at), _next(job))

    @display(description="error")
    def short_error(self, job: Any) -> SafeString | str:
        last = operating.last_line(job.error)
        error = format_html('<span title="{}">{}</span>', last, Truncator(last).chars(60)) or "–"
        if not job.trouble:
            return error
        warning = format_html('<span class="tally-trouble">{}</span>', job.trouble)
        return stacked(warning, last and error)

    @display(description="held up by")
    def hindrance(self, job: Any) -> SafeString | str:
        return format_html('<span class="tally-trouble">{}</span>', job.trouble) if job.trouble else "–"

    @display(description="in line")
    def in_line(self, job: Job) -> str:
        return "before all others" if job.priority > 0 else "as it came"

    @display(description="task")
    def task(self, job: Any) -> SafeString | str:
        if not job.task_id:
            return "–"
        return format_html('<a class="tally-link" href="{}">{}</a>', job.in_flower, job.task_id)

    @display(description="like it")
    def others_alike(self, job: Job) -> SafeString | str:
        if job.state != Job.State.DEAD:
            return "–"
        count = operating.alike(job).count()
        return "no other dead letter" if count == 1 else f"{count:,} dead letters, with this one"

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
        return log(job.error)

    @display(description="payload")
    def pretty_payload(self, job: Job) -> SafeString | str:
        return prettify_json(job.payload, None) or "–"


def _next(job: Job) -> SafeString | str:
    if job.finished_at:
        return format_html("ended {}", spoken(job.finished_at))
    if job.state == Job.State.QUEUED and job.run_after > timezone.now():
        return format_html("{} {}", "next try" if job.attempts else "due", spoken(job.run_after))
    return "first in line" if job.state == Job.State.QUEUED and job.priority > 0 else ""
