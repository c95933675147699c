"""Rows of an import that did not land: the rejected ones as a file, the set-aside ones as a list."""

from __future__ import annotations

import csv
from itertools import chain

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models.fields.files import FieldFile
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import reverse

from imports import binding, difference_file, retrying
from imports.dialect import RefusedFile
from imports.finishing import Echo, rejected_rows_csv
from imports.models import ImportRun
from imports.pages.rendering import page, to_run

_PER_PAGE = 100


def rejected(request: HttpRequest, run: ImportRun) -> HttpResponse | StreamingHttpResponse | FileResponse:
    """Download the rejected rows as CSV: those so far while the import runs, the stored file afterwards."""
    if not run.rejected:
        messages.info(request, f"Import {run.pk} has no rejected rows.")
        return to_run(run)
    if run.purged_at:
        return _purged(request, run)
    name = f"rejected-rows-{run.pk}.csv"
    if _is_there(run.rejected_file):
        return FileResponse(run.rejected_file.open("rb"), as_attachment=True, filename=name)
    if not _is_there(run.file):
        messages.error(request, f"{run.filename} was cleared away, and its rejected rows with it.")
        return to_run(run)
    response = StreamingHttpResponse(rejected_rows_csv(run), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def repaired(request: HttpRequest, run: ImportRun) -> StreamingHttpResponse:
    """Download what was repaired or left out as CSV: line, code, message."""
    writer = csv.writer(Echo())
    rows = run.repaired_rows.values_list("line", "code", "message").iterator()
    lines = chain(["\ufeff" + writer.writerow(["line", "code", "what was done"])], map(writer.writerow, rows))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="repaired-lines-{run.pk}.csv"'
    return response


def preview_csv(request: HttpRequest, run: ImportRun) -> HttpResponse | StreamingHttpResponse:
    """Download all differences of a preview as CSV, as long as they are there."""
    if run.previewed_at is None or run.has_ended:
        messages.info(request, f"Import {run.pk} has no preview to download.")
        return to_run(run)
    response = StreamingHttpResponse(difference_file.preview_csv(run), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="preview-{run.pk}.csv"'
    return response


def _purged(request: HttpRequest, run: ImportRun) -> HttpResponse:
    messages.info(request, f"The lists of import {run.pk} were removed, as those of all old imports are.")
    return to_run(run)


def _is_there(file: FieldFile) -> bool:
    return bool(file.name and file.storage.exists(file.name))


def set_aside(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Sound rows that were not written, page by page: superseded by a later row, skipped by the mode, or
    changed since the preview (`?only=changed`: just those)."""
    if run.purged_at:
        return _purged(request, run)
    changed = run.set_aside.filter(code=binding.CODE)
    only = request.GET.get("only") == "changed"
    paginator = Paginator(changed if only else run.set_aside.all(), _PER_PAGE)
    if not only:
        paginator.count = (
            run.skipped + run.superseded
        )  # counting a million rows would take longer than the page
    return page(
        request,
        "set_aside.html",
        title=f"{run.name}: {'products kept' if run.undoes_id else 'rows set aside'}",
        run=run,
        rows=paginator.get_page(request.GET.get("page")),
        only=only,
        has_changed=bool(run.preview and run.skipped and changed.exists()),
        may_retry=run.has_ended and request.user.has_perm("imports.add_importrun"),
    )


def retry(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Preview the rows again that were skipped because of a change since the preview; only when posted."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("admin:imports_importrun_set_aside", args=[run.pk]))
    try:
        return to_run(retrying.retry_skipped(run=run, by=request.user))
    except (retrying.NothingToRetry, RefusedFile) as refused:
        messages.error(request, str(refused))
        return to_run(run)
