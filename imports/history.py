"""What imports did to a product, and which of them had to do with a SKU.

Read from the journal and the lists of rows that did not land; runs whose details were purged say nothing.
The journal's key begins with the run, so a product is looked up once in each run: there are hundreds of
runs, and of changes millions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from imports.models import CreatedProducts, ImportRun, RejectedRow, RowChange, SetAsideRow
from shop.models import Product

_WRITTEN = Coalesce("run__finished_at", "run__started_at", "run__created_at")
_OF_RUN = ("kind", "filename", "state", "created_at", "started_at", "finished_at")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a run did with a product or a line of a SKU.

    `at` is when the run ended (or began, while it is at work); of a creation, the instant itself. `what` is
    created, changed, restored, removed, brought back, skipped, superseded or rejected. `before` and `after`
    hold the columns that changed as the journal has them; `reason` says why a line did not land.
    """

    at: datetime
    run: ImportRun
    what: str
    line: int | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    reason: str = ""


def of_product(product: Product, *, limit: int | None = None) -> list[Event]:
    """What imports and undos did to the product, newest first; the newest `limit` ones."""
    return _newest(_changes(product.pk, limit) + _creations(product.pk, product.created_at), limit)


def of_sku(sku: str) -> list[Event]:
    """What imports and undos did to products of this SKU, those that are gone too, and which of its lines
    did not land and why; newest first."""
    events = []
    for product_id, created_at in _products(sku):
        events += _changes(product_id, None) + _creations(product_id, created_at)
    return _newest(events + list(_not_landed(sku)), None)


def runs_touching(sku: str) -> set[int]:
    """The keys of all runs that `of_sku` tells of."""
    found: set[int] = set()
    for product_id, created_at in _products(sku):
        found.update(RowChange.objects.filter(product_id=product_id).values_list("run_id", flat=True))
        found.update(_creating(product_id, created_at).values_list("run_id", flat=True))
    for rows in (SetAsideRow.objects, RejectedRow.objects):
        found.update(rows.filter(sku=sku).order_by().values_list("run_id", flat=True).distinct())
    return found


def _newest(events: list[Event], limit: int | None) -> list[Event]:
    return sorted(events, key=lambda event: (event.at, event.run.pk), reverse=True)[:limit]


def _changes(product_id: UUID, limit: int | None) -> list[Event]:
    changes = (
        RowChange.objects.filter(product_id=product_id, run__purged_at=None)
        .select_related("run")
        .only("product_id", "line", "before", "after", *(f"run__{name}" for name in _OF_RUN))
        .order_by(_WRITTEN.desc(), "-run_id")[:limit]
    )
    return [
        Event(
            _written(change.run),
            change.run,
            _what(change),
            change.line or None,
            change.before,
            change.after,
        )
        for change in changes
    ]


def _what(change: RowChange) -> str:
    if change.before is None:
        return "brought back"
    if change.after is None:
        return "removed"
    return "restored" if change.run.kind == ImportRun.Kind.UNDO else "changed"


def _written(run: ImportRun) -> datetime:
    return run.finished_at or run.started_at or run.created_at


def _creating(product_id: UUID, created_at: datetime) -> Any:
    """The journal's row of the product's creation: made in the same transaction, so at the same time.

    In two steps, because the other way round all arrays would be read.
    """
    then = list(CreatedProducts.objects.filter(at=created_at).values_list("pk", flat=True))
    return CreatedProducts.objects.filter(
        pk__in=then, product_ids__contains=[product_id], run__purged_at=None
    )


def _creations(product_id: UUID, created_at: datetime) -> list[Event]:
    found = _creating(product_id, created_at).select_related("run").defer("product_ids")
    return [Event(creation.at, creation.run, "created") for creation in found]


def _products(sku: str) -> Iterator[tuple[UUID, datetime]]:
    """Key and time of creation of the products that have or had the SKU."""
    there = dict(Product.objects.filter(sku=sku).values_list("pk", "created_at"))
    yield from there.items()
    removals = RowChange.objects.filter(after__isnull=True).alias(sku=KeyTextTransform("sku", "before"))
    gone = removals.filter(sku=sku).values_list("product_id", KeyTextTransform("created_at", "before"))
    for product_id, created_at in dict(gone).items():
        if product_id not in there:
            yield product_id, datetime.fromisoformat(created_at)


def _not_landed(sku: str) -> Iterator[Event]:
    of_run = tuple(f"run__{name}" for name in _OF_RUN)
    for aside in (
        SetAsideRow.objects.filter(sku=sku)
        .select_related("run")
        .only("line", "sku", "outcome", "reason", *of_run)
    ):
        yield Event(_written(aside.run), aside.run, aside.outcome, aside.line, reason=aside.reason)
    for row in (
        RejectedRow.objects.filter(sku=sku).select_related("run").only("line", "sku", "message", *of_run)
    ):
        yield Event(_written(row.run), row.run, "rejected", row.line, reason=row.message)
