"""Pause, resume and cancel a run from its page."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from imports import cancelling, pausing, pipeline
from imports.models import ImportRun
from imports.pages.rendering import page, to_run
from imports.pages.undoing import may_undo


def pause(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Hold the run's waiting work; the page then says so."""
    if request.method == "POST":
        try:
            pausing.pause(run=run, by=request.user)
        except pipeline.RunEnded as ended:
            messages.info(request, f"Nothing to pause: {ended}.")
    return to_run(run)


def resume(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Let a paused run go on."""
    if request.method == "POST":
        try:
            pausing.resume(run=run)
        except pipeline.RunEnded as ended:
            messages.info(request, f"Nothing to resume: {ended}.")
        else:
            messages.success(request, f"{run} goes on.")
    return to_run(run)


def cancel(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Ask first, and say in numbers what will happen; then cancel, and take back what landed if so chosen."""
    if request.method != "POST":
        if not run.has_ended:
            title = f"Cancel {run.get_kind_display()} {run.pk}"
            return page(request, "cancel.html", title=title, run=run, may_undo=may_undo(request))
        messages.info(request, f"{run.get_kind_display().capitalize()} {run.pk} has ended already.")
        return to_run(run)
    take_back = request.POST.get("landed") == "undo"
    if take_back and not may_undo(request):
        raise PermissionDenied
    try:
        undo = cancelling.cancel(run=run, undo=take_back, by=request.user)
    except pipeline.RunEnded:
        messages.info(request, f"{run.get_kind_display().capitalize()} {run.pk} had ended already.")
        return to_run(run)
    messages.success(request, f"{run.get_kind_display().capitalize()} {run.pk} was cancelled.")
    return to_run(undo or run)
