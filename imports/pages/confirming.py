"""The second page: what was detected in the file, to confirm or to change, before anything is imported."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from imports import choices, pipeline, profiles, receiving
from imports.columns import COLUMNS
from imports.corrections import Corrections
from imports.detecting import DELIMITERS
from imports.dialect import RefusedFile
from imports.encoding import ENCODINGS
from imports.models import ImportRun
from imports.pages import mapping, policing
from imports.pages.rendering import page, to_run

_DELIMITER_NAMES = (
    "Comma  ,", "Semicolon  ;", "Tab", "Vertical bar  |", "Colon  :", "Space", "Comma and space",
)  # fmt: skip
DELIMITER_LABELS = dict(zip(DELIMITERS, _DELIMITER_NAMES, strict=True))
QUOTE_LABELS = {'"': 'Double  "', "'": "Single  '", "": "None"}
_PREVIEW_ROWS = 8

type Action = Callable[[HttpRequest, ImportRun], HttpResponse]


def confirm(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Show the draft, what other choices would make of it, read it again with other settings, start it, or
    discard it."""
    if request.method != "POST":
        return _form(request, run)
    actions: dict[str, Action] = {
        "import": _start,
        "preview_all": partial(_start, preview=True),
        "preview": _preview,
        "plain": _forget,
        "discard": _discard,
    }
    return actions.get(request.POST.get("action", ""), _look_again)(request, run)


def _start(request: HttpRequest, run: ImportRun, *, preview: bool = False) -> HttpResponse:
    _choose(request, run)
    try:
        chosen = policing.policies_of(request, run)
        if run.mode not in ImportRun.Mode:
            raise choices.MappingError("Choose what to do with the rows.")
        if run.blank not in ImportRun.Blank:
            raise choices.MappingError("Choose what to do with blank cells.")
        pipeline.confirm(
            run=run,
            mode=run.mode,
            preview=preview,
            by=request.user,
            **choices.of(run),
            **chosen,
        )
    except choices.MappingError as error:
        return _form(request, run, error=str(error))
    except pipeline.RunEnded:
        messages.info(request, "This import was started already.")
    return to_run(run)


def _preview(request: HttpRequest, run: ImportRun) -> HttpResponse:
    _choose(request, run)
    return _form(request, run)


def _choose(request: HttpRequest, run: ImportRun) -> None:
    """Make the draft what the form says, without saving it."""
    run.mapping, run.mode = _mapping(request), request.POST.get("mode", "")
    run.keep_unknown = bool(request.POST.get("keep_unknown"))
    run.blank = request.POST.get("blank", ImportRun.Blank.KEEP)
    run.repair = bool(request.POST.get("repair"))
    run.stock_as = request.POST.get("stock_as", ImportRun.StockAs.SET)
    run.constants, run.options = _constants(request), _options(request)
    policing.choose(request, run)


def _mapping(request: HttpRequest) -> dict[str, int]:
    chosen = {column.name: request.POST.get(f"map-{column.name}", "") for column in COLUMNS}
    return {name: int(index) for name, index in chosen.items() if index.isdecimal() and len(index) < 6}


def _constants(request: HttpRequest) -> dict[str, str]:
    filled = {column.name: request.POST.get(f"set-{column.name}", "").strip() for column in COLUMNS}
    return {name: text for name, text in filled.items() if text}


def _options(request: HttpRequest) -> dict[str, dict[str, str]]:
    """What was chosen; the first choice, as the sample shows it, is blank."""
    chosen = {
        column.name: {
            option: request.POST.get(f"set-{column.name}.{option}", "") for option in column.options
        }
        for column in COLUMNS
    }
    return {
        name: filled
        for name, options in chosen.items()
        if (filled := {option: value for option, value in options.items() if value})
    }


def _look_again(request: HttpRequest, run: ImportRun) -> HttpResponse:
    return _read(request, run, lambda run: _settings(request, run))


def _forget(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Go back from what was chosen for an earlier file to what this one shows by itself."""
    return _read(request, run, lambda run: {**receiving.corrections(run), "recall": False})


def _settings(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    given, profile = _corrections(request, run), request.POST.get("profile", run.profile)
    # Read in another way, a file has another header, and the shop that was chosen for the old one is void.
    if profile == run.profile or given != receiving.corrections(run):
        return {**given}
    return {**given, "profile": profile, "recall": False}


def _read(
    request: HttpRequest, run: ImportRun, settings: Callable[[ImportRun], dict[str, Any]]
) -> HttpResponse:
    """Read the draft's file again with the settings that are told of the stored draft."""
    try:
        with transaction.atomic():
            run = pipeline.hold(run.pk, ImportRun.State.DRAFT)
            receiving.look_again(run, **settings(run))
            run.save()
    except RefusedFile as refused:
        messages.error(request, str(refused))
    except ValueError as error:
        messages.error(request, str(error))
    except pipeline.RunEnded:
        messages.info(request, "This import was started already.")
    return to_run(run)


def _corrections(request: HttpRequest, run: ImportRun) -> Corrections:
    """What was corrected before, and what is different now from what the page showed.

    What was merely shown is found anew: another delimiter may well bring another header line.
    """
    given, shown = receiving.corrections(run), run.dialect
    for name in ("encoding", "delimiter", "quotechar"):
        value = request.POST.get(name, shown[name])
        if value != shown[name]:
            given[name] = value
    line = request.POST.get("header_line", str(_shown_header_line(run)))
    if line != str(_shown_header_line(run)):
        given["header_line"] = _line_number(line)
    return given


def _line_number(text: str) -> int | None:
    """None for a blank field: the header is to be found again."""
    if text.strip() and not (text.strip().isascii() and text.strip().isdigit()):
        raise ValueError(f"“{text}” is no line number. Count the lines from 1, or write 0 for no header.")
    return int(text) if text.strip() else None


def _shown_header_line(run: ImportRun) -> int:
    """The header's line, 0 where the file has none."""
    return 0 if run.dialect["header_line"] == run.dialect["first_line"] else int(run.dialect["header_line"])


def _discard(request: HttpRequest, run: ImportRun) -> HttpResponse:
    try:
        with transaction.atomic():
            receiving.discard(pipeline.hold(run.pk, ImportRun.State.DRAFT))
    except pipeline.RunEnded:
        messages.info(request, "This import was started already; cancel it instead.")
        return to_run(run)
    messages.success(request, f"{run.filename} was discarded. Nothing was imported.")
    return HttpResponseRedirect(reverse("admin:imports_importrun_add"))


def _form(request: HttpRequest, run: ImportRun, error: str = "") -> HttpResponse:
    try:
        rows = receiving.sample_rows(run)
    except OSError:
        rows, error = [], "The uploaded file is no longer there. Discard this draft and upload it again."
    if "HX-Request" in request.headers:
        return render(request, "imports/mapping_news.html", {"run": run, **mapping.table(run, rows)})
    return page(
        request,
        "confirm.html",
        title=f"Import {run.filename}",
        status=422 if error else 200,
        run=run,
        error=error,
        same_file=receiving.same_file(run),
        encodings=ENCODINGS,
        delimiters=DELIMITER_LABELS,
        shops=profiles.PROFILES,
        shop=profiles.BY_NAME.get(run.profile),
        quotes=QUOTE_LABELS,
        header_line=_shown_header_line(run),
        modes=ImportRun.Mode.choices,
        blanks=ImportRun.Blank.choices,
        stock_choices=ImportRun.StockAs.choices,
        rows=rows[:_PREVIEW_ROWS],
        **policing.shown(request, run),
        **mapping.table(run, rows),
    )
