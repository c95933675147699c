"""Scheduled reports in the admin: what comes when and to whom, what became of it; run now, pause, resume."""

from __future__ import annotations

import io
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_htmx.http import HttpResponseClientRedirect
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import action, display

from reports import answering, panels, rendering, scheduling
from reports.cadence import CadenceError, in_words, parse
from reports.models import ReportRun, ReportSchedule
from reports.schedule_forms import ScheduleForm
from reports.schedule_parts import form_times_of, history_of, next_times_of
from tasks.listing import spoken, stacked

_TO_READ = (
    "name", "how_it_stands", "owner", "report", "period", "group_by", "compare", "filters", "language",
    "when", "next_five", "to", "cc", "bcc", "formats", "skip_if_empty", "catch_up", "pause_after",
)  # fmt: skip
_COLOURS = {"on": "success", "paused": "warning", "failing": "danger"}


@admin.register(ReportSchedule)
class ReportScheduleAdmin(ModelAdmin):
    """A schedule's page has the form with its next five times, and what became of the last ones."""

    form = ScheduleForm
    list_display = ["named", "standing", "due", "next_run", "last_run", "people"]
    list_display_links = ["named"]
    list_filter = [("enabled", BooleanRadioFilter)]
    list_select_related = ["crontab"]
    search_fields = ["name"]
    list_per_page = 50
    actions = ["run_now", "pause", "resume"]
    actions_detail = ["run_this_now", "preview", "pause_this", "resume_this"]
    warn_unsaved_form = True
    change_form_outer_after_template = "shop/panels.html"
    readonly_fields = ["next_five", "how_it_stands", "owner"]

    def get_fieldsets(self, request: HttpRequest, obj: ReportSchedule | None = None) -> Any:
        """A new one stands no way yet. Who may only look sees what is stored, not what is typed."""
        if obj and not self.has_change_permission(request, obj):
            return [(None, {"fields": [*_TO_READ]})]
        stands = [("how_it_stands", "owner")] if obj else []
        return [
            (None, {"fields": ["name", *stands]}),
            ("What", {"fields": [("report", "period"), ("group_by", "compare"), "language"]}),
            ("Only orders of", {"fields": [("country", "payment"), ("sku", "discount"), "category"]}),
            ("When", {"fields": [("when", "zone"), "next_five"]}),
            ("To whom", {"fields": ["to", ("cc", "bcc"), "formats", "skip_if_empty"]}),
            ("When things go wrong", {"fields": [("catch_up", "pause_after")]}),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Ours, in the admin's looks, with fields that the model has not. Who may only look needs none."""
        may_write = obj is None or self.has_change_permission(request, obj)
        fields = self.form.Meta.fields if may_write else []
        return super().get_form(request, obj, change, **{**kwargs, "fields": fields})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.readonly_fields

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        ours = [
            path("next/", site.admin_view(self.next_view), name="reports_reportschedule_next"),
            path(
                "<int:pk>/preview/", site.admin_view(self.preview_view), name="reports_reportschedule_preview"
            ),
        ]
        return ours + super().get_urls()

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReportSchedule]:
        """With the state of each one's last run that has ended."""
        ended = ReportRun.objects.filter(schedule=OuterRef("pk"), finished_at__isnull=False)
        last = ended.order_by("-pk").exclude(state=ReportRun.State.LEFT_OUT)
        return (
            super()
            .get_queryset(request)
            .annotate(
                last_state=Subquery(last.values("state")[:1]),
                last_ended=Subquery(last.values("finished_at")[:1]),
                last_pk=Subquery(last.values("pk")[:1]),
            )
        )

    def has_run_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("reports.run_report")

    def has_pause_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """`obj` is a key where Unfold asks: only one that runs is paused."""
        return self._may(request, obj, enabled=True)

    def has_resume_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj, enabled=False)

    def _may(self, request: HttpRequest, key: Any, *, enabled: bool) -> bool:
        if not self.has_run_permission(request):
            return False
        return key is None or ReportSchedule.objects.filter(pk=key, enabled=enabled).exists()

    def save_model(self, request: HttpRequest, obj: ReportSchedule, form: Any, change: bool) -> None:
        """Through `scheduling`, so that nothing is lost that was due before. Who makes one owns it."""
        if not change:
            obj.owner = request.user  # type: ignore[assignment] # nobody else gets here
        scheduling.save(obj, now=timezone.now())

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add the panels below the form of a schedule that is stored."""
        schedule = kwargs.get("obj")
        if schedule is not None:
            context["panels"] = [("History", history_of(schedule)), *panels.of_schedule(request, schedule)]
        return super().render_change_form(request, context, *args, **kwargs)

    # --- Pages ---------------------------------------------------------------------------------------------

    def next_view(self, request: HttpRequest) -> HttpResponse:
        """The next due times of what is being typed."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        try:
            now = timezone.now()
            cadence = parse(request.GET.get("when", ""), request.GET.get("zone", "").strip(), now=now)
            return HttpResponse(next_times_of(cadence))
        except CadenceError as error:
            return HttpResponse(render_to_string("reports/pages/next_runs.html", {"error": error}))

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The report as it would be now; nobody is sent anything."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        schedule = get_object_or_404(ReportSchedule.objects.select_related("crontab"), pk=pk)
        context: dict[str, Any] = {"schedule": schedule, "title": f"Preview: {schedule.name}"}
        try:
            answer, page = answering.answer(schedule.question(timezone.now())), io.BytesIO()
            rendering.render(answer, rendering.Format.HTML, page)
            context["page"] = page.getvalue().decode()
        except ValueError as error:
            context["error"] = str(error)
        frame = self.admin_site.each_context(request)
        return TemplateResponse(request, "reports/pages/preview.html", {**frame, **context})

    # --- Actions -------------------------------------------------------------------------------------------

    @admin.action(description="Run now", permissions=["run"])
    def run_now(self, request: HttpRequest, chosen: QuerySet[ReportSchedule]) -> None:
        """One report of each, mailed to its recipients."""
        for schedule in chosen.select_related("crontab"):
            scheduling.run_now(schedule, now=timezone.now(), by=request.user)
            self.log_change(request, schedule, "Run now")
        self.message_user(request, f"{len(chosen):,} being made and mailed.", messages.SUCCESS)

    @admin.action(description="Pause", permissions=["run"])
    def pause(self, request: HttpRequest, chosen: QuerySet[ReportSchedule]) -> None:
        count = sum(self._paused(request, schedule) for schedule in chosen)
        self.message_user(request, f"{count:,} paused.", messages.SUCCESS)

    @admin.action(description="Resume", permissions=["run"])
    def resume(self, request: HttpRequest, chosen: QuerySet[ReportSchedule]) -> None:
        count = sum(self._resumed(request, schedule) for schedule in chosen)
        self.message_user(request, f"{count:,} resumed.", messages.SUCCESS)

    def _paused(self, request: HttpRequest, schedule: ReportSchedule) -> bool:
        why = f"{request.user.get_username()} paused it."
        if done := scheduling.pause(schedule, now=timezone.now(), why=why):
            self.log_change(request, schedule, "Paused")
        return done

    def _resumed(self, request: HttpRequest, schedule: ReportSchedule) -> bool:
        if done := scheduling.resume(schedule, now=timezone.now()):
            self.log_change(request, schedule, "Resumed")
        return done

    @action(
        description="Run now",
        permissions=["run"],
        url_path="run-now",
        icon="play_arrow",
        dialog={
            "title": "Make this report now?",
            "description": "It is mailed to all recipients. Its due times stay as they are.",
            "form_submit_text": "Make and mail it",
        },
    )
    def run_this_now(self, request: Any, form: Any, object_id: str) -> HttpResponse:
        """Queue it and show its run."""
        schedule = get_object_or_404(ReportSchedule.objects.select_related("crontab"), pk=object_id)
        run = scheduling.run_now(schedule, now=timezone.now(), by=request.user)
        self.log_change(request, schedule, "Run now")
        return _to(request, reverse("admin:reports_reportrun_change", args=[run.pk]))

    @action(description="Preview", permissions=["view"], url_path="look", icon="visibility")
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The way to the preview."""
        return HttpResponseRedirect(reverse("admin:reports_reportschedule_preview", args=[object_id]))

    @action(
        description="Pause",
        permissions=["pause"],
        url_path="pause",
        icon="pause",
        dialog={
            "title": "Pause this schedule?",
            "description": "Nothing is made or mailed until somebody resumes it.",
            "form_submit_text": "Pause",
        },
    )
    def pause_this(self, request: Any, form: Any, object_id: str) -> HttpResponse:
        self._paused(request, get_object_or_404(ReportSchedule, pk=object_id))
        return _to(request, reverse("admin:reports_reportschedule_change", args=[object_id]))

    @action(
        description="Resume",
        permissions=["resume"],
        url_path="resume",
        icon="resume",
        dialog={
            "title": "Resume this schedule?",
            "description": "It goes on with its next due time; nothing is made up for.",
            "form_submit_text": "Resume",
        },
    )
    def resume_this(self, request: Any, form: Any, object_id: str) -> HttpResponse:
        self._resumed(request, get_object_or_404(ReportSchedule, pk=object_id))
        return _to(request, reverse("admin:reports_reportschedule_change", args=[object_id]))

    # --- Cells ---------------------------------------------------------------------------------------------

    @display(description="report", ordering="name")
    def named(self, schedule: ReportSchedule) -> SafeString:
        by = f" by {schedule.get_group_by_display()}" if schedule.group_by else ""
        return stacked(schedule.name, f"{schedule.report}{by}, {schedule.get_period_display()}")

    @display(description="state", label=_COLOURS)
    def standing(self, schedule: ReportSchedule) -> str:
        if not schedule.enabled:
            return "paused"
        return "failing" if schedule.failures else "on"

    @display(description="when")
    def due(self, schedule: ReportSchedule) -> SafeString:
        return stacked(in_words(schedule.cadence.cron), schedule.cadence.zone.key)

    @display(description="next", ordering="next_at")
    def next_run(self, schedule: ReportSchedule) -> SafeString | str:
        return spoken(schedule.next_at) if schedule.enabled else "–"

    @display(description="last")
    def last_run(self, schedule: Any) -> SafeString | str:
        if schedule.last_pk is None:
            return "–"
        address = reverse("admin:reports_reportrun_change", args=[schedule.last_pk])
        state = ReportRun.State(schedule.last_state).label
        link = format_html('<a class="tally-link" href="{}">{}</a>', address, state)
        return stacked(link, spoken(schedule.last_ended))

    @display(description="goes to")
    def people(self, schedule: ReportSchedule) -> SafeString:
        first, *others = schedule.recipients or ["nobody"]
        return stacked(first, f"and {len(others):,} more" if others else "")

    @display(description="next five times")
    def next_five(self, schedule: ReportSchedule) -> SafeString:
        """Asked for anew as somebody types; for a new one when the page is there."""
        return form_times_of(schedule.cadence if schedule.pk else None)

    @display(description="state")
    def how_it_stands(self, schedule: ReportSchedule) -> str:
        if not schedule.enabled:
            return f"Paused. {schedule.paused_why}"
        return f"On; failed {schedule.failures} times in a row" if schedule.failures else "On"


def _to(request: Any, address: str) -> HttpResponse:
    """A dialog is fetched by HTMX, which would follow an ordinary redirect inside of it."""
    return (HttpResponseClientRedirect if request.htmx else HttpResponseRedirect)(address)
