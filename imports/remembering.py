"""Mapping that learns: what was chosen for a file is the first guess for the next one with the same header.

The header counts as normalised, so case and spacing don't matter, but order does. The columns that come back
with a rejected-rows file are not part of it: a mended file is read as the one that it came from. A file
without a header has nothing to be known by.

Options that a sample showed are not kept, only those that a person chose: the next file's numbers speak for
themselves. Nor is it kept that products were unpublished because the file lacked them, only the category and
the source that this was about: proposed, they do nothing by themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from imports import columns
from imports.models import ImportRun, SavedMapping
from shop.models import Category

_AS_CHOSEN = ("constants", "blank", "clear_token", "keep_unknown", "stock_as", "source")


def recall(run: ImportRun) -> None:
    """Put what was chosen for the draft's header in place of the guess that it has; saves nothing.

    Where both are the same there is nothing to tell, and the draft stays a guess.
    """
    forget(run)
    guess = _chosen(run)
    saved = SavedMapping.objects.filter(signature=_signature(run)).first()
    if saved is None:
        return
    run.saved_mapping = saved
    run.profile = saved.values.get("profile", run.profile)
    run.mapping = _recalled_mapping(run, saved.values["mapping"])
    run.options = _known(saved.values["options"])
    for name in _AS_CHOSEN:
        setattr(run, name, saved.values.get(name, getattr(run, name)))  # older ones don't have all
    run.constants = _known(run.constants)
    run.mirror_category = Category.objects.filter(pk=saved.values.get("mirror_category")).first()
    if _chosen(run) == guess:
        run.saved_mapping = None


def _chosen(run: ImportRun) -> list[Any]:
    return [getattr(run, name) for name in ("mapping", "profile", "options", "mirror_category", *_AS_CHOSEN)]


def forget(run: ImportRun) -> None:
    """Have the draft's choices, except for its mapping, as they are for a header never seen before."""
    run.saved_mapping = None
    usual = ImportRun()
    for name in ("options", "mirror_category", *_AS_CHOSEN):
        setattr(run, name, getattr(usual, name))


def remember(run: ImportRun, *, options: Mapping[str, Mapping[str, str]], by: Any = None) -> None:
    """Keep the choices of an import that is being confirmed; `options` has those that a person made."""
    signature = _signature(run)
    if not signature:
        return
    values = _values(run, options)
    with transaction.atomic():
        saved, is_new = SavedMapping.objects.select_for_update().get_or_create(
            signature=signature, defaults={"header": _header(run), "values": values, "by": by}
        )
        values |= _not_asked(run, saved.values)
        if not is_new and saved.values != values:
            saved.values, saved.by, saved.used, saved.mapped_at = values, by, 0, Now()
            saved.save()
        SavedMapping.objects.filter(pk=saved.pk).update(used=F("used") + 1, last_used_at=Now())


def _values(run: ImportRun, options: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    places = {index: place for place, index in enumerate(_own(run))}
    return {
        # Also which ones were left out: a column that Tallyman learns later is still to be guessed.
        "mapping": {name: places.get(run.mapping.get(name, -1)) for name in columns.BY_NAME},
        "profile": run.profile,
        "options": {name: dict(chosen) for name, chosen in options.items()},
        "mirror_category": run.mirror_category_id,
        **{name: getattr(run, name) for name in _AS_CHOSEN},
    }


def _not_asked(run: ImportRun, saved: Mapping[str, Any]) -> dict[str, Any]:
    """What the import has no say in, as it was: one that takes products out has no source, and one that
    unpublishes nothing for being absent has no category."""
    kept = {"source": saved.get("source", "")} if run.removes else {}
    if not run.mirror_category_id:
        kept["mirror_category"] = saved.get("mirror_category")
    return kept


def _recalled_mapping(run: ImportRun, saved: Mapping[str, int | None]) -> dict[str, int]:
    own = _own(run)
    mapping = {name: own[place] for name, place in _known(saved).items() if place is not None}
    learned = {
        name: index
        for name, index in run.mapping.items()
        if name not in saved and index not in mapping.values()
    }
    return mapping | learned


def _known[T](by_name: Mapping[str, T]) -> dict[str, T]:
    return {name: value for name, value in by_name.items() if name in columns.BY_NAME}


def _own(run: ImportRun) -> list[int]:
    """Indexes of the file's own columns."""
    return [index for index, name in enumerate(run.header) if name not in columns.EXTRA_COLUMNS]


def _header(run: ImportRun) -> list[str]:
    return [columns.normalise(run.header[index]) for index in _own(run)]


def _signature(run: ImportRun) -> str:
    """What files with the same header share; "" for a file that has none."""
    if run.dialect["header_line"] == run.dialect["first_line"]:
        return ""
    return hashlib.sha256("\x1f".join(_header(run)).encode()).hexdigest()
