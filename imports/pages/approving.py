"""The page of a preview: what the import would do, in numbers and by product, to approve or discard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from imports import blast_radius, differences, pipeline, policies, receiving, staging
from imports.columns import BY_NAME
from imports.contrasting import label_of
from imports.differences import ACTIONS, CREATED, REMOVED, UPDATED, Wanted
from imports.models import ImportRun
from imports.pages.rendering import page, to_run
from imports.pages.watching import Outcome
from imports.wording import by_number

_FIRST_REJECTED = 10
_NAMED = 5  # people named of those who may approve
_LONGEST_SKU = 100

# What would become of rows: its name in the forecast and in the counters, colour, meaning.
_WOULD_BE = {
    "create": ("create", "created", "good", "new product(s)"),
    "update": ("update", "updated", "good", "product(s) that (changes|change)"),
    "remove": ("remove", "removed", "look", "product(s) that (is|are) taken out"),
    "unchanged": ("unchanged", "unchanged", "rest", "product(s) that (is|are) just so already"),
    "merged": ("", "merged", "good", "line(s) that (adds|add) to another line’s product"),
    "skip": ("skip", "skipped", "look", "row(s) that (is|are) left out"),
    "superseded": ("", "superseded", "look", "row(s) with the SKU of a later row"),
    "reject": ("reject", "rejected", "bad", "broken row(s), to mend and upload again"),
}
_SHOWN_BY = {"create": CREATED, "update": UPDATED, "remove": REMOVED}
# Of each warning: what its threshold counts, and the filter that shows its products among others.
_THRESHOLDS = {
    "rejected": (" % of the rows", ""),
    "price_jumps": (" products", "price"),
    "to_zero": (" % of these products", "stock"),
    "unpublished": (" % of the catalogue", "published"),
    "categories": (" categories", ""),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter that can be chosen: its address, how many differences it shows (None: not counted)."""

    label: str
    href: str
    count: int | None
    chosen: bool
    key: str


