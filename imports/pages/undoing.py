"""The way to an undo: what it would do, in numbers, and then its own page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from imports import undoing
from imports.models import ImportRun
from imports.pages.rendering import page, to_run


def may_undo(request: HttpRequest) -> bool:
    """Whether this user may take imports back; that they may import is not enough."""
    return request.user.has_perm("imports.undo_import")


def undo(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Show what taking the run back would do; then begin it."""
    try:
        if request.method == "POST":
            return to_run(undoing.begin(run, by=request.user))
        would = undoing.preview(run)
    except undoing.NotUndoable as refused:
        messages.error(request, str(refused))
        return to_run(run)
    title = (
        f"Redo what {run.name.lower()} took back"
        if run.kind == ImportRun.Kind.UNDO
        else f"Undo {run.name.lower()}"
    )
    return page(request, "undo.html", title=title, run=run, would=would)
