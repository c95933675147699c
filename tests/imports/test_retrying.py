"""Rows that were skipped as changed since the preview, previewed again by themselves; previews discarded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F

from imports import pipeline, receiving
from imports.models import ImportRun, SavedMapping
from imports.retrying import NothingToRetry, retry_skipped
from shop import stock
from shop.models import Product, StockMovement
from tests.imports.previews import approved, counted, preview
from tests.imports.running import confirm, import_rows, outcomes, receive, row, staging_tables, values, work

pytestmark = pytest.mark.django_db(transaction=True)

FILE = 'Code;Titel;Preis;Notes\nA;"Pot; big";1.234,50;x\nB;Pan;2,50;"y ""z"""\nC;Lid;3,00;\n'
MAPPING = {"sku": 0, "name": 1, "price": 2}


def with_skipped_rows(**options: Any) -> ImportRun:
    """An import that skipped A and B, because they were changed since its preview."""
    import_rows(FILE.replace("Pan", "Pen"), mapping=MAPPING, keep_unknown=True)
    text = FILE.replace("Pot; big", "Pot, big").replace("Lid", "Cover")
    run = work(
        pipeline.confirm(
            run=receive(text, recall=False), mapping=MAPPING, keep_unknown=True, preview=True, **options
        )
    )
    Product.objects.filter(sku__in=["A", "B"]).update(price=F("price") + 1)
    run = approved(run)
    assert outcomes(run) == {"updated": 1, "skipped": 2}
    return run


def test_skipped_rows_are_previewed_again_as_they_were_chosen() -> None:
    user = User.objects.create_user("ada")
    run = with_skipped_rows()

    again = work(retry_skipped(run=run, by=user))

    assert (again.state, again.owner, again.filename) == (
        "previewed", user, f"catalog (rows skipped by import {run.pk}).csv",
    )  # fmt: skip
    assert (again.header, again.mapping, again.mode, again.keep_unknown) == (
        run.header, run.mapping, run.mode, True,
    )  # fmt: skip
    assert counted(again) == {"update": 2, "fields": {"name": 2, "price": 2}}
    again = approved(again)
    assert outcomes(again) == {"updated": 2}
    assert values("price") == {"A": 1234.5, "B": 2.5, "C": 3}
    assert values("name") == {"A": "Pot, big", "B": "Pan", "C": "Cover"}
    assert values("metadata") == {"A": {"Notes": "x"}, "B": {"Notes": 'y "z"'}, "C": {}}


def test_retry_does_not_change_what_is_remembered_for_the_header() -> None:
    run = with_skipped_rows()
    before = list(SavedMapping.objects.values("signature", "values", "used"))

    retry_skipped(run=run)

    assert list(SavedMapping.objects.values("signature", "values", "used")) == before


def test_retry_takes_off_what_was_sold_since_the_first_file_came() -> None:
    import_rows([row("A", stock="5")])
    run = preview([row("A", stock="9")])
    stock.move({"A": -2}, kind=StockMovement.Kind.SALE)
    Product.objects.update(price=1)
    run = approved(run)

    again = approved(work(retry_skipped(run=run)))

    assert (outcomes(again), values("stock")) == ({"updated": 1}, {"A": 7})


def test_nothing_skipped_is_nothing_to_retry() -> None:
    run = approved(preview([row("A")]))
    with pytest.raises(NothingToRetry, match="skipped no rows because of changes since its preview"):
        retry_skipped(run=run)


def test_rows_of_a_shop_that_belong_together_are_not_torn_apart() -> None:
    text = "Handle,Title,Variant SKU,Variant Price\na,A,A-1,{}\n,,A-2,{}\n"
    import_rows(text.format(5, 6))
    run = preview(text.format(7, 8))
    Product.objects.filter(sku="A-1").update(featured=True)
    run = approved(run)

    with pytest.raises(NothingToRetry, match="Upload the file again"):
        retry_skipped(run=run)


def test_discarded_preview_leaves_nothing() -> None:
    import_rows([row("A")])
    run = work(pipeline.discard(run=preview([row("A", price="1"), row("B")])))

    assert (run.state, values("price")) == ("cancelled", {"A": 12.5})
    assert (run.planned_changes.count(), staging_tables(run)) == (0, [])


def test_approved_import_can_not_be_discarded_as_a_preview() -> None:
    run = preview([row("A")])
    pipeline.approve(run=run)
    with pytest.raises(pipeline.RunEnded):
        pipeline.discard(run=run)


def test_previews_that_nobody_approved_are_discarded_with_a_word() -> None:
    old, new = preview([row("A")]), preview([row("A")])
    waiting = confirm([row("A")], preview=True)
    ImportRun.objects.filter(pk=old.pk).update(previewed_at=F("previewed_at") - timedelta(days=7))
    ImportRun.objects.update(created_at=F("created_at") - timedelta(days=8))

    assert receiving.discard_old_previews(older_than=timedelta(days=7)) == 1

    assert list(ImportRun.objects.order_by("pk").values_list("pk", "state", "error")) == [
        (
            old.pk, "cancelled",
            "Nobody approved the preview within 7 days, so it was discarded. Nothing was written.",
        ),
        (new.pk, "previewed", ""),
        (waiting.pk, "planning", ""),
    ]  # fmt: skip
