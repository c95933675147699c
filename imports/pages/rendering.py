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
