"""Reports made, in the admin: how far each is, its files, its mails."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from reports import asking_pages, panels
from reports.models import ReportFile, ReportRun
from reports.periods import Period
from tasks.admin import ReadOnlyAdmin
from tasks.listing import spoken, stacked
from tasks.models import Job

_COLOURS = {"done": "success", "failed": "danger", "running": "primary", "left_out": "warning"}


@admin.register(ReportRun)
class ReportRunAdmin(ReadOnlyAdmin):
    """Nothing is changed here: a schedule or a person asks for a report, a worker makes it."""

    list_display = ["named", "state_shown", "days", "due", "downloads", "mailed"]
    list_display_links = ["named"]
    list_filter = [("state", ChoicesDropdownFilter)]
    list_select_related = ["schedule", "owner"]
    search_fields = ["title"]
    search_help_text = "Words of its name"
    change_form_outer_after_template = "shop/panels.html"
    fieldsets = [
        (None, {"fields": ["title", "how_far", "of_schedule", "days"]}),
        ("What was asked", {"fields": ["asked_by", "compared", "filters"]}),
        ("Times", {"fields": [("due", "created_at"), ("started_at", "finished_at"), "mailed_at"]}),
        ("To whom", {"fields": ["to_all", "cc_all", "bcc_all"]}),
    ]
    readonly_fields = [
        "how_far", "of_schedule", "days", "asked_by", "compared", "filters", "due", "created_at", "to_all",
        "cc_all", "bcc_all",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        files = Prefetch("files", ReportFile.objects.filter(cid=""), to_attr="found")
        return super().get_queryset(request).prefetch_related(files)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """A schedule's page leads here with its own."""
        return lookup == "schedule__id__exact" or super().lookup_allowed(lookup, value, request)

    def get_urls(self) -> list[URLPattern]:
        door = self.admin_site.admin_view
        ours = [
            path("<int:pk>/progress/", door(self.progress_view), name="reports_reportrun_progress"),
            path("<int:pk>/file/<int:file>/", door(self.file_view), name="reports_reportrun_file"),
        ]
        return asking_pages.urls() + ours + super().get_urls()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        run = kwargs.get("obj")
        if run is not None:
            context["panels"] = panels.of_run(request, run)
        return super().render_change_form(request, context, *args, **kwargs)

    def _run(self, request: HttpRequest, pk: int) -> ReportRun:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(ReportRun, pk=pk)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What changes while it is made, asked for once a second until it has ended."""
        return HttpResponse(progress_of(self._run(request, pk)))

    def file_view(self, request: HttpRequest, pk: int, file: int) -> HttpResponse | FileResponse:
        """The file, as an attachment; back to the page where it is gone."""
        run = self._run(request, pk)
        found = get_object_or_404(ReportFile, pk=file, run=run)
        try:
            stream = found.open()
        except OSError:
            messages.error(request, f"{found.name} is gone from the storage. Run the report again.")
            return HttpResponseRedirect(reverse("admin:reports_reportrun_change", args=[pk]))
        return FileResponse(stream, as_attachment=True, filename=found.name, content_type=found.mimetype)

    @display(description="report", ordering="pk")
    def named(self, run: ReportRun) -> SafeString:
        return stacked(run.title, f"No. {run.pk}{', by hand' if run.due_at is None else ''}")

    @display(description="state", ordering="state", label=_COLOURS)
    def state_shown(self, run: ReportRun) -> tuple[str, str]:
        return run.state, run.get_state_display()

    @display(description="days")
    def days(self, run: ReportRun) -> str:
        return _days(run.asked.period)

    @display(description="due", ordering="due_at")
    def due(self, run: ReportRun) -> SafeString | str:
        return spoken(run.due_at)

    @display(description="mailed", ordering="mailed_at")
    def mailed(self, run: ReportRun) -> SafeString | str:
        return spoken(run.mailed_at)

    @display(description="files")
    def downloads(self, run: Any) -> SafeString | str:
        links = (
            (reverse("admin:reports_reportrun_file", args=[run.pk, file.pk]), file.name, file.format.upper())
            for file in run.found
        )
        return format_html_join(" ", '<a class="tally-link" href="{}" aria-label="{}">{}</a>', links) or "–"

    @display(description="state")
    def how_far(self, run: ReportRun) -> SafeString:
        return progress_of(run)

    @display(description="schedule")
    def of_schedule(self, run: ReportRun) -> SafeString | str:
        if run.schedule is None:
            return f"None; asked for by {run.owner}" if run.owner else "None"
        address = reverse("admin:reports_reportschedule_change", args=[run.schedule.pk])
        return format_html('<a class="tally-link" href="{}">{}</a>', address, run.schedule.name)

    @display(description="report")
    def asked_by(self, run: ReportRun) -> str:
        asked = run.asked
        return f"{asked.report}, by {asked.group_by}" if asked.group_by else asked.report

    @display(description="compared with")
    def compared(self, run: ReportRun) -> str:
        compared = run.asked.compared()
        return _days(compared) if compared else "–"

    @display(description="only orders of")
    def filters(self, run: ReportRun) -> str:
        return ", ".join(f"{name} {value}" for name, value in run.asked.filters.items()) or "–"

    @display(description="to")
    def to_all(self, run: ReportRun) -> str:
        return ", ".join(run.to) or "–"

    @display(description="copy to")
    def cc_all(self, run: ReportRun) -> str:
        return ", ".join(run.cc) or "–"

    @display(description="hidden copy to")
    def bcc_all(self, run: ReportRun) -> str:
        return ", ".join(run.bcc) or "–"


def _days(period: Period) -> str:
    return f"{period.first}" if period.days == 1 else f"{period.first} – {period.last}"


def progress_of(run: ReportRun) -> SafeString:
    """Its state, which asks for itself again until the run has ended."""
    job = None if run.has_ended else Job.objects.of(run.subject).order_by("-pk").first()
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at and run.started_at else 0
    context = {
        "run": run,
        "job": job,
        "seconds": f"{seconds:.1f}",
        "files": run.files.filter(cid=""),
        "days": settings.REPORT_RETENTION_DAYS,
    }
    return render_to_string("reports/pages/progress.html", context)
