"""The second page: what was detected in the file, to confirm or to change, before anything is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from imports import choices, numbers, pipeline, receiving
from imports.columns import COLUMNS, Column
from imports.corrections import Corrections
from imports.detecting import DELIMITERS
from imports.dialect import RefusedFile
from imports.encoding import ENCODINGS
from imports.finishing import EXTRA_COLUMNS
from imports.models import ImportRun
from imports.number_columns import Price
from imports.pages.rendering import page, to_run

_DELIMITER_NAMES = (
    "Comma  ,", "Semicolon  ;", "Tab", "Vertical bar  |", "Colon  :", "Space", "Comma and space",
)  # fmt: skip
_DELIMITERS = dict(zip(DELIMITERS, _DELIMITER_NAMES, strict=True))
_QUOTES = {'"': 'Double  "', "'": "Single  '", "": "None"}
_PREVIEW_ROWS = 8
_SAMPLES = 3
_UNTOLD = {"format": Price.options["format"][numbers.AUTO], "currency": "none"}


def confirm(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Show the draft, read it again with other settings, start it, or discard it."""
    if request.method != "POST":
        return _form(request, run)
    action = request.POST.get("action")
    if action == "discard":
        return _discard(request, run)
    return _start(request, run) if action == "import" else _look_again(request, run)


def _start(request: HttpRequest, run: ImportRun) -> HttpResponse:
    mapping, mode = _mapping(request), request.POST.get("mode", "")
    keep = bool(request.POST.get("keep_unknown"))
    blank = request.POST.get("blank", ImportRun.Blank.KEEP)
    constants, options = _constants(request), _options(request)
    try:
        if mode not in ImportRun.Mode:
            raise choices.MappingError("Choose what to do with the rows.")
        if blank not in ImportRun.Blank:
            raise choices.MappingError("Choose what to do with blank cells.")
        pipeline.confirm(
            run=run,
            mapping=mapping,
            mode=mode,
            keep_unknown=keep,
            blank=blank,
            constants=constants,
            options=options,
        )
    except choices.MappingError as error:
        run.mapping, run.mode, run.keep_unknown, run.blank = mapping, mode, keep, blank
        run.constants, run.options = constants, options
        return _form(request, run, error=str(error))
    except pipeline.RunEnded:
        messages.info(request, "This import was started already.")
    return to_run(run)


def _mapping(request: HttpRequest) -> dict[str, int]:
    chosen = {column.name: request.POST.get(f"map-{column.name}", "") for column in COLUMNS}
    return {name: int(index) for name, index in chosen.items() if index.isdecimal()}


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
    try:
        with transaction.atomic():
            run = pipeline.hold(run.pk, ImportRun.State.DRAFT)
            receiving.look_again(run, **_corrections(request, run))
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


@dataclass(frozen=True, slots=True)
class _Theirs:
    """A column of the file."""

    index: int
    name: str
    sample: str
    found: dict[str, str]  # how its numbers are written, for people


@dataclass(frozen=True, slots=True)
class _Ours:
    """A column of ours, the file's that was found for it, and how its cells are read."""

    column: type[Column]
    chosen: _Theirs | None
    constant: str
    options: list[_Option]


@dataclass(frozen=True, slots=True)
class _Option:
    """Something that may be chosen for a column of ours."""

    name: str
    chosen: str  # "" to go by the sample
    found: str  # what the sample shows, for people
    values: Mapping[str, str]


def _form(request: HttpRequest, run: ImportRun, error: str = "") -> HttpResponse:
    try:
        rows = receiving.sample_rows(run)
    except OSError:
        rows, error = [], "The uploaded file is no longer there. Discard this draft and upload it again."
    theirs = [
        _Theirs(index, name, _sample(rows, index), _found(run, index))
        for index, name in enumerate(run.header)
    ]
    used = set(run.mapping.values())
    return page(
        request,
        "confirm.html",
        title=f"Import {run.filename}",
        status=422 if error else 200,
        run=run,
        error=error,
        earlier=receiving.same_file(run),
        encodings=ENCODINGS,
        delimiters=_DELIMITERS,
        quotes=_QUOTES,
        header_line=_shown_header_line(run),
        modes=ImportRun.Mode.choices,
        blanks=ImportRun.Blank.choices,
        theirs=theirs,
        ours=[_ours(run, column, theirs) for column in COLUMNS],
        unused=[one for one in theirs if one.index not in used and one.name not in EXTRA_COLUMNS],
        rows=rows[:_PREVIEW_ROWS],
    )


def _ours(run: ImportRun, column: type[Column], theirs: list[_Theirs]) -> _Ours:
    mapped = _at(theirs, run.mapping.get(column.name))
    chosen = run.options.get(column.name, {})
    options = [
        _Option(name, chosen.get(name, ""), (mapped.found if mapped else _UNTOLD)[name], values)
        for name, values in column.options.items()
    ]
    return _Ours(column, mapped, run.constants.get(column.name, ""), options)


def _found(run: ImportRun, index: int) -> dict[str, str]:
    detected = run.numbers[index] if index < len(run.numbers) else {}
    return _UNTOLD | {option: Price.options[option][value] for option, value in detected.items()}


def _at(theirs: list[_Theirs], index: int | None) -> _Theirs | None:
    return theirs[index] if index is not None and index < len(theirs) else None


def _sample(rows: list[list[str]], index: int) -> str:
    """The first different cells of a column, on one line."""
    cells = dict.fromkeys(cell for row in rows if (cell := " ".join(row[index].split())))
    return "  ·  ".join(cell if len(cell) <= 40 else f"{cell[:39]}…" for cell in list(cells)[:_SAMPLES])
