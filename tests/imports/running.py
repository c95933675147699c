"""Run imports in this process, by the real engine and handlers, one job after the other."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from celery import current_app
from django.db import connection

from imports import pipeline, receiving
from imports.models import ImportRun
from shop.models import Product
from tasks.models import Job

HEADER = ("sku", "name", "description", "price", "stock", "category", "published", "featured", "metadata")
_ALL = (*HEADER, "compare_at_price", "parent", "options", "images")

type Choose = Callable[[Sequence[Job]], Job]


def row(sku: str, **cells: str) -> dict[str, str]:
    """A sound row; `cells` replaces what it says."""
    return {"sku": sku, "name": f"Name of {sku}", "price": "12.50", "stock": "3", **cells}


def catalogue(count: int = 60) -> list[dict[str, str]]:
    """Sound rows with all of our columns filled in."""
    return [
        row(
            f"SKU-{number:03}",
            description=f"What {number} is, at length",
            price=f"{number}.90",
            stock=str(number),
            category=f"Home > Room {number % 4}",
            published="true" if number % 2 else "false",
            featured="no",
            metadata=f'{{"weight": {number}, "colour": "oak"}}',
        )
        for number in range(count)
    ]


def csv_of(rows: Iterable[Mapping[str, str]], header: Sequence[str] | None = None) -> str:
    """Rows as CSV text, with those of our columns that any row names (or with `header`)."""
    rows = list(rows)
    used = header or [name for name in _ALL if any(name in cells for cells in rows)]
    out = io.StringIO()
    writer = csv.DictWriter(out, used, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def receive(content: str | bytes, filename: str = "catalog.csv", *, recall: bool = True) -> ImportRun:
    """A draft of a file with this content (text as UTF-8); without `recall` as if no file had been imported
    before. Raises RefusedFile."""
    data = content.encode() if isinstance(content, str) else content
    return receiving.receive(stream=io.BytesIO(data), filename=filename, recall=recall)


def confirm(content: str | bytes | Iterable[Mapping[str, str]], **options: Any) -> ImportRun:
    """A confirmed import of which nothing has been done yet; `options` as for `pipeline.confirm`.

    What an earlier import of the test chose for the same header is not recalled.
    """
    text = content if isinstance(content, str | bytes) else csv_of(content)
    return pipeline.confirm(run=receive(text, recall=False), **options)


def import_rows(content: str | bytes | Iterable[Mapping[str, str]], **options: Any) -> ImportRun:
    """An import done from beginning to end."""
    return work(confirm(content, **options))


def due_jobs() -> list[Job]:
    """Jobs of imports that a worker would take now, oldest first."""
    return list(Job.objects.due().filter(kind__startswith="imports.").order_by("pk"))


def do(job: Job) -> str:
    """Let a worker look at the job once; raises what its handler raised, after the engine recorded it."""
    result: str = current_app.tasks[job.kind].apply(kwargs={"job_id": job.pk}).get()
    return result


def work(
    run: ImportRun,
    *,
    choose: Choose = lambda jobs: jobs[0],
    until: Callable[[Job], bool] = lambda job: False,
    forgive: type[Exception] | tuple[()] = (),
) -> ImportRun:
    """Do the jobs of all imports until none is due, or one is `until` (which is left undone).

    `choose` picks the next among those that are due. An attempt that fails is an error of the test, unless
    for a reason to `forgive`: then the engine's next attempt may do better.
    """
    while jobs := due_jobs():
        job = choose(jobs)
        if until(job):
            break
        with suppress(*([forgive] if forgive else [])):
            do(job)
    run.refresh_from_db()
    return run


def work_up_to(run: ImportRun, kind: str) -> Job:
    """Work until the import's next job is of `kind` (`load`); returns that job, which waits."""
    waiting: list[Job] = []

    def arrived(job: Job) -> bool:
        if job.kind == f"imports.{kind}" and job.subject == run.subject:
            waiting.append(job)
        return bool(waiting)

    work(run, until=arrived)
    return waiting[0]


def outcomes(run: ImportRun) -> dict[str, int]:
    """The outcomes that any line had."""
    return {name: count for name, count in run.outcomes.items() if count}


def rejections(run: ImportRun) -> list[tuple[int, str, str]]:
    """(line, column, code) of each rejected row."""
    return list(run.rejected_rows.values_list("line", "column", "code"))


def set_aside(run: ImportRun) -> list[tuple[int, str, str]]:
    """(line, outcome, reason) of each row that was superseded or skipped."""
    return list(run.set_aside.values_list("line", "outcome", "reason"))


def products() -> dict[str, dict[str, Any]]:
    """The catalogue by SKU: all columns but ids and times, the category by its name."""
    names = [name for name in HEADER if name not in ("sku", "category")] + ["slug", "category__full_name"]
    return {cells.pop("sku"): cells for cells in Product.objects.order_by("sku").values("sku", *names)}


def values(field: str) -> dict[str, Any]:
    """One field of every product, by SKU."""
    return dict(Product.objects.order_by("sku").values_list("sku", field))


def staging_tables(run: ImportRun) -> list[str]:
    """The import's staging tables that exist now."""
    names = (run.staging_table, f"{run.staging_table}_categories")
    return [name for name in connection.introspection.table_names() if name in names]


def rejected_file(run: ImportRun) -> list[list[str]]:
    """The stored file of rejected rows, as cells."""
    run.refresh_from_db()
    with run.rejected_file.open("rb") as file:
        text = file.read().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def in_small_pieces(settings: Any) -> None:
    """Many chunks and ranges out of few rows."""
    settings.IMPORT_CHUNK_BYTES = 400
    settings.IMPORT_RANGE_ROWS = 7
