"""What broken rows mean for the others: they land, nothing does, or the import stops when there are many."""

from __future__ import annotations

from typing import Any

import pytest

from imports.models import ImportRun
from shop.models import Product
from tests.imports.running import (
    confirm,
    do,
    due_jobs,
    import_rows,
    in_small_pieces,
    outcomes,
    products,
    rejected_file,
    rejections,
    row,
    staging_tables,
    values,
    work,
    work_up_to,
)

pytestmark = pytest.mark.django_db

Errors = ImportRun.Errors
State = ImportRun.State

_NOTHING_WRITTEN = (
    " Nothing was written to the catalogue. The rejected rows are listed, each with what is wrong: mend them"
    " and import the file again."
)


def test_nothing_is_written_if_any_row_is_broken() -> None:
    import_rows([row("A")])

    run = import_rows(
        [row("A", price="1"), row("B", category="New"), row("C", price="x"), row("D", stock="many")],
        errors=Errors.NOTHING,
    )

    assert (run.state, run.error) == (
        State.FAILED,
        f"2 rows are broken, and this import was to write nothing in that case.{_NOTHING_WRITTEN}",
    )
    assert outcomes(run) == {"rejected": 2, "pending": 2}
    assert values("price") == {"A": 12.5}
    assert [cells[0] for cells in rejected_file(run)] == ["sku", "C", "D"]
    assert (staging_tables(run), due_jobs()) == ([], [])


def test_sound_file_lands_although_no_row_may_be_broken() -> None:
    run = import_rows([row("A"), row("B", parent="A", options="Size: M")], errors=Errors.NOTHING)

    assert (run.state, outcomes(run)) == (State.COMPLETED, {"created": 2})


def test_next_import_is_let_in_when_one_was_stopped() -> None:
    first, second = confirm([row("A", price="x")], errors=Errors.NOTHING), confirm([row("B")])

    work(first)

    second.refresh_from_db()
    assert (first.state, second.state) == (State.FAILED, State.COMPLETED)


@pytest.mark.parametrize(
    ("there", "rows", "rejected"),
    [
        ([], [row("v", parent="nobody", options="a: b")], [(3, "parent", "no_parent")]),
        (
            [row("p"), row("q", parent="p", options="a: b")],
            [row("v", parent="q", options="a: b")],
            [(3, "parent", "nested_variant")],
        ),
        (
            [row("p"), row("q", parent="p", options="a: b")],
            [row("p", parent="other", options="a: b"), row("other")],
            [(3, "parent", "nested_variant")],
        ),
        (
            [],
            [row("p"), row("q", parent="p", options="a: b"), row("v", parent="q", options="a: c")],
            [(5, "parent", "nested_variant")],
        ),
    ],
    ids=["no parent", "nested", "has variants", "nested in the file"],
)
def test_variant_that_can_not_be_is_found_before_anything_is_written(
    there: list[dict[str, str]], rows: list[dict[str, str]], rejected: list[tuple[int, str, str]]
) -> None:
    if there:
        import_rows(there)
    before = products()

    run = import_rows([row("sound", parent=""), *rows], errors=Errors.NOTHING)

    assert (run.state, rejections(run), products()) == (State.FAILED, rejected, before)
    landing = import_rows([row("sound", parent=""), *rows])
    assert rejections(landing) == rejected  # by the load, when broken rows stop nothing


@pytest.mark.parametrize(
    ("there", "rows"),
    [
        ([row("p")], [row("v", parent="p", options="a: b")]),
        ([], [row("v", parent="p", options="a: b"), row("p")]),
        (
            [row("p"), row("q", parent="p", options="a: b")],
            [row("q", parent="__clear__", options="__clear__"), row("v", parent="q", options="a: b")],
        ),
        (
            [row("p"), row("q", parent="p", options="a: b")],
            [row("q", parent="__clear__", options="__clear__"), row("p", parent="q", options="a: b")],
        ),
    ],
    ids=["in the catalogue", "in the file", "no variant any more", "no variants any more"],
)
def test_variant_that_will_have_its_parent_stops_nothing(
    there: list[dict[str, str]], rows: list[dict[str, str]]
) -> None:
    if there:
        import_rows(there)

    run = import_rows(rows, errors=Errors.NOTHING)

    assert (run.state, run.landed, rejections(run)) == (State.COMPLETED, len(rows), [])


def test_row_that_breaks_while_it_is_loaded_stops_the_import(settings: Any) -> None:
    settings.IMPORT_RANGE_ROWS = 1
    import_rows([row("A"), row("B"), row("C")])
    run = confirm("sku,price\nA,1\nB,2\nC,3\n", errors=Errors.NOTHING)
    job = work_up_to(run, "load")
    do(job)
    Product.objects.filter(sku="B").delete()

    work(run)

    assert (run.state, outcomes(run)) == (State.FAILED, {"updated": 1, "rejected": 1, "pending": 1})
    assert run.error == (
        "1 row is broken, and this import was to write nothing in that case. That came out only while it was"
        " writing. What had been written by then stays; undo this import to take it back."
    )
    assert values("price") == {"A": 1, "C": 12.5}
    assert len(rejected_file(run)) == 2


def test_import_stops_as_early_as_too_many_rows_are_known_to_be_broken(settings: Any) -> None:
    in_small_pieces(settings)
    rows = [row(f"SKU-{number:03}", price="x" if number < 20 else "1") for number in range(100)]
    run = confirm(rows, errors=Errors.LIMIT, error_limit=3)

    work(run)

    assert (run.state, products()) == (State.FAILED, {})
    assert 0 < run.chunks_done < run.chunks_total
    assert run.error == (
        f"{run.rejected} rows are broken, more than the 3 that this import puts up with.{_NOTHING_WRITTEN}"
    )
    assert len(rejected_file(run)) == run.rejected + 1


@pytest.mark.parametrize(("limit", "state"), [(2, State.COMPLETED), (1, State.FAILED)])
def test_import_puts_up_with_as_many_broken_rows_as_were_chosen(limit: int, state: str) -> None:
    rows = [row("A", parent=""), row("B", price="x"), row("C", parent="nobody", options="a: b")]

    run = import_rows(rows, errors=Errors.LIMIT, error_limit=limit)

    assert (run.state, run.rejected) == (state, 2)
    assert sorted(products()) == (["A"] if limit == 2 else [])


def test_mirror_takes_nothing_out_when_the_import_was_stopped() -> None:
    import_rows([row("A"), row("B")], source="acme")

    run = import_rows(
        [row("A"), row("C", price="x")],
        errors=Errors.NOTHING,
        mirror=ImportRun.Mirror.SOURCE,
        source="acme",
    )

    assert (run.state, run.unlisted, values("published")) == (State.FAILED, 0, {"A": True, "B": True})


def test_preview_that_was_stopped_does_not_wait_for_who_writes() -> None:
    writing = confirm([row("A")])
    work_up_to(writing, "load")
    preview = confirm([row("B", price="x")], errors=Errors.NOTHING, preview=True)
    jobs = [job for job in due_jobs() if job.subject == preview.subject]
    while jobs:
        do(jobs[0])
        jobs = [job for job in due_jobs() if job.subject == preview.subject]

    preview.refresh_from_db()
    assert (preview.state, len(rejected_file(preview))) == (State.FAILED, 2)
    assert work(writing).state == State.COMPLETED
