"""Imports in the admin: their list, and the doors to their own pages."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from imports.export_admin import ExportRunAdmin as ExportRunAdmin
from imports.models import ImportRun
from imports.pages import confirming, listing, receiving, watching
from imports.pages.doors import Check, View, door
from imports.progress import progress_of
from tasks.listing import spoken

_COLOURS = {
    "draft": "warning",
    "completed": "success",
    "failed": "danger",
    "cancelled": "warning",
}


def _run_or_404(pk: int) -> ImportRun:
    return get_object_or_404(ImportRun.objects.select_related("owner"), pk=pk)


@admin.register(ImportRun)
class ImportRunAdmin(ModelAdmin):
    """Nothing is added, edited or deleted in the usual way: an import is uploaded, confirmed and watched."""

    list_display = ["named", "state_shown", "bar", "all_rows", "rejected_rows", "success", "owner", "begun"]
    list_display_links = ["named"]
    list_filter = ["state"]
    list_select_related = ["owner"]
    list_per_page = 50
    search_fields = ["filename"]
    search_help_text = "Words of the file's name"

    def get_urls(self) -> list[URLPattern]:
        """Every page has its own door: there is no other way to an import."""
        see, do = self.has_view_permission, self.has_add_permission
        doors = {
            "changelist": ("", self._door(self.changelist_view, see)),
            "add": ("add/", self._upload_door()),
            "template": ("template/", self._door(receiving.template, see)),
            "change": ("<int:pk>/change/", self._door(self._run, see)),
            "progress": ("<int:pk>/progress/", self._run_door(watching.fragment, see)),
            "cancel": ("<int:pk>/cancel/", self._run_door(watching.cancel, do)),
            "rejected": ("<int:pk>/rejected/", self._run_door(listing.rejected, see)),
            "repaired": ("<int:pk>/repaired/", self._run_door(listing.repaired, see)),
            "set_aside": ("<int:pk>/set-aside/", self._run_door(listing.set_aside, see)),
        }
        return [path(route, door, name=f"imports_importrun_{name}") for name, (route, door) in doors.items()]

    def _door(self, view: View, allowed: Check) -> View:
        return door(self.admin_site, view, allowed)

    def _run_door(self, view: View, allowed: Check) -> View:
        def with_run(request: HttpRequest, pk: int) -> HttpResponseBase:
            return view(request, _run_or_404(pk))

        return self._door(with_run, allowed)

    def _upload_door(self) -> View:
        """The limit must stand before the form is read, and the check of its token reads it."""
        inner = self._door(receiving.upload, self.has_add_permission)

        def limited(request: HttpRequest) -> HttpResponseBase:
            receiving.limit_upload(request)
            return inner(request)

        limited.csrf_exempt = True  # type: ignore[attr-defined] # of the middleware: `admin_view` checks it
        return limited

    def _run(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        run = _run_or_404(pk)
        if run.state != ImportRun.State.DRAFT:
            return watching.watch(request, run)
        if not self.has_add_permission(request):
            raise PermissionDenied
        return confirming.confirm(request, run)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportRun]:
        # Their details are long and the list shows none of them.
        return super().get_queryset(request).defer("dialect", "header", "mapping", "error")

    def has_view_permission(self, request: HttpRequest, obj: ImportRun | None = None) -> bool:
        """Who may import may also see what became of it."""
        return super().has_view_permission(request, obj) or self.has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: ImportRun | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ImportRun | None = None) -> bool:
        return False

    @display(description="import", ordering="filename")
    def named(self, run: ImportRun) -> str:
        return str(run)

    @display(description="state", ordering="state", label=_COLOURS)
    def state_shown(self, run: ImportRun) -> tuple[str, str]:
        return run.state, run.get_state_display()

    @display(description="progress")
    def bar(self, run: ImportRun) -> SafeString:
        percent = progress_of(run).percent
        return format_html(
            '<span class="tally-progress"><progress max="100" value="{}"></progress> {} %</span>',
            percent,
            percent,
        )

    @display(description="rows", ordering="rows", formatting="price")
    def all_rows(self, run: ImportRun) -> str:
        return f"{run.rows:,}" if run.lines else "–"

    @display(description="rejected", ordering="rejected", formatting="price")
    def rejected_rows(self, run: ImportRun) -> str:
        return f"{run.rejected:,}" if run.lines else "–"

    @display(description="success", formatting="price")
    def success(self, run: ImportRun) -> str:
        # Rounded down: 100 % must mean every row.
        return f"{int(run.success_rate * 1000) / 10:.1f} %" if run.state == ImportRun.State.COMPLETED else "–"

    @display(description="begun", ordering="created_at")
    def begun(self, run: ImportRun) -> SafeString | str:
        return spoken(run.created_at)
