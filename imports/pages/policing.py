"""The part of the second page that says what broken rows and absent products mean."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from imports import choices, policies
from imports.models import ImportRun
from shop.models import Category

_OFFERED = 1_000  # categories or sources: a longer list helps nobody


def choose(request: HttpRequest, run: ImportRun) -> None:
    """Make the draft what the form says, without saving or checking it."""
    run.errors = request.POST.get("errors", ImportRun.Errors.LAND)
    limit = request.POST.get("error_limit", "")
    run.error_limit = int(limit) if limit.isdecimal() and len(limit) < 12 else -1
    # Those that take products out have neither, and the page hides both.
    run.mirror = "" if run.removes else request.POST.get("mirror", "")
    run.source = "" if run.removes else request.POST.get("source", "").strip()


def policies_of(request: HttpRequest, run: ImportRun) -> policies.Policies:
    """What `choose` made of the form, as `pipeline.confirm` takes it; raises MappingError."""
    if run.errors not in ImportRun.Errors or run.mirror not in ImportRun.Mirror:
        raise choices.MappingError("Choose what to do with broken rows and with products the file lacks.")
    chosen = policies.Policies(
        errors=run.errors, error_limit=run.error_limit, mirror=run.mirror, source=run.source
    )
    path = request.POST.get("mirror_category", "")
    if run.mirror == ImportRun.Mirror.CATEGORY and path.strip():
        chosen["mirror_category"] = policies.category_named(path)
    return chosen


def shown(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    """What the template needs besides the draft. Its category is that of an earlier file, to be proposed."""
    proposed = run.mirror_category.full_name if run.mirror_category else ""
    sources = ImportRun.objects.exclude(source="").order_by("source").values_list("source", flat=True)
    return {
        "errors": ImportRun.Errors.choices,
        "mirrors": ImportRun.Mirror.choices,
        "mirror_path": request.POST.get("mirror_category", proposed),
        "category_names": Category.objects.values_list("full_name", flat=True)[:_OFFERED],
        "sources": sources.distinct()[:_OFFERED],
    }
