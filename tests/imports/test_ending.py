"""Imports that wait, are cancelled, fail or end; and counters that can only tell the truth."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from imports import choices, pipeline
from imports.models import OUTCOMES, CreatedProducts, ImportRun
from imports.receiving import same_file
from imports.signals import import_finished
from shop.models import Product
from tasks.models import Job
from tests.imports.running import (
    catalogue,
    confirm,
    csv_of,
    do,
    import_rows,
    in_small_pieces,
    outcomes,
    products,
    receive,
    row,
    staging_tables,
    work,
    work_up_to,
)

pytestmark = pytest.mark.django_db


State = ImportRun.State


@pytest.fixture
def small_pieces(settings: Any) -> None:
    in_small_pieces(settings)


def test_second_import_waits_until_the_first_ended() -> None:
    first, second, third = (confirm([row(sku)]) for sku in "ABC")
    for run in (first, second, third):
        do(Job.objects.due().of(run.subject).get())
    second.refresh_from_db()
    third.refresh_from_db()
    assert (second.state, third.state) == (State.WAITING, State.WAITING)

    work_up_to(first, "finish")
    do(Job.objects.due().of(first.subject).get())

    states = ImportRun.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [State.COMPLETED, State.STAGING, State.WAITING]
    work(third)
    assert list(states.all()) == [State.COMPLETED] * 3


def test_two_imports_cannot_be_active_at_once() -> None:
    first, second = confirm([row("A")]), confirm([row("B")])
    work_up_to(first, "stage")

    with pytest.raises(IntegrityError, match="import_one_active"), transaction.atomic():
        ImportRun.objects.filter(pk=second.pk).update(state=State.LOADING)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("kind", ["plan", "stage", "check", "load", "finish"])
def test_cancelled_import_writes_nothing_more(kind: str) -> None:
    run = confirm(catalogue())
    job = work_up_to(run, kind)
    if kind in ("stage", "load"):
        do(job)
    landed = Product.objects.count()
    waiting = confirm([row("Z")])
    do(Job.objects.due().of(waiting.subject).get())

    pipeline.cancel(run=run)
    left = Job.objects.of(run.subject).unfinished().values_list("kind", flat=True)
    assert list(left) == ["imports.clean"]
    work(run)

    assert (run.state, run.error) == (State.CANCELLED, "")
    assert run.created == landed == Product.objects.exclude(sku="Z").count()
    assert (run.rows, run.pending) == (sum(run.outcomes.values()), run.rows - landed)
    assert not Job.objects.of(run.subject).unfinished().exists()
    assert set(Job.objects.of(run.subject).values_list("state", flat=True)) <= {"done", "cancelled"}
    assert staging_tables(run) == []
    waiting.refresh_from_db()
    assert waiting.state == State.COMPLETED


def test_cancelled_draft_leaves_nothing_to_do() -> None:
    run = pipeline.cancel(run=receive("sku\nA\n"))

    assert (run.state, Job.objects.of(run.subject).count()) == (State.CANCELLED, 0)


def test_waiting_import_can_be_cancelled() -> None:
    first, second = confirm([row("A")]), confirm([row("B")])
    work_up_to(first, "stage")

    pipeline.cancel(run=second)
    work(first)

    assert list(ImportRun.objects.order_by("pk").values_list("state", flat=True)) == [
        "completed",
        "cancelled",
    ]
    assert products().keys() == {"A"}


@pytest.mark.parametrize("state", ["completed", "cancelled", "failed"])
def test_ended_import_cannot_be_cancelled_or_fail(state: str) -> None:
    run = confirm([row("A")])
    if state == "completed":
        work(run)
    elif state == "failed":
        pipeline.fail(run_id=run.pk, error="Broken.")
    else:
        pipeline.cancel(run=run)
    run.refresh_from_db()
    before = (run.state, run.error, run.finished_at)

    with pytest.raises(pipeline.RunEnded):
        pipeline.cancel(run=run)
    pipeline.fail(run_id=run.pk, error="Too late.")

    run.refresh_from_db()
    assert (run.state, run.error, run.finished_at) == before


def test_confirmed_import_cannot_be_confirmed_again() -> None:
    run = confirm([row("A")])

    with pytest.raises(pipeline.RunEnded):
        pipeline.confirm(run=run)

    assert Job.objects.of(run.subject).count() == 1


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (
            {"sku": 0, "colour": 1},
            "There is no column “colour”. Ours are: sku, name, description, price, compare_at_price, stock,"
            " category, published, featured, metadata, parent, options, images.",
        ),
        ({"sku": 2}, "The file has 2 columns; there is no number 3."),
        ({"sku": -1}, "The file has 2 columns; there is no number 0."),
        ({"sku": 0, "name": 0}, "Two of our columns are mapped to the same column of the file. Unmap one."),
        (
            {"name": 1},
            "No column of catalog.csv was recognised as the SKU. Say which one it is (for example"
            " --map sku=Code). The file has: “Code”, “name”.",
        ),
    ],
)
def test_mapping_that_cannot_be_used_is_refused(mapping: dict[str, int], message: str) -> None:
    run = receive("Code,name\nA,Board\n")

    with pytest.raises(choices.MappingError) as refused:
        pipeline.confirm(run=run, mapping=mapping)

    run.refresh_from_db()
    assert (str(refused.value), run.state, Job.objects.count()) == (message, State.DRAFT, 0)


@pytest.mark.django_db(transaction=True)
def test_import_whose_job_is_given_up_fails_and_lets_the_next_one_in() -> None:
    run, _ = confirm([row("A")]), confirm([row("B")])
    job = work_up_to(run, "stage")
    run.file.storage.delete(run.file.name)
    Job.objects.filter(pk=job.pk).update(attempts=job.max_attempts - 1)

    with pytest.raises(FileNotFoundError):
        do(job)

    run.refresh_from_db()
    assert (run.state, run.pending) == (State.FAILED, 1)
    prefix = f"Import {run.pk}: lines 2–2 could not be done after 8 attempts: FileNotFoundError: "
    assert run.error.startswith(prefix)
    work(run)
    assert list(ImportRun.objects.order_by("pk").values_list("state", flat=True)) == ["failed", "completed"]
    assert staging_tables(run) == []


def test_end_of_an_import_is_announced_once_with_final_counters() -> None:
    heard = []

    def listen(sender: Any, run: ImportRun, **_: Any) -> None:
        heard.append((run.pk, run.state, outcomes(run)))

    import_finished.connect(listen)
    try:
        run = import_rows([row("A"), row("B", price="x")])
        cancelled = pipeline.cancel(run=confirm([row("C")]))
    finally:
        import_finished.disconnect(listen)

    assert heard == [(run.pk, "completed", {"created": 1, "rejected": 1}), (cancelled.pk, "cancelled", {})]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_counters_that_do_not_sum_up_are_refused(outcome: str) -> None:
    run = import_rows([row("A")])

    with (
        pytest.raises(IntegrityError, match=r"import_outcomes_sum_to_rows|nothing_pending"),
        transaction.atomic(),
    ):
        ImportRun.objects.filter(pk=run.pk).update(**{outcome: getattr(run, outcome) + 1})


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"rows": 2, "created": 2}, "import_rows_reconcile_with_lines"),
        ({"blank_lines": 1}, "import_rows_reconcile_with_lines"),
        ({"created": 2, "updated": -1}, "import_counters_not_negative"),
        ({"created": 0, "pending": 1}, "import_completed_leaves_nothing_pending"),
        ({"finished_at": None}, "import_ended_has_time"),
    ],
)
def test_impossible_results_are_refused(changes: dict[str, Any], constraint: str) -> None:
    run = import_rows([row("A")])

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        ImportRun.objects.filter(pk=run.pk).update(**changes)


def test_no_staging_table_is_left() -> None:
    run = confirm([row("A", category="Home")])
    work_up_to(run, "load")
    assert len(staging_tables(run)) == 2

    work(run)

    assert staging_tables(run) == []
    assert [len(made.product_ids) for made in CreatedProducts.objects.all()] == [1]


def test_same_bytes_again_name_the_first_import() -> None:
    first = import_rows([row("A")])
    draft = receive(csv_of([row("A")]))
    other = receive(csv_of([row("B")]))

    assert (same_file(draft), same_file(other), same_file(first)) == (first, None, None)
