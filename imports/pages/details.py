"""The last part of a run's page: who and when, the file and how it was read, what was chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count, Max, Min
from django.http import FileResponse, HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.safestring import SafeString

from imports import profiles
from imports.columns import COLUMNS, Column
from imports.encoding import ENCODINGS
from imports.models import ImportRun
from imports.pages.confirming import DELIMITER_LABELS, QUOTE_LABELS
from imports.pages.rendering import to_run
from imports.wording import lasted
from tasks.listing import spoken
from tasks.models import Job

_PACKED = (".gz", ".zip", ".xlsx")  # uploaded so, stored as the CSV inside
# Kind of job → what it does, in the order in which they are done.
_PHASES = {
    "imports.plan": "Reading the file",
    "imports.stage": "Checking rows",
    "imports.categories": "Finding categories",
    "imports.check": "Comparing with the catalogue",
    "imports.compare": "Making the preview",
    "imports.load": "Writing to the catalogue",
    "imports.undo": "Taking back",
    "imports.mirror": "Unpublishing what is not listed",
    "imports.finish": "Finishing",
    "imports.purge": "Removing details",
}


@dataclass(frozen=True, slots=True)
class Read:
    """A column of ours: the file's, how its cells were read, and what stood in for blank ones."""

    ours: str
    theirs: str
    how: str


@dataclass(frozen=True, slots=True)
class Phase:
    """What jobs of one kind did together; times as people say them."""

    name: str
    jobs: int
    began: SafeString | str
    took: str


@dataclass(frozen=True, slots=True)
class Details:
    """Facts are pairs of a label and what to say."""

    times: list[tuple[str, str]]
    file: list[tuple[str, str]]
    choices: list[tuple[str, str]]
    columns: list[Read]
    phases: list[Phase]
    undone_by: list[ImportRun]
    purged: str


def details_of(run: ImportRun) -> Details:
    """All that the page tells of the run beside its outcomes; of one that is at work, what costs no query."""
    has_file = run.kind == ImportRun.Kind.IMPORT
    return Details(
        times=list(_times(run)),
        file=list(_file(run)) if has_file else [],
        choices=list(_choices(run)) if has_file else [],
        columns=_columns(run),
        phases=_phases(run) if run.has_ended else [],
        undone_by=list(run.undone_by.order_by("pk")) if run.has_ended else [],
        purged=spoken(run.purged_at),
    )


def download(request: HttpRequest, run: ImportRun) -> HttpResponse | FileResponse:
    """The file as it was uploaded; one that was packed, as the CSV that was in it."""
    if run.file.name and run.file.storage.exists(run.file.name):
        packed = run.filename.lower().endswith(_PACKED)
        name = f"{run.filename}.csv" if packed else run.filename
        return FileResponse(
            run.opened(), as_attachment=True, filename=name, content_type="application/octet-stream"
        )
    messages.error(request, f"{run.filename} is no longer kept.")
    return to_run(run)


def _times(run: ImportRun) -> Iterator[tuple[str, str]]:
    begun = "Uploaded" if run.kind == ImportRun.Kind.IMPORT else "Asked for"
    yield begun, _at(run.created_at, run.owner)
    if run.confirmed_at:
        yield "Confirmed", _at(run.confirmed_at, run.confirmed_by)
    if run.previewed_at:
        yield "Preview ready", _at(run.previewed_at)
    if run.approved_at:
        yield "Approved", _at(run.approved_at, run.approved_by)
    if run.finished_at:
        yield "Ended", _at(run.finished_at)
    if run.purged_at:
        yield "Details removed", _at(run.purged_at)
    result = run.summary()
    if result["rows_per_second"]:
        yield "Speed", f"{result['rows_per_second']:,} {run.unit}/s in {lasted(round(result['seconds'], 1))}"


def _at(at: datetime, by: Any = None) -> str:
    return format_html("{} by {}", spoken(at), by) if by else spoken(at)


def _file(run: ImportRun) -> Iterator[tuple[str, str]]:
    yield "Size", filesizeformat(run.size)
    yield "SHA-256", format_html("<code>{}</code>", run.sha256)
    if profile := profiles.BY_NAME.get(run.profile):
        yield "Export of", profile.label
    if run.dialect:
        yield "Encoding", ENCODINGS.get(run.dialect["encoding"], run.dialect["encoding"])
        yield "Delimiter", DELIMITER_LABELS.get(run.dialect["delimiter"], run.dialect["delimiter"])
        yield "Quotes", QUOTE_LABELS.get(run.dialect["quotechar"], run.dialect["quotechar"])
        headless = run.dialect["header_line"] == run.dialect["first_line"]
        yield "Header", "none" if headless else f"line {run.dialect['header_line']:,}"


def _choices(run: ImportRun) -> Iterator[tuple[str, str]]:
    yield "Mode", run.get_mode_display()
    if run.source:
        yield "Feed", run.source
    if "stock" in run.mapping:
        yield "Stock", run.get_stock_as_display()
    yield "Blank cells", run.get_blank_display()
    yield "Cleared by", format_html("<code>{}</code>", run.clear_token)
    yield "Other columns", "Kept in the metadata" if run.keep_unknown else "Ignored"
    yield "Broken lines", "Repaired where one reading fits" if run.repair else "Rejected"
    limit = f" {run.error_limit:,}" if run.errors == ImportRun.Errors.LIMIT else ""
    yield "Rejected rows", f"{run.get_errors_display()}{limit}"
    scope = f": {run.mirror_category.full_name}" if run.mirror_category else ""
    yield "Not in the file", f"{run.get_mirror_display()}{scope}"


def _columns(run: ImportRun) -> list[Read]:
    return [
        Read(column.label, run.header_of(column.name) if column.name in run.mapping else "", how)
        for column in COLUMNS
        if (how := _how(run, column)) or column.name in run.mapping
    ]


def _how(run: ImportRun, column: type[Column]) -> str:
    chosen = [
        f"{option}: {column.options[option].get(value, value)}"
        for option, value in run.options.get(column.name, {}).items()
        if option in column.options
    ]
    if column.name in run.constants:
        chosen.append(f"“{run.constants[column.name]}” where absent or blank")
    return ", ".join(chosen)


def _phases(run: ImportRun) -> list[Phase]:
    """What its jobs tell, as long as they are kept."""
    kinds = (
        Job.objects.of(run.subject)
        .filter(kind__in=_PHASES, started_at__isnull=False)
        .order_by()
        .values_list("kind")
        .annotate(Count("pk"), Min("started_at"), Max("finished_at"))
    )
    found = {
        kind: Phase(_PHASES[kind], jobs, spoken(began), _took(began, ended))
        for kind, jobs, began, ended in kinds
    }
    return [found[kind] for kind in _PHASES if kind in found]


def _took(began: datetime, ended: datetime | None) -> str:
    return lasted(round((ended - began).total_seconds(), 1)) if ended else "–"
