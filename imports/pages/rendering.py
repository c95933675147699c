"""What all pages of imports have around them, and the way back to an import."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from imports.models import ImportRun


def page(
    request: HttpRequest, template: str, *, title: str, status: int = 200, **context: Any
) -> HttpResponse:
    """A page inside the admin's frame; `title` stands in the header and in the browser's tab."""
    frame = admin.site.each_context(request)
    return TemplateResponse(
        request, f"imports/{template}", {**frame, "title": title, **context}, status=status
    )


def to_run(run: ImportRun) -> HttpResponseRedirect:
    """Go to the import's own page."""
    return HttpResponseRedirect(reverse("admin:imports_importrun_change", args=[run.pk]))


def spoken_seconds(seconds: float | None) -> str:
    """Seconds as `12 s`, `3 min` or `2 h 5 min`; nothing for None."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:g} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
