"""Alerts to read, and the document with their remedies."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from monitoring import handbook, health
from monitoring.models import Alert
from tasks.listing import BigListAdmin, spoken, stacked


class OpenFilter(admin.SimpleListFilter):
    """Those that are not over."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("open", "open"), ("cleared", "cleared")]

    def queryset(self, request: HttpRequest, queryset):  # type: ignore[no-untyped-def]
        return queryset.filter(cleared_at__isnull=self.value() == "open") if self.value() else queryset


@admin.register(Alert)
class AlertAdmin(BigListAdmin):
    """What was not well, since when, and whether it is over. They begin and end by themselves."""

    list_display = ["what", "state", "since", "over", "mend"]
    list_filter = [OpenFilter]
    list_display_links = None

    def get_queryset(self, request: HttpRequest):  # type: ignore[no-untyped-def]
        return super().get_queryset(request).filter(raised_at__isnull=False)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Alert | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Alert | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.handbook)
        return [path("handbook/", page, name="monitoring_handbook"), *super().get_urls()]

    def handbook(self, request: HttpRequest) -> HttpResponse:
        """docs/operations.md, for whoever may see alerts."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = handbook.context(**self.admin_site.each_context(request))
        return TemplateResponse(request, "monitoring/handbook.html", context)

    @display(description="alert")
    def what(self, alert: Alert) -> SafeString:
        return stacked(alert.title, alert.figure)

    @display(description="state", label={"open": "danger", "cleared": "success"})
    def state(self, alert: Alert) -> tuple[str, str]:
        return ("cleared", "cleared") if alert.cleared_at else ("open", "open")

    @display(description="began", ordering="began_at")
    def since(self, alert: Alert) -> SafeString | str:
        return spoken(alert.began_at)

    @display(description="cleared", ordering="cleared_at")
    def over(self, alert: Alert) -> SafeString | str:
        return spoken(alert.cleared_at) if alert.cleared_at else "–"

    @display(description="remedy")
    def mend(self, alert: Alert) -> SafeString | str:
        link = format_html(
            '<a class="tally-link" href="{}">{}</a>', health.docs_url(alert.section), "What to do"
        )
        if alert.cleared_at:
            return link
        return stacked(format_html('<div class="tally-remedy">{}</div>', alert.remedy), link)
