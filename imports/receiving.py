"""Receive a file: stream it to storage, hash it on the way, look at its beginning."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any, BinaryIO, Unpack, cast

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.functions import Now

from imports import numbers, pipeline, profiles, remembering, storing
from imports.corrections import Corrections
from imports.dialect import RefusedFile, inspect
from imports.models import ImportRun, upload_path
from imports.unpacking import Unpacked

_BLOCK = 1024 * 1024


class _Counted(File):
    """Hashes and measures what streams through it, and stops at the limit."""

    def __init__(self, stream: BinaryIO, *, limit: int) -> None:
        super().__init__(stream)
        self.stream = Unpacked(stream, limit=limit)
        self.limit = limit
        self.hash = hashlib.sha256()
        self.received = 0

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        while block := self.stream.read(_BLOCK):
            self.received += len(block)
            if self.received > self.limit:
                raise too_large(self.limit)
            self.hash.update(block)
            yield block


def too_large(limit: int) -> RefusedFile:
    """The refusal of a file above `limit` bytes."""
    from django.template.defaultfilters import filesizeformat

    readable = filesizeformat(limit).replace("\xa0", " ")
    return RefusedFile(
        "too_large", f"The file is larger than {readable}, the limit. Split it, or raise IMPORT_MAX_BYTES."
    )


def receive(
    *,
    stream: BinaryIO,
    filename: str,
    owner: Any = None,
    recall: bool = True,
    **given: Unpack[Corrections],
) -> ImportRun:
    """Store the file in `stream`, unpacked, and return a draft import with what was detected or given, or
    what was chosen for its header before (not without `recall`).

    Raises RefusedFile (too large, empty, binary, …) with the fix, ValueError for what can't be given; then
    nothing is kept.
    """
    counted = _Counted(stream, limit=settings.IMPORT_MAX_BYTES)
    # A name on disk may hold bytes that are no text.
    readable = filename.encode(errors="replace").decode()
    run = ImportRun(filename=readable[-255:], owner=owner)
    name = default_storage.generate_filename(upload_path(run, filename))
    try:
        run.file.name = default_storage.save(name, counted)
        run.size, run.sha256 = counted.received, counted.hash.hexdigest()
        look_again(run, recall=recall, **given)
        run.save()
    except BaseException:
        storing.remove(run.file.name or name)
        raise
    return run


def look_again(
    run: ImportRun, *, profile: str | None = None, recall: bool = True, **given: Unpack[Corrections]
) -> None:
    """Detect the dialect and guess the mapping, with the user's corrections; changes `run`, saves nothing.

    `profile` is the name of one, "" for none, None to recognise it by the header. What was chosen for the
    header before stands above the guess, unless not to `recall`.

    Raises RefusedFile, or ValueError for a correction that is not offered.
    """
    with run.opened() as stream:
        seen = inspect(stream, **given)
    run.dialect = seen.dialect.as_dict() | {
        "asides": [asdict(aside) for aside in seen.asides],
        "habits": seen.habits.as_dict(),
        "given": {name: value for name, value in given.items() if value is not None},
    }
    run.header = seen.header
    choose_profile(run, profile)
    run.numbers = [numbers.detect(cells) for cells in zip(*seen.rows, strict=True)]
    remembering.recall(run) if recall else remembering.forget(run)


def choose_profile(run: ImportRun, name: str | None) -> None:
    """Take the file for an export of this shop ("" for none, None to recognise it) and guess the mapping.

    Changes `run`, saves nothing. Raises ValueError for a shop that is not known.
    """
    if name and name not in profiles.BY_NAME:
        raise ValueError(f"There is no profile “{name}”. There are: {', '.join(profiles.BY_NAME)}.")
    profile = profiles.recognise(run.header) if name is None else profiles.BY_NAME.get(name)
    run.profile = profile.name if profile else ""
    run.mapping = profiles.guess_mapping(run.header, profile)


def sample_rows(run: ImportRun) -> list[list[str]]:
    """The first rows of the file, as cells, for showing beside the mapping."""
    with run.opened() as stream:
        return inspect(stream, **corrections(run)).rows


def corrections(run: ImportRun) -> Corrections:
    """What was given when the file was last looked at."""
    return cast("Corrections", {**run.dialect.get("given", {})})


def same_file(run: ImportRun) -> ImportRun | None:
    """The first earlier import of the very same bytes, if there is one."""
    earlier = ImportRun.objects.filter(sha256=run.sha256, size=run.size, pk__lt=run.pk)
    return earlier.exclude(state=ImportRun.State.DRAFT).order_by("pk").first()


def discard(run: ImportRun) -> None:
    """Delete a draft and its file."""
    storing.remove(run.file.name)
    run.delete()


def discard_old_previews(*, older_than: timedelta) -> int:
    """Cancel the imports whose preview nobody has approved for so long; returns how many."""
    old = ImportRun.objects.filter(state=ImportRun.State.PREVIEWED, previewed_at__lte=Now() - older_than)
    days = f"{older_than.days} day{'' if older_than.days == 1 else 's'}"
    said = f"Nobody approved the preview within {days}, so it was discarded. Nothing was written."
    discarded = 0
    for run in list(old):
        with suppress(pipeline.RunEnded):  # approved or discarded just now
            pipeline.discard(run=run, reason=said)
            discarded += 1
    return discarded


def discard_old_drafts(*, older_than: timedelta) -> int:
    """Delete the drafts that nobody has confirmed for so long, and their files; returns how many."""
    old = ImportRun.objects.filter(state=ImportRun.State.DRAFT, created_at__lte=Now() - older_than)
    discarded = 0
    for pk in list(old.values_list("pk", flat=True)):
        with transaction.atomic():
            # Whoever confirms or discards it right now holds it, and has decided.
            run = old.select_for_update(skip_locked=True).filter(pk=pk).first()
            if run is not None:
                discard(run)
                discarded += 1
    return discarded
