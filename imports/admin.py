"""Imports in the admin: their list, and the doors to their own pages."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from imports import history, line
from imports.export_admin import ExportRunAdmin as ExportRunAdmin
from imports.filters import KindFilter, OwnerFilter
from imports.models import ImportRun
from imports.pages import (
    approving,
    confirming,
    details,
    listing,
    receiving,
    steering,
    undoing,
    watching,
)
from imports.pages.doors import Check, View, door
from imports.pages.watching import outcomes_of
from imports.progress import progress_of
from imports.saved_admin import SavedMappingAdmin as SavedMappingAdmin
from imports.wording import lasted
from shop.filters import DayRangeFilter
from tasks.listing import spoken, stacked

_COLOURS = {
    # Unfold shows the words of a state only where it has an entry here.
    **dict.fromkeys(("planning", "staging", "checking", "loading", "finishing"), "primary"),
    "waiting": "",
    "previewed": "warning",
    "draft": "warning",
    "paused": "warning",
    "completed": "success",
    "failed": "danger",
    "cancelled": "warning",
}


_PEOPLE = ("owner", "confirmed_by", "approved_by", "undoes", "mirror_category")
# Nothing of these is in the list.
_LONG = (
    "dialect", "header", "mapping", "numbers", "options", "constants", "error", "forecast", "warnings",
    "ranges", "variant_ranges",
)  # fmt: skip


def _run_or_404(pk: int) -> ImportRun:
    return get_object_or_404(ImportRun.objects.select_related(*_PEOPLE), pk=pk)


@admin.register(ImportRun)
class ImportRunAdmin(ModelAdmin):
    """Nothing is added, edited or deleted in the usual way: an import is uploaded, confirmed and watched."""

    list_display = ["named", "state_shown", "bar", "all_rows", "rejected_rows", "took", "owner", "begun"]
    list_display_links = ["named"]
    list_filter = [
        ("state", ChoicesDropdownFilter),
        KindFilter,
        ("mode", ChoicesDropdownFilter),
        OwnerFilter,
        ("created_at", DayRangeFilter),
    ]
    list_filter_submit = True
    list_select_related = ["owner"]
    list_per_page = 50
    search_fields = ["filename"]
    search_help_text = "Words of the file's name, or a SKU that it had to do with"

    def get_urls(self) -> list[URLPattern]:
        """Every page has its own door: there is no other way to an import."""
        see, do = self.has_view_permission, self.has_add_permission
        doors = {
            "changelist": ("", self._door(self.changelist_view, see)),
            "add": ("add/", self._upload_door()),
            "template": ("template/", self._door(receiving.template, see)),
            "change": ("<int:pk>/change/", self._door(self._run, see)),
            "progress": ("<int:pk>/progress/", self._run_door(watching.fragment, see)),
            "cancel": ("<int:pk>/cancel/", self._run_door(steering.cancel, do)),
            "pause": ("<int:pk>/pause/", self._run_door(steering.pause, do)),
            "resume": ("<int:pk>/resume/", self._run_door(steering.resume, do)),
            "undo": ("<int:pk>/undo/", self._run_door(undoing.undo, undoing.may_undo)),
            "file": ("<int:pk>/file/", self._run_door(details.download, see)),
            "rejected": ("<int:pk>/rejected/", self._run_door(listing.rejected, see)),
            "preview_csv": ("<int:pk>/preview.csv", self._run_door(listing.preview_csv, see)),
            "repaired": ("<int:pk>/repaired/", self._run_door(listing.repaired, see)),
            "retry": ("<int:pk>/retry/", self._run_door(listing.retry, do)),
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
        if run.state == ImportRun.State.PREVIEWED:
            return approving.previewed(request, run)
        if run.state != ImportRun.State.DRAFT:
            return watching.watch(request, run)
        if not self.has_add_permission(request):
            raise PermissionDenied
        return confirming.confirm(request, run)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportRun]:
        # Their details are long and the list shows none of them.
        undos = ImportRun.objects.defer(*_LONG).order_by("pk")
        listed = super().get_queryset(request).defer(*_LONG)
        return listed.prefetch_related(Prefetch("undone_by", undos))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ImportRun], search_term: str
    ) -> tuple[QuerySet[ImportRun], bool]:
        """Runs with all the words in their file's name, and those that had to do with the term as a SKU."""
        term = search_term.strip()
        if not term:
            return queryset, False
        named = Q()
        for word in term.split():
            named &= Q(filename__icontains=word)
        return queryset.filter(named | Q(pk__in=history.runs_touching(term))), False

    def has_view_permission(self, request: HttpRequest, obj: ImportRun | None = None) -> bool:
        """Who may import or undo may also see what became of it."""
        may = super().has_view_permission(request, obj) or self.has_add_permission(request)
        return may or undoing.may_undo(request)

    def has_change_permission(self, request: HttpRequest, obj: ImportRun | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ImportRun | None = None) -> bool:
        return False

    @display(description="import", ordering="filename")
    def named(self, run: ImportRun) -> SafeString:
        return stacked(str(run), _kind(run))

    @display(description="state", ordering="state", label=_COLOURS)
    def state_shown(self, run: ImportRun) -> tuple[str, str]:
        if run.paused_at:
            return "paused", f"paused, {run.get_state_display()}"
        if place := line.place_of(run):
            return run.state, f"waiting, number {place.before + 1:,} in line"
        return run.state, run.get_state_display()

    @display(description="outcome")
    def bar(self, run: ImportRun) -> SafeString:
        """How far it is, and when it has ended, its rows by outcome."""
        percent = progress_of(run).percent
        if run.has_ended and run.rows:
            return render_to_string("imports/outcome_bar.html", {"run": run, "outcomes": outcomes_of(run)})
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

    @display(description="took", formatting="price")
    def took(self, run: ImportRun) -> SafeString | str:
        if not run.has_ended or run.seconds is None:
            return "–"
        rate = run.summary()["rows_per_second"]
        return stacked(lasted(round(run.seconds, 1)), f"{rate:,} {run.unit}/s" if rate else "")

    @display(description="begun", ordering="created_at")
    def begun(self, run: ImportRun) -> SafeString | str:
        return spoken(run.created_at)


def _kind(run: ImportRun) -> str:
    """What it was asked to do, where that is not the usual, and what took it back."""
    said = ["With a preview"] if run.preview else []
    said += [run.get_mode_display()] if run.mode != ImportRun.Mode.UPSERT else []
    said += [f"Taken back by {undo.name.lower()}" for undo in run.undone_by.all() if undo.landed]
    return " · ".join(said)
