"""A decision on rows that were skipped because of a change since the preview: preview just these again."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from django.db import transaction
from django.db.models import Exists, OuterRef

from imports import binding, choices, pipeline, receiving
from imports.models import ImportRun
from imports.opening import open_chunk

# Not whether others are unpublished: these few rows are not all that the feed has.
_AS_BEFORE = ("numbers", "errors", "error_limit", "source", "stock_as")


class NothingToRetry(Exception):  # noqa: N818 - an outcome, not a fault
    """The import has no such rows, or none that stand by themselves; the text says so, with the way out."""


def retry_skipped(*, run: ImportRun, by: Any = None) -> ImportRun:
    """Start an import, with a preview, of exactly the lines that were skipped as changed since the preview of
    `run`: with its header and its choices. `by` is the user, None on the command line.

    Raises NothingToRetry.
    """
    skipped = run.set_aside.filter(code=binding.CODE)
    if not skipped.exists():
        raise NothingToRetry(f"{run} skipped no rows because of changes since its preview.")
    if run.is_shaped:
        raise NothingToRetry(
            "Rows of this file belong together, so the skipped ones can't be imported by themselves."
            " Upload the file again."
        )
    if not (run.file.name and run.file.storage.exists(run.file.name)):
        raise NothingToRetry(f"{run.filename} was cleared away. Upload the file again.")
    draft = _draft(run, by=by)
    with transaction.atomic():
        # What was sold since the first file came is taken off its numbers of stock, not since now.
        ImportRun.objects.filter(pk=draft.pk).update(created_at=run.created_at)
        return pipeline.confirm(
            run=draft,
            mode=run.mode,
            preview=True,
            remember=False,
            by=by,
            **choices.of(run),
        )


def _draft(run: ImportRun, *, by: Any) -> ImportRun:
    stem, _ = os.path.splitext(run.filename)
    with tempfile.TemporaryFile() as file:
        text = io.TextIOWrapper(cast("BinaryIO", file), encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text)
        writer.writerow(run.header)
        writer.writerows(_skipped_cells(run))
        file.seek(0)
        draft = receiving.receive(
            stream=cast("BinaryIO", file),
            filename=f"{stem[:200]} (rows skipped by import {run.pk}).csv",
            owner=by or run.owner,
            recall=False,
            encoding="utf-8",
            delimiter=",",
            quotechar='"',
            header_line=1,
        )
        text.detach()
    receiving.choose_profile(draft, run.profile)
    for name in _AS_BEFORE:
        setattr(draft, name, getattr(run, name))
    draft.save()
    return draft


def _skipped_cells(run: ImportRun) -> Iterator[list[str]]:
    """The cells of those lines as the file has them, chunk by chunk, so that memory stays small."""
    skipped = run.set_aside.filter(code=binding.CODE)
    within = skipped.filter(
        line__gte=OuterRef("first_line"), line__lt=OuterRef("first_line") + OuterRef("lines")
    )
    for chunk in run.chunks.filter(Exists(within)).order_by("number"):
        last = chunk.first_line + chunk.lines
        lines = set(skipped.filter(line__gte=chunk.first_line, line__lt=last).values_list("line", flat=True))
        yield from (cells for line, cells in open_chunk(run, chunk) if line in lines)
