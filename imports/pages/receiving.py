"""The first page: choose a file, and see what may be in it."""

from __future__ import annotations

import csv
from typing import BinaryIO, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse

from imports import receiving
from imports.columns import COLUMNS
from imports.dialect import RefusedFile
from imports.pages.rendering import page, to_run
from imports.profiles import PROFILES
from imports.uploading import LimitedUpload


def upload(request: HttpRequest) -> HttpResponse:
    """The form; a file that is accepted leads to its page, a refused one back here with the reason."""
    if request.method != "POST":
        return _form(request)
    try:
        file = _uploaded(request)
        run = receiving.receive(
            stream=cast(BinaryIO, file.file), filename=file.name or "catalog.csv", owner=request.user
        )
    except RefusedFile as refused:
        return _form(request, refused=refused)
    return to_run(run)


def limit_upload(request: HttpRequest) -> None:
    """Have the request's file limited. Call it before anything reads the form, its token included."""
    request.upload_handlers = [LimitedUpload(request, limit=settings.IMPORT_MAX_BYTES)]


def _uploaded(request: HttpRequest) -> UploadedFile:
    """The file of the form; raises RefusedFile when there is none or it was larger than allowed."""
    file = request.FILES.get("file")
    if any(getattr(handler, "exceeded", False) for handler in request.upload_handlers):
        raise receiving.too_large(settings.IMPORT_MAX_BYTES)
    if not isinstance(file, UploadedFile):
        raise RefusedFile("no_file", "No file was chosen. Choose the CSV file of the catalogue.")
    return file


def _form(request: HttpRequest, refused: RefusedFile | None = None) -> HttpResponse:
    status = 200
    if refused:
        status = 413 if refused.code == "too_large" else 422
    return page(
        request,
        "upload.html",
        title="Import a file",
        status=status,
        refused=refused,
        limit=settings.IMPORT_MAX_BYTES,
        columns=COLUMNS,
        shops=[one.label for one in PROFILES if one.structure],
    )


def template(request: HttpRequest) -> HttpResponse:
    """Download a CSV file with our columns and one row to show how they are written."""
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")  # spreadsheets need the mark
    response["Content-Disposition"] = 'attachment; filename="tallyman-template.csv"'
    writer = csv.writer(response)
    writer.writerow([column.name for column in COLUMNS])
    writer.writerow([column.example for column in COLUMNS])
    return response
