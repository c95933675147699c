"""Mirrors: what the file no longer has is unpublished, within a category or a source."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from imports import mirroring, pipeline
from imports.choices import MappingError
from imports.models import ImportRun, RowChange
from imports.policies import category_named
from shop.models import Category, Product
from tests.imports.running import (
    catalogue,
    confirm,
    csv_of,
    import_rows,
    outcomes,
    row,
    values,
    work,
    work_up_to,
)

pytestmark = pytest.mark.django_db

Mirror = ImportRun.Mirror
State = ImportRun.State


def mirror(content: Any, source: str = "acme", **options: Any) -> ImportRun:
    """Import it as all that the source has."""
    return import_rows(content, mirror=Mirror.SOURCE, source=source, **options)


def published() -> list[str]:
    return sorted(sku for sku, is_published in values("published").items() if is_published)


def test_product_of_the_source_that_the_file_lacks_is_unpublished() -> None:
    import_rows([row("A"), row("B"), row("C", published="no")], source="acme")
    import_rows([row("other")], source="umbra")
    import_rows([row("own")])
    before = dict(Product.objects.values_list("sku", "version"))

    run = mirror([row("A")])

    assert (published(), run.unlisted, outcomes(run)) == (["A", "other", "own"], 1, {"unchanged": 1})
    change = RowChange.objects.get(run=run)
    assert (change.line, change.before, change.after) == (0, {"published": True}, {"published": False})
    b = Product.objects.get(sku="B")
    assert (change.product_id, change.version_before, change.version_after) == (b.pk, before["B"], b.version)
    assert {p.sku for p in Product.objects.all() if p.version != before[p.sku]} == {"B"}


def test_source_is_remembered_of_what_was_created_changed_and_left_alone() -> None:
    import_rows([row("changed"), row("same")])
    before = dict(Product.objects.values_list("sku", "version"))

    run = import_rows([row("new"), row("changed", price="1"), row("same")], source="acme")

    assert values("source") == {"changed": "acme", "new": "acme", "same": "acme"}
    assert outcomes(run) == {"created": 1, "updated": 2}
    same = Product.objects.get(sku="same")
    change = RowChange.objects.get(run=run, product_id=same.pk)
    assert (change.before, change.after) == ({"source": ""}, {"source": "acme"})
    assert (same.version, change.version_after) == (before["same"], before["same"])
    assert import_rows([row("same")], source="acme").unchanged == 1


def test_line_that_another_source_wrote_is_not_taken_for_unchanged(settings: Any) -> None:
    rows = catalogue(60)
    import_rows(rows, source="acme")

    run = import_rows(rows, source="umbra")

    assert (set(values("source").values()), outcomes(run)) == ({"umbra"}, {"updated": 60})


def test_import_without_a_source_leaves_the_source_alone() -> None:
    import_rows([row("A")], source="acme")

    run = import_rows([row("A", price="1")])

    assert (values("source"), outcomes(run)) == ({"A": "acme"}, {"updated": 1})


def test_category_is_mirrored_with_all_below_it() -> None:
    import_rows(
        [
            row("A", category="Home"),
            row("B", category="Home > Kitchen"),
            row("C", category="Home > Kitchen"),
            row("D", category="Homes"),
            row("E"),
        ]
    )

    run = import_rows([row("C")], mirror=Mirror.CATEGORY, mirror_category=category_named("home"))

    assert (published(), run.unlisted) == (["C", "D", "E"], 2)


def test_rows_of_every_outcome_count_as_listed() -> None:
    import_rows([row(sku) for sku in ("broken", "doubled", "skipped", "same", "gone")], source="acme")
    rows = [row("broken", price="x"), row("doubled", price="1"), row("doubled"), row("skipped", price="1")]

    run = mirror([*rows, row("same")], mode=ImportRun.Mode.CREATE)

    assert outcomes(run) == {"skipped": 3, "superseded": 1, "rejected": 1}
    assert (published(), run.unlisted) == (["broken", "doubled", "same", "skipped"], 1)


@pytest.mark.parametrize(
    "line",
    ["A,x,1", "A,x,1,2,3", 'A,"x,1,2', "A,\x00,1,2", "A,,x,1"],
    ids=["too few cells", "too many", "open quote", "NUL", "price"],
)
def test_broken_line_that_begins_with_the_sku_counts_as_listed(line: str) -> None:
    import_rows([row("A"), row("B"), row("C")], source="acme")

    run = mirror(f"sku,name,price,stock\n{line}\nB,B,1,2\n", repair=False)

    assert (run.rejected, published(), mirroring.obstacle(run)) == (1, ["A", "B"], "")


@pytest.mark.parametrize(
    "lines",
    [
        ",B,1,2",  # no SKU
        "A,A,1,2B,B,1,2",  # a line end is lost
        "\x00A,A,1,2",
    ],
)
def test_nothing_is_unpublished_while_a_row_cannot_be_told(lines: str) -> None:
    import_rows([row("A"), row("B"), row("C")], source="acme")

    run = mirror(f"sku,name,price,stock\n{lines}\nC,C,1,2\n", repair=False)

    assert (published(), run.unlisted) == (["A", "B", "C"], 0)
    rows = "1 row" if run.rejected == 1 else f"{run.rejected} rows"
    assert mirroring.obstacle(run) == (
        f"{rows} could not be read, so it is not known what the file lacks, and no product was unpublished"
        " for being absent from it. Mend the file and import it again."
    )


def test_sku_behind_a_broken_cell_is_not_told() -> None:
    import_rows([row("A"), row("B")], source="acme")

    run = mirror("name,sku,price\nA, or so,A,1\nB,B,1\n", repair=False)

    assert (run.rejected_rows.get().sku, run.unlisted, published()) == ("", 0, ["A", "B"])


def test_file_without_a_sound_row_unpublishes_nothing() -> None:
    import_rows([row("A")], source="acme")

    run = mirror([row("B", price="x")])

    assert (run.unlisted, published()) == (0, ["A"])
    assert mirroring.obstacle(run) == (
        "The file has no sound row, so no product was unpublished for being absent from it."
    )


def test_variants_go_with_their_product_where_the_file_does_not_tell_them() -> None:
    import_rows(
        [
            *(row(sku) for sku in ("shirt", "coat", "hat")),
            row("shirt-M", parent="shirt", options="Size: M"),
            row("coat-M", parent="coat", options="Size: M"),
            row("hat-M", parent="hat", options="Size: M"),
        ],
        source="acme",
    )

    run = mirror([row("shirt"), row("hat-M")])

    assert (published(), run.unlisted) == (["hat", "hat-M", "shirt", "shirt-M"], 2)


def test_variant_that_the_file_would_tell_is_unpublished_alone() -> None:
    whole = [row("shirt"), *(row(f"shirt-{size}", parent="shirt", options=f"Size: {size}") for size in "ML")]
    import_rows(whole, source="acme")

    mirror(whole[:2])

    assert published() == ["shirt", "shirt-M"]


def test_variant_has_the_category_and_source_of_its_product() -> None:
    import_rows([row("shirt", category="Wear")], source="acme")
    import_rows([row("shirt-M", parent="shirt", options="Size: M"), row("hat", category="Wear")])

    run = import_rows([row("hat")], mirror=Mirror.CATEGORY, mirror_category=category_named("Wear"))
    assert (published(), run.unlisted) == (["hat"], 2)

    Product.objects.update(published=True)
    assert (mirror([row("hat")]).unlisted, published()) == (2, ["hat"])


def test_unchanged_file_is_a_mirror_all_the_same() -> None:
    """All of its lines are recognised, so no range is loaded."""
    rows = catalogue(60)
    import_rows(rows, source="acme")
    import_rows([row("late")], source="acme")

    run = mirror(rows)

    assert (run.unchanged, run.unlisted, values("published")["late"]) == (60, 1, False)


def test_mirror_works_in_small_ranges(settings: Any) -> None:
    settings.IMPORT_RANGE_ROWS = 4
    rows = [row(f"SKU-{number:02}") for number in range(40)]
    import_rows(rows, source="acme")

    run = confirm(rows[::2], mirror=Mirror.SOURCE, source="acme")
    work_up_to(run, "mirror")
    work(run, choose=lambda jobs: jobs[-1])

    assert (run.state, run.unlisted, published()) == (
        State.COMPLETED,
        20,
        [cells["sku"] for cells in rows[::2]],
    )
    assert RowChange.objects.filter(run=run, line=0).count() == 20


def test_cancelled_import_unpublishes_nothing() -> None:
    import_rows([row("A"), row("B")], source="acme")
    run = confirm([row("A", price="1")], mirror=Mirror.SOURCE, source="acme")
    work_up_to(run, "mirror")

    pipeline.cancel(run=run)
    work(run)

    assert (run.state, run.unlisted, published()) == (State.CANCELLED, 0, ["A", "B"])


def test_category_that_was_deleted_meanwhile_is_not_mirrored() -> None:
    import_rows([row("A", category="Home")])
    empty = Category.objects.create(name="Empty")
    run = confirm([row("B")], mirror=Mirror.CATEGORY, mirror_category=empty)

    empty.delete()
    work(run)

    run.refresh_from_db()
    assert (run.state, run.unlisted, published()) == (State.COMPLETED, 0, ["A", "B"])
    assert mirroring.obstacle(run) == (
        "The category whose products were to be unpublished is gone, so none was."
    )


@pytest.mark.django_db(transaction=True)
def test_mirror_goes_on_after_the_staging_table_was_lost(settings: Any) -> None:
    settings.IMPORT_RANGE_ROWS = 2
    import_rows([row(sku) for sku in "ABCDEFGH"], source="acme")
    run = confirm([row("A", price="1"), row("C"), row("E", price="x")], mirror=Mirror.SOURCE, source="acme")
    work_up_to(run, "mirror")
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {run.staging_table}")

    work(run)

    assert (run.unlisted, published()) == (5, ["A", "C", "E"])


def test_number_that_would_be_unpublished_is_told_before() -> None:
    import_rows([row(sku) for sku in "ABCD"], source="acme")
    run = confirm([row("A", price="1")], mirror=Mirror.SOURCE, source="acme")
    work_up_to(run, "load")

    run.refresh_from_db()
    assert mirroring.count_unlisted(run) == 3
    assert work(run).unlisted == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"mirror": Mirror.SOURCE},
            "Name the source whose products are unpublished where the file lacks them.",
        ),
        (
            {"mirror": Mirror.CATEGORY},
            "Say in which category products that the file lacks are unpublished, such as Home > Kitchen.",
        ),
        (
            {"mirror": Mirror.SOURCE, "source": "acme", "mode": ImportRun.Mode.DELETE},
            "An import that takes out the listed products can't unpublish what the file lacks as well. Leave"
            " one of the two out.",
        ),
        (
            {"source": "x" * 61},
            "The name of a source has up to 60 characters and no line breaks. Shorten it.",
        ),
        (
            {"errors": "limit", "error_limit": -1},
            "Say after how many broken rows to stop: 0 to 1,000,000,000.",
        ),
    ],
)
def test_policies_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError) as refused:
        confirm([row("A")], **options)
    assert str(refused.value) == message


_SKUS = st.sets(st.sampled_from("ABCDEFGHIJ"), min_size=1)


@hypothesis_settings(max_examples=15, deadline=None)
@given(there=_SKUS, listed=_SKUS, broken=_SKUS)
def test_mirror_leaves_exactly_what_the_file_names(
    there: set[str], listed: set[str], broken: set[str]
) -> None:
    Product.objects.all().delete()
    import_rows([row(sku) for sku in there], source="acme")
    rows = [row(sku, price="x" if sku in broken else "2") for sku in listed]

    run = mirror(csv_of(rows))

    stay = there & listed if listed - broken else there
    assert set(published()) == stay | (listed - broken)
    assert run.unlisted == len(there - stay)
