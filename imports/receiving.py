"""Receive a file: stream it to storage, hash it on the way, look at its beginning."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO, Unpack, cast

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from imports import columns, numbers
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


def receive(*, stream: BinaryIO, filename: str, owner: Any = None, **given: Unpack[Corrections]) -> ImportRun:
    """Store the file in `stream`, unpacked, and return a draft import with what was detected or given.

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
        look_again(run, **given)
        run.save()
    except BaseException:
        default_storage.delete(run.file.name or name)
        raise
    return run


def look_again(run: ImportRun, **given: Unpack[Corrections]) -> None:
    """Detect the dialect and guess the mapping, with the user's corrections; changes `run`, saves nothing.

    Raises RefusedFile, ValueError for a correction that is not offered.
    """
    with run.opened() as stream:
        seen = inspect(stream, **given)
    run.dialect = seen.dialect.as_dict() | {
        "asides": [asdict(aside) for aside in seen.asides],
        "given": {name: value for name, value in given.items() if value is not None},
    }
    run.header = seen.header
    run.mapping = columns.guess_mapping(seen.header)
    run.numbers = [numbers.detect(cells) for cells in zip(*seen.rows, strict=True)]


def sample_rows(run: ImportRun) -> list[list[str]]:
    """The first rows of the file, as cells, for showing beside the mapping."""
    with run.opened() as stream:
        return inspect(stream, **corrections(run)).rows


def corrections(run: ImportRun) -> Corrections:
    """What was given when the file was last looked at."""
    return cast("Corrections", run.dialect.get("given", {}))


def same_file(run: ImportRun) -> ImportRun | None:
    """The first earlier import of the very same bytes, if there is one."""
    earlier = ImportRun.objects.filter(sha256=run.sha256, size=run.size, pk__lt=run.pk)
    return earlier.exclude(state=ImportRun.State.DRAFT).order_by("pk").first()


def discard(run: ImportRun) -> None:
    """Delete a draft and its file."""
    run.file.delete(save=False)
    run.delete()