def previewed(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Show a run that waits for its approval; approve it, or discard it."""
    if request.method == "POST":
        if not _may_decide(request.user):
            raise PermissionDenied
        return _discard(request, run) if request.POST.get("action") == "discard" else _approve(request, run)
    wanted = _wanted(request)
    if "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers:
        answer = render(request, "imports/differences_news.html", _differences(run, wanted))
    else:
        answer = _page(request, run, wanted)
    patch_vary_headers(answer, ["HX-Request"])  # or Back shows the part without its page
    return answer


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning with its threshold in words, and the field by which its products are among those shown."""

    code: str
    message: str
    limit: str
    shown_by: str
    second: bool


def _warned(run: ImportRun) -> list[Warned]:
    return [_told(**warning) for warning in run.warnings]


def _told(*, code: str, message: str, limit: float, second: bool, **_: Any) -> Warned:
    of_what, shown_by = _THRESHOLDS.get(code, ("", ""))
    return Warned(code, message, f"{limit:g}{of_what}", shown_by, second)


def _page(request: HttpRequest, run: ImportRun, wanted: Wanted, error: str = "") -> HttpResponse:
    outcomes = outcomes_of(run)
    second = any(warning["second"] for warning in run.warnings)
    return page(
        request,
        "previewed.html",
        title=f"Preview of import {run.pk}",
        status=422 if error else 200,
        error=error,
        outcomes=outcomes,
        same_file=receiving.same_file(run),
        terms=policies.terms(run),
        warned=_warned(run),
        unlisted=_unlisted(run),
        is_lost=bool(run.forecast["create"]) and staging.is_lost(run),
        to_write=sum(one.rows for one in outcomes if one.name in _SHOWN_BY),
        rejected=run.rejected_rows.all()[:_FIRST_REJECTED] if run.rejected else [],
        may_import=request.user.has_perm("imports.add_importrun"),
        may_decide=_may_decide(request.user),
        may_approve=_may_decide(request.user) and (not second or request.user.has_perm(blast_radius.RISKY)),
        second=second,
        approvers=_approvers() if second and not request.user.has_perm(blast_radius.RISKY) else [],
        **_differences(run, wanted),
    )


def outcomes_of(run: ImportRun) -> list[Outcome]:
    """What would become of the rows; the numbers sum to them."""
    counts = {
        name: run.forecast.get(planned, 0) + getattr(run, counted)
        for name, (planned, counted, *_) in _WOULD_BE.items()
    }
    return [
        Outcome(name, colour, by_number(meaning, rows), rows, 100 * rows / run.rows if run.rows else 0)
        for name, (_, _, colour, meaning) in _WOULD_BE.items()
        for rows in [counts[name]]
    ]


def _unlisted(run: ImportRun) -> int:
    """Products that the file no longer has and that would be unpublished: no rows."""
    return int(run.forecast.get("unlisted", 0))


def _may_decide(user: User | AnonymousUser) -> bool:
    return user.has_perm("imports.add_importrun") or user.has_perm(blast_radius.RISKY)


def _approvers() -> list[str]:
    """Some of those who may approve what needs a second person, by name."""
    return [str(person) for person in blast_radius.approvers()[:_NAMED]]


def _approve(request: HttpRequest, run: ImportRun) -> HttpResponse:
    try:
        pipeline.approve(run=run, by=request.user, accept_warnings=bool(request.POST.get("accept")))
    except blast_radius.NotAccepted as refused:
        return _page(request, run, _wanted(request), error=str(refused))
    except pipeline.RunEnded:
        messages.info(request, f"Import {run.pk} was approved or discarded already.")
    return to_run(run)


def _discard(request: HttpRequest, run: ImportRun) -> HttpResponse:
    try:
        pipeline.discard(run=run)
    except pipeline.RunEnded:
        messages.info(request, f"Import {run.pk} was approved already; cancel it instead.")
        return to_run(run)
    messages.success(request, f"The preview of {run.filename} was discarded. Nothing was imported.")
    return HttpResponseRedirect(reverse("admin:imports_importrun_changelist"))


def _wanted(request: HttpRequest) -> Wanted:
    """The filters in the address; what is not offered counts as not given."""
    given = {name: str(text).replace("\0", "") for name, text in request.GET.items()}
    action, field = given.get("show", ""), given.get("field", "")
    return Wanted(
        action=action if action in ACTIONS else "",
        field=field if action != CREATED else "",
        sku=given.get("sku", "").strip()[:_LONGEST_SKU],
        after=given.get("after", "")[:_LONGEST_SKU],
        before=given.get("before", "")[:_LONGEST_SKU],
    )


def _differences(run: ImportRun, wanted: Wanted) -> dict[str, Any]:
    """What the table of differences needs."""
    found = differences.page_of(run, wanted)
    counts = {one.name: one.rows for one in outcomes_of(run) if one.name in _SHOWN_BY}
    counts["remove"] += _unlisted(run)
    fields = run.forecast.get("fields", {})
    return {
        "run": run,
        "wanted": wanted,
        "found": found,
        "actions": _actions(wanted, counts),
        "fields": _fields(wanted, fields),
        "total": _total(run, wanted, counts, fields),
        "earlier": _address(wanted, before=found.first) if found.has_earlier and found.rows else "",
        "later": _address(wanted, after=found.last) if found.has_later and found.rows else "",
        "takes": "unpublished" if run.mode != ImportRun.Mode.DELETE else "deleted",
    }


def _address(wanted: Wanted, **changes: str) -> str:
    """The query of these filters with changes; the page is given anew."""
    shown = {"show": wanted.action, "field": wanted.field, "sku": wanted.sku, **changes}
    return "?" + urlencode({name: text for name, text in shown.items() if text})


def _actions(wanted: Wanted, counts: dict[str, int]) -> list[Choice]:
    choices = [Choice("All", _address(wanted, show=""), sum(counts.values()), not wanted.action, "all")]
    for name, action in _SHOWN_BY.items():
        if counts[name] or wanted.action == action:
            field = "" if action == CREATED else wanted.field
            href = _address(wanted, show=action, field=field)
            choices.append(Choice(action.capitalize(), href, counts[name], wanted.action == action, action))
    return choices


def _fields(wanted: Wanted, fields: dict[str, int]) -> list[Choice]:
    if not fields:
        return []
    action = wanted.action if wanted.action != CREATED else ""
    choices = [Choice("Any field", _address(wanted, field=""), None, not wanted.field, "any")]
    order = {name: at for at, name in enumerate(BY_NAME)}
    for name, count in sorted(fields.items(), key=lambda pair: (-pair[1], order.get(pair[0], len(order)))):
        href = _address(wanted, show=action, field=name)
        choices.append(Choice(label_of(name), href, count, wanted.field == name, name))
    return choices


def _total(run: ImportRun, wanted: Wanted, counts: dict[str, int], fields: dict[str, int]) -> int | None:
    """How many products these filters show, where that was counted."""
    if wanted.sku or run.is_shaped or (wanted.field and wanted.action):
        return None
    if wanted.field:
        return fields.get(wanted.field, 0)
    return sum(count for name, count in counts.items() if wanted.action in ("", _SHOWN_BY[name]))
