"""Jobs in the admin: all durable work in one list, what holds each up, and what operators do about it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django_htmx.http import HttpResponseClientRedirect
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action

from tasks import operating, queueing
from tasks.filters import KindFilter, QueueFilter, TroubleFilter
from tasks.flower_links import to_flower
from tasks.job_cells import JobCells, JobList, look_up
from tasks.listing import ReadOnlyAdmin
from tasks.models import Job


@admin.register(Job)
class JobAdmin(JobCells, ReadOnlyAdmin):
    """Every durable piece of work: what waits, what runs where, and what was given up with which error."""

    list_display = ["what", "owner", "state_label", "done_so_far", "at_work", "short_error", "when"]
    list_filter = [("state", ChoicesDropdownFilter), KindFilter, QueueFilter, TroubleFilter]
    search_fields = ["title", "subject__startswith"]
    search_help_text = "Words of the title, or import/12"
    actions = ["retry", "retry_alike", "put_first", "put_back_in_line", "discard"]
    actions_detail = ["retry_this", "retry_all_like_this", "put_this_first", "discard_this"]
    fieldsets = [
        (None, {"fields": ["kind", "state", "hindrance", "progress", "owner", "queue", "in_line"]}),
        ("Error", {"fields": ["full_error", "others_alike"]}),
        ("Payload", {"fields": ["pretty_payload"]}),
        ("Attempts", {"fields": ["attempts", "max_attempts", "worker", "lease", "task", "backend_pid"]}),
        ("Times", {"fields": ["created_at", "run_after", "hinted_at", "started_at", "finished_at"]}),
    ]
    readonly_fields = [
        "hindrance", "progress", "owner", "in_line", "lease", "full_error", "others_alike",
        "pretty_payload", "task",
    ]  # fmt: skip

    # --- Who may what --------------------------------------------------------------------------------------

    def has_operate_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whoever may change jobs may operate them; by hand nobody changes a field."""
        return request.user.has_perm("tasks.change_job")

    def has_retry_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """For a job that can be tried again. `obj`: its key, where Unfold asks; so in all of these."""
        return self._may(request, obj, Job.State.DEAD, Job.State.QUEUED)

    def has_alike_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return self._may(request, obj, Job.State.DEAD)

    def has_first_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return self._may(request, obj, Job.State.QUEUED)

    def has_discard_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return self._may(request, obj, *operating.DISCARDABLE)

    def _may(self, request: HttpRequest, key: Any, *states: str) -> bool:
        return self.has_operate_permission(request) and (
            key is None or Job.objects.filter(pk=key, state__in=states).exists()
        )

    # --- Pages ---------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[JobList]:
        return JobList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Job | None:
        job = super().get_object(request, object_id, from_field)
        if job is not None:
            look_up([job], request)
        return job

    def get_urls(self) -> list[URLPattern]:
        """With the way to Flower, for all staff."""
        view = self.admin_site.admin_view(self.flower)
        return [path("flower/", view, name="tasks_job_flower"), *super().get_urls()]

    def flower(self, request: HttpRequest) -> HttpResponse:
        """Lead who has just logged in on to `to`, a path of Flower's.

        By a page and not by a redirect: a browser holds the answers to the login's form to our own server.
        """
        wanted = request.GET.get("to", "")
        address = to_flower(request, wanted if wanted.startswith("/") else "/")
        mark = "&" if "?" in address else "?"
        context = {"title": "Flower", "address": f"{address}{mark}logged-in=1"}
        return TemplateResponse(
            request, "tasks/to_flower.html", {**self.admin_site.each_context(request), **context}
        )

    # --- Actions of the list -------------------------------------------------------------------------------

    @admin.action(description="Try again", permissions=["operate"])
    def retry(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._retried(request, jobs)

    @admin.action(description="Try all like these again", permissions=["operate"])
    def retry_alike(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._retried(request, _alike(jobs))

    @admin.action(description="Do next", permissions=["operate"])
    def put_first(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._put_first(request, jobs)

    @admin.action(description="Back in line", permissions=["operate"])
    def put_back_in_line(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        found = queueing.put_back_in_line(jobs)
        self._note(request, found, "Back in line")
        self._say(request, len(found), "back in line", "None of these was put first; nothing was changed.")

    @admin.action(description="Discard…", permissions=["operate"])
    def discard(self, request: HttpRequest, jobs: QuerySet[Job]) -> HttpResponse | None:
        """Ask first, then cancel those that wait or were given up."""
        if request.POST.get("sure") == "yes":
            self._discarded(request, jobs)
            return None
        found = jobs.filter(state__in=operating.DISCARDABLE).order_by("pk")
        first, count, dead = list(found[:20]), found.count(), found.filter(state=Job.State.DEAD).count()
        look_up(first, request)
        context = {
            "title": "Discard jobs?", "jobs": first, "more": count - len(first), "count": count, "dead": dead,
            "waiting": count - dead, "untouched": jobs.count() - count,
            "selected": request.POST.getlist("_selected_action"),
            "across": request.POST.get("select_across", "0"),
        }  # fmt: skip
        return TemplateResponse(
            request, "tasks/discard.html", {**self.admin_site.each_context(request), **context}
        )

    # --- Actions of a job's page ---------------------------------------------------------------------------

    @action(
        description="Try again",
        permissions=["retry"],
        url_path="retry",
        icon="replay",
        dialog={
            "title": "Try this job again?",
            "description": "A worker takes it as soon as one is free. A dead letter gets all attempts anew.",
            "form_submit_text": "Try again",
        },
    )
    def retry_this(self, request: Any, form: Any, object_id: str) -> HttpResponse:
        self._retried(request, Job.objects.filter(pk=object_id))
        return _shown(request, object_id)

    @action(
        description="Try all like this again",
        permissions=["alike"],
        url_path="retry-alike",
        icon="library_add_check",
        dialog={
            "title": "Try all dead letters like this again?",
            "description": "Those of the same kind whose error ends alike. The page has their number.",
            "form_submit_text": "Try all again",
        },
    )
    def retry_all_like_this(self, request: Any, form: Any, object_id: str) -> HttpResponse:
        self._retried(request, _alike(Job.objects.filter(pk=object_id)))
        return _shown(request, object_id)

    @action(
        description="Do next",
        permissions=["first"],
        url_path="first",
        icon="vertical_align_top",
        dialog={
            "title": "Do this job next?",
            "description": "The next worker of its queue that is free takes it, before all others that wait.",
            "form_submit_text": "Do it next",
        },
    )
    def put_this_first(self, request: Any, form: Any, object_id: str) -> HttpResponse:
        self._put_first(request, Job.objects.filter(pk=object_id))
        return _shown(request, object_id)

    @action(
        description="Discard",
        permissions=["discard"],
        url_path="discard",
        icon="delete_sweep",
        dialog={
            "title": "Discard this job?",
            "description": "It is never done. An import, export or report that it works for fails, if it has "
            "not ended already; what it wrote so far stays.",
            "form_submit_text": "Discard it",
        },
    )
    def discard_this(self, request: Any, form: Any, object_id: str) -> HttpResponse:
        self._discarded(request, Job.objects.filter(pk=object_id))
        return _shown(request, object_id)

    # --- What they share -----------------------------------------------------------------------------------

    def _retried(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        found = queueing.retry(jobs)
        self._note(request, found, "Tried again")
        nothing = "None of these is a dead letter, or pauses before its next attempt; nothing was changed."
        self._say(request, len(found), "waiting for a worker again", nothing)

    def _put_first(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        found = queueing.put_first(jobs)
        self._note(request, found, "Put first")
        self._say(request, len(found), "next in line", "None of these waits; nothing was changed.")

    def _discarded(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        found = operating.discard(jobs, by=request.user.get_username())
        self._note(request, found, "Discarded")
        nothing = "None of these waits or was given up; nothing was changed."
        self._say(request, len(found), "discarded", nothing)

    def _note(self, request: HttpRequest, jobs: list[Job], what: str) -> None:
        """In the log of each, which its page shows as its history."""
        if jobs:
            LogEntry.objects.log_actions(request.user.pk, jobs, CHANGE, change_message=what)  # type: ignore[arg-type]

    def _say(self, request: HttpRequest, count: int, what: str, nothing: str) -> None:
        if count:
            text = f"{count:,} job{' is' if count == 1 else 's are'} {what}."
            self.message_user(request, text, messages.SUCCESS)
        else:
            self.message_user(request, nothing, messages.INFO)


def _alike(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """All dead letters that are like one of these, which may be many: what they share is looked at once."""
    kinds = {(job.kind, operating.last_line(job.error)): job for job in jobs.filter(state=Job.State.DEAD)}
    keys = {key for job in kinds.values() for key in operating.alike(job).values_list("pk", flat=True)}
    return Job.objects.filter(pk__in=keys)


def _shown(request: Any, object_id: str) -> HttpResponse:
    """The job's page again. The dialog is fetched by HTMX, which would follow a redirect inside of it."""
    target = reverse("admin:tasks_job_change", args=[object_id])
    return (HttpResponseClientRedirect if request.htmx else HttpResponseRedirect)(target)
