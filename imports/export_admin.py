"""Exports in the admin: their list, and the doors to their own pages."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from imports.models import ExportRun
from imports.pages import exporting
from imports.pages.doors import Check, View, door
from tasks.listing import spoken, stacked

_COLOURS = {"completed": "success", "failed": "danger", "cancelled": "warning"}


@admin.register(ExportRun)
class ExportRunAdmin(ModelAdmin):
    """Nothing is added, edited or deleted in the usual way: an export is chosen, watched and downloaded."""

    list_display = ["named", "state_shown", "all_rows", "file_size", "owner", "begun", "download"]
    list_display_links = ["named"]
    list_filter = ["state"]
    list_select_related = ["owner"]
    list_per_page = 50

    def get_urls(self) -> list[URLPattern]:
        """Every page has its own door: there is no other way to an export."""
        see, do = self.has_view_permission, self.has_add_permission
        site = self.admin_site
        doors = {
            "changelist": ("", door(site, self.changelist_view, see)),
            "add": ("add/", door(site, exporting.choose, do)),
            "change": ("<int:pk>/change/", self._run_door(exporting.watch, see)),
            "progress": ("<int:pk>/progress/", self._run_door(exporting.fragment, see)),
            "cancel": ("<int:pk>/cancel/", self._run_door(exporting.cancel, do)),
            "download": ("<int:pk>/download/", self._run_door(exporting.download, see)),
        }
        return [path(route, view, name=f"imports_exportrun_{name}") for name, (route, view) in doors.items()]

    def _run_door(self, view: View, allowed: Check) -> View:
        def with_run(request: HttpRequest, pk: int) -> HttpResponseBase:
            return view(request, get_object_or_404(ExportRun.objects.select_related("owner"), pk=pk))

        return door(self.admin_site, with_run, allowed)

    def has_view_permission(self, request: HttpRequest, obj: ExportRun | None = None) -> bool:
        """Who may export may also see what became of it."""
        return super().has_view_permission(request, obj) or self.has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: ExportRun | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ExportRun | None = None) -> bool:
        return False

    @display(description="export", ordering="pk")
    def named(self, run: ExportRun) -> SafeString:
        return stacked(f"{run}: {exporting.kind_of(run)}", exporting.what(run))

    @display(description="state", ordering="state", label=_COLOURS)
    def state_shown(self, run: ExportRun) -> tuple[str, str]:
        return run.state, run.get_state_display()

    @display(description="rows", ordering="rows", formatting="price")
    def all_rows(self, run: ExportRun) -> str:
        return f"{run.rows:,}" if run.state == ExportRun.State.COMPLETED else "–"

    @display(description="size", ordering="size", formatting="price")
    def file_size(self, run: ExportRun) -> str:
        return filesizeformat(run.size) if run.size else "–"

    @display(description="begun", ordering="created_at")
    def begun(self, run: ExportRun) -> SafeString | str:
        return spoken(run.created_at)

    @display(description="file")
    def download(self, run: ExportRun) -> SafeString | str:
        if not run.file:
            return "–"
        address = reverse("admin:imports_exportrun_download", args=[run.pk])
        return format_html('<a class="tally-link" href="{}">Download</a>', address)
