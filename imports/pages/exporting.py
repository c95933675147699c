"""The pages of exports: choose what to write, watch it being written, take the file.

the products' list → choose → watch (live, then the result) → download
                                   ↘ cancel
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST

from imports import exporting, selecting
from imports.files import MOST_ROWS, FileError
from imports.models import ExportRun
from imports.pages.rendering import page
from imports.wording import lasted
from tasks.models import Job

_STOP_POLLING = 286  # HTMX's own status code
_WORRY_AFTER = 15  # seconds without any worker taking the export
_OF_THE_PAGE = ("p", "o", "all", "_changelist_filters", "_facets")  # which page of a list, and in what order


def choose(request: HttpRequest) -> HttpResponse:
    """The form: which format, for whom. What is exported was chosen in the list of products."""
    chosen = _chosen(request)
    try:
        if request.method == "POST":
            run = exporting.start(
                chosen=chosen, format=_format(request), profile=_profile(request), owner=request.user
            )
            return _to_run(run)
        return _form(request, chosen)
    except FileError as error:
        return _form(request, chosen, error=str(error))
    except selecting.SelectionError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:shop_product_changelist"))


def _chosen(request: HttpRequest) -> dict[str, Any]:
    """The filter of a form that was sent, or of an address with a list's query string or ids."""
    given = request.POST if request.method == "POST" else request.GET
    if ids := given.get("ids"):
        return {"ids": ids.split(",")}
    query = given.get("list", "") if request.method == "POST" else _list_query(given)
    return {"list": query} if query else {}


def _list_query(given: QueryDict) -> str:
    query = given.copy()
    for name in _OF_THE_PAGE:
        query.pop(name, None)
    return query.urlencode()


def _format(request: HttpRequest) -> str:
    wanted = request.POST.get("format", "")
    return wanted if wanted in ExportRun.Format.values else ExportRun.Format.CSV


def _profile(request: HttpRequest) -> str:
    wanted = request.POST.get("profile", "")
    return wanted if wanted in ExportRun.Profile.values else ExportRun.Profile.TALLYMAN


def _form(request: HttpRequest, chosen: dict[str, Any], *, error: str = "") -> HttpResponse:
    count = selecting.products_of(chosen).count()
    return page(
        request,
        "export.html",
        title="Export products",
        status=422 if error else 200,
        count=count,
        chosen=chosen,
        ids=",".join(chosen.get("ids", ())),
        what=selecting.describe(chosen),
        error=error,
        formats=ExportRun.Format.choices,
        profiles=ExportRun.Profile.choices,
        format=_format(request) if request.method == "POST" else ExportRun.Format.CSV,
        profile=_profile(request) if request.method == "POST" else ExportRun.Profile.TALLYMAN,
        is_too_long=count > MOST_ROWS,
        most_rows=MOST_ROWS,
    )


def what(run: ExportRun) -> str:
    """Which products an export takes, in words."""
    return selecting.describe(run.filter)


def kind_of(run: ExportRun) -> str:
    """`Shopify, CSV`: what the file is."""
    return f"{run.get_profile_display()}, {ExportRun.Format(run.format).name}"


def watch(request: HttpRequest, run: ExportRun) -> HttpResponse:
    """The whole page around the fragment."""
    return page(request, "export_run.html", title=str(run), **_state(request, run))


def fragment(request: HttpRequest, run: ExportRun) -> HttpResponse:
    """What changes while it runs, asked for once a second; the last answer says to stop asking."""
    html = render_to_string("imports/export_fragment.html", _state(request, run), request=request)
    return HttpResponse(html, status=_STOP_POLLING if run.has_ended else 200)


def _state(request: HttpRequest, run: ExportRun) -> dict[str, Any]:
    running = run.state == ExportRun.State.RUNNING
    seconds = run.seconds
    return {
        "run": run,
        "what": what(run),
        "kind": kind_of(run),
        "took": lasted(round(seconds, 1)),
        "rate": round((run.done if running else run.products) / seconds) if seconds else 0,
        "said_percent": run.percent // 10 * 10,  # a voice for every percent would be a nuisance
        "unserved": _is_unserved(run),
        "may_export": request.user.has_perm("imports.add_exportrun"),
    }


def _is_unserved(run: ExportRun) -> bool:
    """Whether it seems that no worker runs."""
    if run.state != ExportRun.State.WAITING or run.seconds < _WORRY_AFTER:
        return False
    return not Job.objects.of(run.subject).filter(attempts__gt=0).exists()


@require_POST
def cancel(request: HttpRequest, run: ExportRun) -> HttpResponse:
    """Cancel it. Nothing is lost by that: it can be begun again."""
    try:
        exporting.cancel(run=run)
    except exporting.ExportEnded:
        messages.info(request, f"{run} had ended already.")
    else:
        messages.success(request, f"{run} was cancelled.")
    return _to_run(run)


def download(request: HttpRequest, run: ExportRun) -> HttpResponse | FileResponse:
    """The file, as an attachment; back to the page where there is none."""
    if not (run.file.name and run.file.storage.exists(run.file.name)):
        messages.error(request, f"{run} has no file to download. Export again.")
        return _to_run(run)
    return FileResponse(run.file.open("rb"), as_attachment=True, filename=run.filename)


def _to_run(run: ExportRun) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:imports_exportrun_change", args=[run.pk]))
