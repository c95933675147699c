"""Take back what an import did, as far as nobody changed it since; or, as redo, what an undo did.

An undo is a run of its own: it waits in the same line, works on parts of the journal of the run that it
takes back (`restoring`), keeps and lists what was changed since (`keeping`), and leaves a journal by which it
can be undone itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from imports import keeping, pipeline
from imports.models import ImportRun

_COUNTED = ("restore", "remove", "bring_back", "keep", "done")
_SHOWN = 20  # kept products that a preview names

# What the outcomes of a run are called when it is an undo, and what they say about its products.
WORDS = {
    "updated": ("restored", "product(s) that (is|are) again as before"),
    "removed": ("removed", "product(s) that the import had created"),
    "created": ("brought back", "product(s) that had been taken out"),
    "unchanged": ("done before", "product(s) that an undo that was stopped had taken back"),
    "skipped": ("kept", "product(s) to which something else happened since"),
    "pending": ("pending", "product(s) that (was|were) not reached"),
}
_BACK_ALREADY = "taken back already, by an undo that was stopped"


class NotUndoable(Exception):  # noqa: N818 - an outcome, not a fault
    """The run can't be undone, or not now; the text says why and what to do."""


class Kept(NamedTuple):
    """A product that an undo leaves as it is. `sku` is blank where the product is gone without a trace."""

    sku: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What an undo would do now, in products; `kept` are the first of those that it would keep. `done` were
    taken back already by an earlier undo that was stopped."""

    restore: int
    remove: int
    bring_back: int
    keep: int
    done: int
    kept: list[Kept]

    @property
    def takes_back(self) -> int:
        return self.restore + self.remove + self.bring_back

    @property
    def parts(self) -> list[tuple[int, str]]:
        """(products, what happens to them), without what happens to none."""
        since = "because something else happened to"
        every = [
            (self.restore, "gets back what it was before", "get back what they were before"),
            (self.remove, "is taken out of the catalogue", "are taken out of the catalogue"),
            (self.bring_back, "comes back into the catalogue", "come back into the catalogue"),
            (self.keep, f"stays as it is, {since} it since", f"stay as they are, {since} them since"),
            (self.done, f"was {_BACK_ALREADY}", f"were {_BACK_ALREADY}"),
        ]
        return [(count, one if count == 1 else many) for count, one, many in every if count]


def undo_of(run: ImportRun) -> ImportRun | None:
    """The undo that took the run back or is about to; None where there is none, or it was stopped."""
    stopped = [ImportRun.State.CANCELLED, ImportRun.State.FAILED]
    return run.undone_by.exclude(state__in=stopped).first()


def must_be_undoable(run: ImportRun) -> None:
    """Raise NotUndoable unless the run has ended, wrote something, and nobody has taken that back."""
    if not run.has_ended:
        raise NotUndoable(f"{run} is not over ({run.get_state_display()}). Cancel it, or wait for its end.")
    if other := undo_of(run):
        done = "was" if other.has_ended else "is being"
        raise NotUndoable(f"{run} {done} taken back by undo {other.pk}.")
    if run.purged_at:
        raise NotUndoable(f"What {run} changed was kept until {run.purged_at:%-d %b %Y}, and is gone now.")
    if not (run.creations.exists() or run.changes.exists()):
        raise NotUndoable(f"{run} changed nothing, so there is nothing to take back.")


def is_undoable(run: ImportRun) -> bool:
    """Whether the run can be undone now."""
    try:
        must_be_undoable(run)
    except NotUndoable:
        return False
    return True


def begin(run: ImportRun, by: Any = None, *, queued_at: datetime | None = None) -> ImportRun:
    """Take back what the run did, when its turn has come; returns the undo. `by` is the user who wants it;
    `queued_at` its place in line, where that is not the last.

    Raises NotUndoable.
    """

    def prepared(run: ImportRun) -> ImportRun:
        must_be_undoable(run)
        parts, products = _parts(run)
        return ImportRun(
            kind=ImportRun.Kind.UNDO,
            undoes=run,
            filename=run.filename,
            size=0,
            owner=by,
            queued_at=queued_at,
            lines=products,
            rows=products,
            pending=products,
            variant_ranges=parts,
            ranges_total=len(parts),
        )

    return pipeline.take_back(run=run, prepare=prepared)


def _parts(run: ImportRun) -> tuple[list[dict[str, Any]], int]:
    """The run's journal in parts of about a load's size, in the order of their steps; and how many products
    it has."""
    parts, products = _parts_of_changes(run)
    for step, size, ids in _creations(run):
        products += size
        last = parts[-1] if parts else {}
        fits = "creations" in last and last["size"] + size <= settings.IMPORT_RANGE_ROWS
        if fits and last["step"] == step:
            last["creations"].append(ids)
            last["size"] += size
        else:
            parts.append({"step": step, "creations": [ids], "size": size})
    return sorted(parts, key=lambda part: part["step"]), products


def _parts_of_changes(run: ImportRun) -> tuple[list[dict[str, Any]], int]:
    """Ranges of product ids for each step, and how many products they have together."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT step, count(*), array_agg(id::text ORDER BY id) FILTER (WHERE (number - 1) %% %(size)s = 0)
            FROM (
                SELECT {keeping.STEP} AS step, product_id AS id,
                       row_number() OVER (PARTITION BY {keeping.STEP} ORDER BY product_id) AS number
                FROM imports_rowchange c WHERE run_id = %(run)s
            ) numbered GROUP BY step
            """,
            {"run": run.pk, "size": settings.IMPORT_RANGE_ROWS},
        )
        steps = cursor.fetchall()
    parts = [
        {"step": step, "low": low, "high": high}
        for step, _, lows in steps
        for low, high in zip(lows, [*lows[1:], None], strict=True)
    ]
    return parts, sum(count for _, count, _ in steps)


def _creations(run: ImportRun) -> list[tuple[int, int, int]]:
    """(step, products, id) of each load's list of created products: variants have lists of their own."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT CASE WHEN EXISTS (
                       SELECT FROM shop_product p
                       WHERE p.id = ANY(c.product_ids) AND p.parent_id IS NOT NULL AND p.version = c.version
                   ) THEN %(first)s ELSE %(last)s END AS step, cardinality(c.product_ids), c.id
            FROM imports_createdproducts c WHERE c.run_id = %(run)s ORDER BY step, c.id
            """,
            {"run": run.pk, "first": keeping.FIRST, "last": keeping.LAST},
        )
        return list(cursor.fetchall())


def preview(run: ImportRun) -> Preview:
    """What taking the run back would do now. Writes nothing; raises NotUndoable."""
    must_be_undoable(run)
    params = keeping.parameters(run)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'; SET LOCAL jit = off")
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE judged AS
            SELECT id, deed, version, code, CASE WHEN code <> 'done' THEN before END AS before,
                   CASE WHEN code <> 'done' THEN after END AS after
            FROM (
                SELECT j.*, {keeping.verdict(ahead=True)} AS code
                FROM ({keeping.journal()}) j LEFT JOIN shop_product p ON p.id = j.id
                OFFSET 0 -- or the code would be found out three times
            ) j
            """,
            params,
        )
        cursor.execute(
            """
            SELECT CASE WHEN code IS NULL THEN replace(deed, ' ', '_') WHEN code <> 'done' THEN 'keep'
                   ELSE 'done' END, count(*)
            FROM judged GROUP BY 1
            """
        )
        counts = dict.fromkeys(_COUNTED, 0) | dict(cursor.fetchall())
        cursor.execute(f"{keeping.kept('judged', limit=_SHOWN)} ORDER BY sku", params)
        kept = [Kept(*row) for row in cursor.fetchall()]
        cursor.execute("DROP TABLE judged")
    return Preview(**counts, kept=kept)
