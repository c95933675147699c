"""One function a kind of mail: subject, text and HTML of it. No I/O, so safe in a transaction."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from imports import links
from imports.models import ImportRun
from notifications import import_words

# Nothing may be fetched while rendering.
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The content of a mail; `html` may be empty."""

    subject: str
    text: str
    html: str


def import_finished(run: ImportRun, *, language: str = "") -> Rendered:
    """Tell how an import ended: outcome, counts, rate, time it took, where to look. `run` has ended."""
    kind = "undo_finished" if run.kind == ImportRun.Kind.UNDO else "import_finished"
    with translation.override(language or settings.LANGUAGE_CODE):
        context = _import_context(run)
    return render(kind, context, language=language)


def import_finished_plain(run: ImportRun) -> Rendered:
    """The same from code alone, for when its templates are broken."""
    counts = "\n".join(f"{name}: {count:,}" for name, count in [*run.outcomes.items(), ("rows", run.rows)])
    subject = f"{run.name}: {run.get_state_display()}"
    return Rendered(one_line(subject), f"{subject}\n{run.filename}\n{run.error}\n\n{counts}\n", "")


def import_second_person(run: ImportRun, *, language: str = "") -> Rendered:
    """Tell somebody who may approve it that a preview with strong warnings waits; `run` is previewed."""
    with translation.override(language or settings.LANGUAGE_CODE):
        context = {
            "run": run,
            "number": str(run.pk),
            "owner": str(run.owner) if run.owner else "",
            "strong": [import_words.warning(one) for one in run.warnings if one["second"]],
            "others": [import_words.warning(one) for one in run.warnings if not one["second"]],
            "import_url": links.import_page(run),
        }
    return render("import_second_person", context, language=language)


def import_second_person_plain(run: ImportRun) -> Rendered:
    """The same from code alone, for when its templates are broken."""
    told = "\n".join(one["message"] for one in run.warnings)
    subject = f"{run.name} waits for a second person"
    return Rendered(one_line(subject), f"{subject}\n{run.filename}\n{told}\n\n{links.import_page(run)}\n", "")


def about_account(*, subject: str, text: str, language: str = "") -> Rendered:
    """A mail about somebody's account, around what is already worded in that language; addresses in the text
    become links."""
    return render("account", {"words": subject, "told": text}, language=language)


def _import_context(run: ImportRun) -> dict[str, Any]:
    """What the templates about an import are filled with, in the language that is active."""
    return {
        "run": run,
        "number": str(run.pk),  # a name, not a quantity: without thousands separators
        "title": import_words.title(run),
        "headline": import_words.headline(run),
        "told": import_words.subject(run, one_line(run.error, 120)),
        "tone": import_words.tone(run),
        "counts": import_words.counts(run),
        "percent": import_words.accepted(run),
        "duration": import_words.duration(run.seconds or 0.0),
        "mirrored": import_words.mirrored(run),
        "rows_per_second": run.summary()["rows_per_second"],
        "import_url": links.import_page(run),
        "rejected_url": links.rejected_rows(run) if run.rejected else "",
    }


def render(kind: str, context: dict[str, Any], *, language: str = "") -> Rendered:
    """Fill the three templates of a kind, in the given language or the shop's, whoever's request or task
    this is."""
    language = language or settings.LANGUAGE_CODE
    context = {
        "shop_name": settings.SHOP_NAME,
        "logo": settings.SHOP_LOGO,
        "colour": settings.SHOP_COLOUR,
        "colour_dark": settings.SHOP_COLOUR_DARK,
        "site_url": settings.SITE_URL,
        "language": language,
        **context,
    }
    with translation.override(language):
        context["subject"] = one_line(render_to_string(f"notifications/{kind}/subject.txt", context))
        text = str(render_to_string(f"notifications/{kind}/body.txt", context))
        html = render_to_string(f"notifications/{kind}/body.html", context)
    # What is left out of a text leaves its blank lines behind.
    told = re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n"
    return Rendered(context["subject"], told, _INLINER.inline(html))


def one_line(text: str, length: int = 250) -> str:
    """Without line breaks, which a mail's header can't hold, and not longer than `length`."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
