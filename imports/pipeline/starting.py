"""What people begin: an import that they confirm, and the undo of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

from django.db import transaction
from django.db.models.functions import Now

from imports import choices, policies, remembering
from imports.models import ImportRun
from imports.pipeline.holding import State, hold, job
from imports.pipeline.turns import admit_next, one_at_a_time
from tasks.queueing import create


class Chosen(choices.Choices, policies.Policies):
    """All that may be chosen for an import besides its mode."""


def confirm(
    *,
    run: ImportRun,
    mode: str = ImportRun.Mode.UPSERT,
    preview: bool = False,
    remember: bool = True,
    by: Any = None,
    **chosen: Unpack[Chosen],
) -> ImportRun:
    """Start a draft with what is `chosen`, and `remember` the choices for its header.

    With a `preview`, it stops before anything is written and waits for `approve`. `by` is the user who
    confirms it, if any. Raises MappingError, or RunEnded when it was started or discarded already.
    """
    with transaction.atomic():
        run = hold(run.pk, State.DRAFT)
        options = run.options if (options := chosen.get("options")) is None else options
        for name, value in _checked(run, mode, chosen).items():
            setattr(run, name, value)
        run.preview, run.confirmed_by = preview, by
        if remember:
            remembering.remember(run, options=options, by=by)
        run.state, run.confirmed_at, run.queued_at = State.PLANNING, Now(), Now()
        run.save()
        create([job(run, "imports.plan", "reading the file")])
    run.refresh_from_db()
    return run


def _checked(run: ImportRun, mode: str, chosen: Chosen) -> dict[str, Any]:
    of_policies = policies.Policies.__annotations__
    cells: dict[str, Any] = {name: one for name, one in chosen.items() if name not in of_policies}
    others: dict[str, Any] = {name: one for name, one in chosen.items() if name in of_policies}
    return choices.checked(run, **cells) | policies.checked(mode=mode, **others)


def take_back(*, run: ImportRun, prepare: Callable[[ImportRun], ImportRun]) -> ImportRun:
    """Store the undo that `prepare` makes of the run, which is locked meanwhile, and let it in when its turn
    has come: it is the last in line unless it has a place. Its `variant_ranges` are the parts of its work, in
    steps."""
    with transaction.atomic():
        one_at_a_time()
        undo = prepare(ImportRun.objects.select_for_update().get(pk=run.pk))
        undo.state, undo.confirmed_at, undo.queued_at = State.WAITING, Now(), undo.queued_at or Now()
        undo.save()
        admit_next()
    undo.refresh_from_db()
    return undo
