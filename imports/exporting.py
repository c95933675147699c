"""Write the catalogue, or a part of it, into a file: one durable job for each export.

    claim → a new local file from one snapshot → storage → the file becomes the run's and the job is done

An attempt that is killed leaves nothing that counts: the next one begins anew, from a snapshot of its own.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from imports import storing
from imports.files import MOST_ROWS, CsvFile, FileError, TableFile, XlsxFile, too_many_rows
from imports.layouts import Layout, OurLayout
from imports.models import ExportRun
from imports.selecting import SelectionError, products_of, whole_families
from imports.shop_layouts import ShopifyLayout, WooCommerceLayout
from imports.source import Snapshot, snapshot
from tasks import claiming
from tasks.claiming import Claim, JobFailed
from tasks.queueing import NewJob, create

State = ExportRun.State

_TELL_EVERY = 0.5  # seconds
_PURGED_AT_ONCE = 1_000


class ExportEnded(Exception):  # noqa: N818 - an outcome, not a fault
    """The export was cancelled or failed meanwhile."""


def start(
    *,
    chosen: dict[str, Any],
    format: str = ExportRun.Format.CSV,
    profile: str = ExportRun.Profile.TALLYMAN,
    owner: Any = None,
) -> ExportRun:
    """Begin an export of the products that the filter `chosen` stands for (`imports.selecting`).

    Raises SelectionError for a filter that can't be read, FileError for more products than a worksheet takes.
    """
    products = products_of(chosen).count()
    if format == ExportRun.Format.XLSX and products > MOST_ROWS:
        raise too_many_rows(products)
    with transaction.atomic():
        run = ExportRun.objects.create(
            format=format, profile=profile, filter=chosen, owner=owner, products=products
        )
        create([NewJob("imports.export", run.subject, f"{run}: {products:,} products", {"run": run.pk})])
    run.refresh_from_db()
    return run


def export(claim: Claim) -> None:
    """Write the file and store it; in the end it is the run's, or nothing is left of it."""
    run = _begun(claim)
    _remove_files(run)
    with _scratch(run) as folder, tempfile.TemporaryFile() as stream:
        table = _write(claim, run, stream, folder)
        size = stream.seek(0, 2)
        stream.seek(0)
        name = default_storage.save(f"{run.folder}/{claim.token.hex}.{run.format}", File(stream))
    try:
        with transaction.atomic():
            _update(run, state=State.COMPLETED, file=name, size=size, rows=table.rows, finished_at=Now())
            claiming.complete(claim)
    except (ExportEnded, claiming.LeaseLost):
        default_storage.delete(name)
        raise


def _begun(claim: Claim) -> ExportRun:
    run = ExportRun.objects.get(pk=claim.payload["run"])
    _update(run, state=State.RUNNING, done=0, started_at=Coalesce("started_at", Now()))
    return run


def _update(run: ExportRun, **values: Any) -> None:
    """Change the run; raises ExportEnded when it has ended."""
    if not ExportRun.objects.filter(pk=run.pk, state__in=[State.WAITING, State.RUNNING]).update(**values):
        raise ExportEnded(f"{run} has ended")


def _write(claim: Claim, run: ExportRun, stream: IO[bytes], folder: Path) -> TableFile:
    try:
        with snapshot() as catalogue:
            layout = _layout_of(run, catalogue)
            products = layout.order(products_of(run.filter))
            tell = _teller(claim, run, catalogue.count(products))
            table = _table(run, stream, layout, folder)
            done = 0
            for batch in catalogue.rows(products):
                table.write(layout.rows(batch))
                tell(done := done + len(batch))
            table.write(layout.finish())
            table.close()
            return table
    except (FileError, SelectionError) as error:
        raise JobFailed(str(error), permanent=True) from error


def _layout_of(run: ExportRun, catalogue: Snapshot) -> Layout:
    if run.profile == ExportRun.Profile.TALLYMAN:
        return OurLayout()
    most_options = catalogue.most_options(whole_families(products_of(run.filter)))
    is_shopify = run.profile == ExportRun.Profile.SHOPIFY
    return (ShopifyLayout if is_shopify else WooCommerceLayout)(most_options)


def _table(run: ExportRun, stream: IO[bytes], layout: Layout, folder: Path) -> TableFile:
    if run.format == ExportRun.Format.XLSX:
        return XlsxFile(stream, layout.header, numbers=layout.numbers, folder=folder)
    return CsvFile(stream, layout.header)


def _teller(claim: Claim, run: ExportRun, total: int) -> Callable[[int], None]:
    """What tells now and then how far it is; it raises ExportEnded when nobody wants the rest."""
    _update(run, products=total)
    told = time.monotonic()

    def tell(done: int) -> None:
        nonlocal told
        if time.monotonic() - told >= _TELL_EVERY:
            told = time.monotonic()
            _update(run, done=done)
            claim.report(done, total)

    return tell


@contextmanager
def _scratch(run: ExportRun) -> Iterator[Path]:
    """A folder for what a workbook keeps on disk while it is written, without what a killed attempt left."""
    folder = Path(tempfile.gettempdir()) / f"tallyman-export-{run.key.hex}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_files(run: ExportRun) -> None:
    """Remove what attempts that were killed have stored."""
    if default_storage.exists(run.folder):
        for name in default_storage.listdir(run.folder)[1]:
            default_storage.delete(f"{run.folder}/{name}")


def purge_old(*, older_than: timedelta) -> int:
    """Remove the files of exports that ended so long ago, a thousand at a time; returns how many. The exports
    stay in the list."""
    ended = ExportRun.objects.filter(finished_at__lt=timezone.now() - older_than).exclude(file="")
    for run in (old := list(ended.order_by("pk")[:_PURGED_AT_ONCE])):
        _remove_files(run)
        storing.remove_folder(run.folder)
        ExportRun.objects.filter(pk=run.pk).update(file="")
    return len(old)


def cancel(*, run: ExportRun) -> None:
    """Stop the export; a worker that is at it stops within a second. Raises ExportEnded if it has ended."""
    with transaction.atomic():
        _update(run, state=State.CANCELLED, finished_at=Now())
        claiming.cancel_waiting(subject=run.subject)


def fail(*, run_id: int, error: str) -> None:
    """End the export as failed with `error` for people; does nothing when it has ended already."""
    run = ExportRun.objects.get(pk=run_id)
    try:
        _update(run, state=State.FAILED, error=error, finished_at=Now())
    except ExportEnded:
        return
    transaction.on_commit(lambda: _remove_files(run), robust=True)
