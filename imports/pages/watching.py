"""The third page: an import at work, which becomes its result; and the way to cancel it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from imports import mirroring, pipeline, policies
from imports.models import OUTCOMES, ImportRun
from imports.pages.rendering import page, to_run
from imports.progress import progress_of
from tasks.models import Job

_STOP_POLLING = 286  # HTMX's own status code
_FIRST_REJECTED = 10
_FIRST_REPAIRED = 5
_WORRY_AFTER = 15  # seconds without any worker taking the import

# Outcome → the colour of its meaning, and what it says about the rows.
_MEANINGS = {
    "created": ("good", "new products"),
    "updated": ("good", "products that changed"),
    "unchanged": ("good", "products that were just so already"),
    "removed": ("good", "products taken out"),
    "merged": ("good", "lines that added to another line’s product"),
    "skipped": ("look", "rows that the chosen mode leaves out"),
    "superseded": ("look", "rows with the SKU of a later row"),
    "rejected": ("bad", "broken rows, to mend and upload again"),
    "pending": ("rest", "rows that were not reached"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many rows ended so; `share` is their part of all rows in percent, for the bar."""

    name: str
    colour: str
    meaning: str
    rows: int
    share: float


def outcomes_of(run: ImportRun) -> list[Outcome]:
    """The nine outcomes, in the order in which people read them."""
    counts = run.outcomes
    return [
        Outcome(name, *_MEANINGS[name], counts[name], 100 * counts[name] / run.rows if run.rows else 0)
        for name in OUTCOMES
    ]


def watch(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """The whole page around the fragment."""
    return page(request, "run.html", title=f"Import {run.pk}", **_state(request, run))


def fragment(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """What changes while it runs, asked for once a second; the last answer says to stop asking."""
    status = _STOP_POLLING if run.has_ended else 200
    html = render_to_string("imports/fragment.html", _state(request, run), request=request)
    return HttpResponse(html, status=status)


def _state(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    now = progress_of(run)
    return {
        "run": run,
        "now": now,
        "said_percent": now.percent // 10 * 10,  # a voice for every percent would be a nuisance
        "left": _spoken(now.seconds_left),
        "took": _spoken(round(now.seconds, 1)),
        "outcomes": outcomes_of(run),
        "rejected": run.rejected_rows.all()[:_FIRST_REJECTED] if run.rejected else [],
        "repaired": run.repaired_rows.all()[:_FIRST_REPAIRED] if run.repaired else [],
        "ahead": _ahead(run),
        "terms": policies.terms(run),
        "mirrored": mirroring.told(run),
        "unserved": _is_unserved(run, now.seconds),
        "may_import": request.user.has_perm("imports.add_importrun"),
    }


def _spoken(seconds: float | None) -> str:
    """Seconds as `12 s`, `3 min` or `2 h 5 min`; nothing for None."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:g} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _ahead(run: ImportRun) -> ImportRun | None:
    """The import that a waiting one waits for."""
    return ImportRun.objects.active().first() if run.state == ImportRun.State.WAITING else None


def _is_unserved(run: ImportRun, seconds: float) -> bool:
    """Whether it seems that no worker runs."""
    if run.state != ImportRun.State.PLANNING or seconds < _WORRY_AFTER:
        return False
    return not Job.objects.of(run.subject).filter(attempts__gt=0).exists()


def cancel(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Ask first, and say in numbers what will happen; then cancel."""
    if request.method != "POST":
        return _unless_ended(request, run, lambda: _question(request, run))
    try:
        run = pipeline.cancel(run=run)
    except pipeline.RunEnded:
        messages.info(request, f"Import {run.pk} had ended already.")
    else:
        messages.success(request, f"Import {run.pk} was cancelled.")
    return to_run(run)


def _unless_ended(request: HttpRequest, run: ImportRun, show: Callable[[], HttpResponse]) -> HttpResponse:
    if not run.has_ended:
        return show()
    messages.info(request, f"Import {run.pk} has ended already.")
    return to_run(run)


def _question(request: HttpRequest, run: ImportRun) -> HttpResponse:
    return page(request, "cancel.html", title=f"Cancel import {run.pk}", run=run)
