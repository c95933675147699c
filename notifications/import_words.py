"""What mails about imports and undos say of them, in the language that is active."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel.lists import format_list
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext, pgettext_lazy

from imports import mirroring
from imports.models import ImportRun
from shop.languages import apart, locale, number_text

# Which of the three meanings an outcome has; the others are good.
_TONES = {"rejected": "bad", "superseded": "look", "skipped": "look", "pending": "look"}

_ROWS = {
    "created": pgettext_lazy("rows", "created"),
    "updated": pgettext_lazy("rows", "updated"),
    "unchanged": pgettext_lazy("rows", "unchanged"),
    "removed": pgettext_lazy("rows", "removed"),
    "merged": pgettext_lazy("rows", "merged"),
    "skipped": pgettext_lazy("rows", "skipped"),
    "superseded": pgettext_lazy("rows", "superseded"),
    "rejected": pgettext_lazy("rows", "rejected"),
    "pending": pgettext_lazy("rows", "not reached"),
}
_TAKEN_BACK = {
    "updated": pgettext_lazy("products", "restored"),
    "removed": pgettext_lazy("products", "removed"),
    "created": pgettext_lazy("products", "brought back"),
    "unchanged": pgettext_lazy("products", "done before"),
    "skipped": pgettext_lazy("products", "kept"),
    "pending": pgettext_lazy("products", "not reached"),
}


def title(run: ImportRun) -> str:
    """Which it is and how it ended: `Import 12 finished`."""
    ends = {ImportRun.State.COMPLETED: 0, ImportRun.State.FAILED: 1}
    ended = ends.get(ImportRun.State(run.state), 2)
    taken_back = run.undoes if run.kind == ImportRun.Kind.UNDO else None
    return _titles(run)[ended] % {"number": str((taken_back or run).pk)}


def _titles(run: ImportRun) -> tuple[str, str, str]:
    if run.kind != ImportRun.Kind.UNDO:
        return (
            _("Import %(number)s finished"),
            _("Import %(number)s failed"),
            _("Import %(number)s was cancelled"),
        )
    if run.undoes and run.undoes.kind == ImportRun.Kind.UNDO:
        return (
            _("Undo of undo %(number)s finished"),
            _("Undo of undo %(number)s failed"),
            _("Undo of undo %(number)s was cancelled"),
        )
    return (
        _("Undo of import %(number)s finished"),
        _("Undo of import %(number)s failed"),
        _("Undo of import %(number)s was cancelled"),
    )


def headline(run: ImportRun) -> str:
    """What came of its rows: `99,500 of 100,000 rows landed, 500 rejected`."""
    told = {name: number_text(getattr(run, name)) for name in ("landed", "rows", "rejected", "skipped")}
    if run.kind == ImportRun.Kind.UNDO:
        return _of_products(run) % told
    return (_of_rows(run) if run.rows else _("no row was read")) % told


def _of_rows(run: ImportRun) -> str:
    if run.landed == run.rows:
        return ngettext("all %(rows)s row landed", "all %(rows)s rows landed", run.rows)
    if run.rejected:
        return ngettext(
            "%(landed)s of %(rows)s row landed, %(rejected)s rejected",
            "%(landed)s of %(rows)s rows landed, %(rejected)s rejected",
            run.rows,
        )
    return ngettext("%(landed)s of %(rows)s row landed", "%(landed)s of %(rows)s rows landed", run.rows)


def _of_products(run: ImportRun) -> str:
    if run.landed == run.rows:
        return ngettext("all %(rows)s product taken back", "all %(rows)s products taken back", run.rows)
    if run.skipped:
        return ngettext(
            "%(landed)s of %(rows)s product taken back, %(skipped)s kept",
            "%(landed)s of %(rows)s products taken back, %(skipped)s kept",
            run.rows,
        )
    return ngettext(
        "%(landed)s of %(rows)s product taken back", "%(landed)s of %(rows)s products taken back", run.rows
    )


def subject(run: ImportRun, reason: str) -> str:
    """The title with the headline, or with the `reason` for which it failed."""
    told = headline(run)
    if run.state == ImportRun.State.FAILED:
        told = reason or _("it could not go on")
    return pgettext("a mail's subject", "%(title)s: %(told)s") % {"title": title(run), "told": told}


def tone(run: ImportRun) -> str:
    """The meaning of its end: good, look or bad."""
    if run.state == ImportRun.State.COMPLETED:
        return "look" if run.rejected else "good"
    return "bad" if run.state == ImportRun.State.FAILED else "look"


def counts(run: ImportRun) -> list[tuple[str, str, int]]:
    """Each outcome that there is: in words, its meaning, how often."""
    words = _TAKEN_BACK if run.kind == ImportRun.Kind.UNDO else _ROWS
    return [
        (str(words.get(name, name)), _TONES.get(name, "good"), count)
        for name, count in run.outcomes.items()
        if count
    ]


def accepted(run: ImportRun) -> str:
    """How many of a hundred rows; rounded down, for it must not say 100 when a row was rejected."""
    return format_decimal(int(run.success_rate * 1000) / 10, "0.0", locale=locale())


def mirrored(run: ImportRun) -> str:
    """What a mirror came to. Why it came to nothing is in the words of the import's own page."""
    if not run.unlisted:
        return mirroring.told(run)
    return ngettext(
        "%(count)s product was unpublished, because the file lacks it.",
        "%(count)s products were unpublished, because the file lacks them.",
        run.unlisted,
    ) % {"count": number_text(run.unlisted)}


def warning(found: Mapping[str, Any]) -> str:
    """What a preview warns of, by its code and figure; one of a kind that has no words here, as its page says
    it."""
    share = format_percent(found.get("figure", 0) / 100, "0.#\u00a0%", locale=locale())
    limit = format_percent(settings.IMPORT_WARN_PRICE_PERCENT / 100, "0.#\u00a0%", locale=locale())
    told = {
        "rejected": _("Of all rows, %(share)s would be rejected."),
        "price_jumps": _("Products whose price would change by more than %(limit)s: %(count)s."),
        "to_zero": _("Of the products in the file, %(share)s would have no stock any more."),
        "unpublished": _("Of all products, %(share)s would be unpublished or deleted."),
        "categories": _("Categories that would be created: %(count)s."),
    }.get(found["code"], "")
    count = number_text(round(found.get("figure", 0)))
    return told % {"share": share, "limit": limit, "count": count} if told else apart(found["message"])


def duration(seconds: float) -> str:
    """As people say it: `8.4 seconds`, `3 minutes and 20 seconds`."""
    if round(seconds, 1) < 60:
        return format_unit(round(seconds, 1), "second", format="0.0", locale=locale())
    minutes, rest = divmod(round(seconds), 60)
    parts = [(minutes // 60, "hour"), (minutes % 60, "minute"), (rest, "second")]
    told = [format_unit(count, unit, locale=locale()) for count, unit in parts if count]
    return format_list(told[:2], style="standard", locale=locale())
