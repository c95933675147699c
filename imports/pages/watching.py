"""The third page: an import at work, which becomes its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from imports import line, mirroring, pausing, policies, undoing
from imports.models import ImportRun
from imports.pages.details import details_of
from imports.pages.rendering import page
from imports.pages.undoing import may_undo
from imports.progress import progress_of
from imports.wording import by_number, lasted
from tasks.models import Job

_STOP_POLLING = 286  # HTMX's own status code
_FIRST_REJECTED = 10
_FIRST_REPAIRED = 5
_WORRY_AFTER = 15  # seconds without any worker taking the import

# Outcome → the colour of its meaning, and what it says about the rows.
_MEANINGS = {
    "created": ("good", "new product(s)"),
    "updated": ("good", "product(s) that changed"),
    "unchanged": ("good", "product(s) that (was|were) just so already"),
    "removed": ("good", "product(s) taken out"),
    "merged": ("good", "line(s) that added to another line’s product"),
    "skipped": ("look", "row(s) not written, each with its reason"),
    "superseded": ("look", "row(s) with the SKU of a later row"),
    "rejected": ("bad", "broken row(s), to mend and upload again"),
    "pending": ("rest", "row(s) that (was|were) not reached"),
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
    """The nine outcomes, in the order in which people read them; of an undo those that it knows, as it calls
    them."""
    words = {name: (name, meaning) for name, (_, meaning) in _MEANINGS.items()}
    if run.kind == ImportRun.Kind.UNDO:
        words = undoing.WORDS
    return [
        Outcome(
            called,
            _MEANINGS[name][0],
            by_number(meaning, rows),
            rows,
            100 * rows / run.rows if run.rows else 0,
        )
        for name, rows in run.outcomes.items()
        if name in words
        for called, meaning in [words[name]]
    ]


def watch(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """The whole page around the fragment."""
    return page(request, "run.html", title=run.name, **_state(request, run))


def fragment(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """What changes while it runs, asked for once a second; the last answer says to stop asking."""
    if run.state == ImportRun.State.PREVIEWED:  # another page shows that
        return HttpResponse(headers={"HX-Refresh": "true"})
    status = _STOP_POLLING if run.has_ended else 200
    html = render_to_string("imports/fragment.html", _state(request, run), request=request)
    return HttpResponse(html, status=status)


def _state(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    now = progress_of(run)
    return {
        "run": run,
        "now": now,
        "said_percent": now.percent // 10 * 10,  # a voice for every percent would be a nuisance
        "left": lasted(now.seconds_left),
        "took": lasted(round(now.seconds, 1)),
        "outcomes": outcomes_of(run),
        "rejected": run.rejected_rows.all()[:_FIRST_REJECTED] if run.rejected else [],
        "repaired": run.repaired_rows.all()[:_FIRST_REPAIRED] if run.repaired else [],
        "details": details_of(run),
        "place": line.place_of(run),
        "may_be_paused": pausing.can_be_paused(run),
        "terms": policies.terms(run),
        "mirrored": mirroring.told(run),
        "unserved": _is_unserved(run, now.seconds),
        "undo": undoing.undo_of(run) if run.has_ended else None,
        "undoable": run.has_ended and undoing.is_undoable(run),
        "may_undo": may_undo(request),
        "may_import": request.user.has_perm("imports.add_importrun"),
    }


def _is_unserved(run: ImportRun, seconds: float) -> bool:
    """Whether it seems that no worker runs."""
    if run.state != ImportRun.State.PLANNING or seconds < _WORRY_AFTER:
        return False
    return not Job.objects.of(run.subject).filter(attempts__gt=0).exists()
