"""What people begin: an import that they confirm, and the undo of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Unpack

from django.db import transaction
from django.db.models.functions import Now

from imports import choices, policies, remembering
from imports.models import ImportRun
from imports.pipeline.holding import State, hold, job
from imports.pipeline.turns import admit_next, one_at_a_time
from tasks.queueing import create


def confirm(
    *,
    run: ImportRun,
    mapping: dict[str, int] | None = None,
    mode: str = ImportRun.Mode.UPSERT,
    keep_unknown: bool | None = None,
    blank: str | None = None,
    clear_token: str | None = None,
    options: Mapping[str, Mapping[str, str]] | None = None,
    constants: Mapping[str, str] | None = None,
    repair: bool | None = None,
    stock_as: str | None = None,
    preview: bool = False,
    remember: bool = True,
    by: Any = None,
    **chosen_policies: Unpack[policies.Policies],
) -> ImportRun:
    """Start a draft with these choices, and `remember` them for its header; what is None is as in the draft.

    `mapping` is our column → index in the header. `blank` says what blank cells do, `clear_token` the text
    that clears. `options` is our column → how its cells are read, such as `{"price": {"format": "comma"}}`;
    what it leaves open is as the sample showed it. `constants` is our column → what it gets where the file
    has no such column or a blank cell. Without `repair`, lines that could be repaired are rejected.
    `stock_as` says what a number of stock means. With a `preview`, it stops before anything is written and
    waits for `approve`. `by` is the user who confirms it, if any. The policies
    are those of `policies.checked`.
    Raises MappingError, or RunEnded when it was started or discarded already.
    """
    with transaction.atomic():
        run = hold(run.pk, State.DRAFT)
        chosen = run.options if options is None else options
        checked = choices.checked(
            run,
            mapping=mapping,
            keep_unknown=keep_unknown,
            blank=blank,
            clear_token=clear_token,
            options=chosen,
            constants=constants,
            repair=repair,
            stock_as=stock_as,
        )
        checked |= policies.checked(mode=mode, **chosen_policies)
        for name, value in checked.items():
            setattr(run, name, value)
        run.preview, run.confirmed_by = preview, by
        if remember:
            remembering.remember(run, options=chosen, by=by)
        run.state, run.confirmed_at, run.queued_at = State.PLANNING, Now(), Now()
        run.save()
        create([job(run, "imports.plan", "reading the file")])
    run.refresh_from_db()
    return run


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
