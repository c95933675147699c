"""An import from file to result: outcomes, counters, waiting, cancelling, failing, cleaning up."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from imports import pipeline
from imports.models import OUTCOMES, ImportRun, RowChange
from imports.signals import import_finished
from shop.models import Category, Product
from tasks.models import Job
from tests.imports.running import (
    confirm,
    csv_of,
    do,
    import_rows,
    outcomes,
    products,
    receive,
    rejections,
    row,
    set_aside,
    staging_tables,
    values,
    work,
    work_up_to,
)

pytestmark = pytest.mark.django_db
State = ImportRun.State


@pytest.fixture
def small_pieces(settings: Any) -> None:
    """Many chunks and ranges out of few rows."""
    settings.IMPORT_CHUNK_BYTES = 400
    settings.IMPORT_RANGE_ROWS = 7


def catalogue(count: int = 60) -> list[dict[str, str]]:
    return [
        row(
            f"SKU-{number:03}",
            description=f"What {number} is, at length",
            price=f"{number}.90",
            stock=str(number),
            category=f"Home > Room {number % 4}",
            published="true" if number % 2 else "false",
            featured="no",
            metadata=f'{{"weight": {number}, "colour": "oak"}}',
        )
        for number in range(count)
    ]


def test_first_import_creates_every_row() -> None:
    run = import_rows([row("A", category="Home > Kitchen", metadata='{"a": 1}', featured="yes"), row("B")])

    assert (run.state, run.error, outcomes(run), run.rows, run.lines) == ("completed", "", {"created": 2}, 2, 2)
    assert run.categories_created == 2
    assert products() == {
        "A": {
            "name": "Name of A", "description": "", "price": 12.50, "stock": 3, "published": True,
            "featured": True, "metadata": {"a": 1}, "slug": "name-of-a", "category__full_name": "Home > Kitchen",
        },
        "B": {
            "name": "Name of B", "description": "", "price": 12.50, "stock": 3, "published": True,
            "featured": False, "metadata": {}, "slug": "name-of-b", "category__full_name": None,
        },
    }  # fmt: skip


def test_created_products_are_journaled_without_images() -> None:
    run = import_rows([row("A"), row("B")])

    ids = Product.objects.order_by("sku").values_list("pk", flat=True)
    assert list(run.changes.order_by("line").values_list("product_id", "line", "before", "after")) == [
        (ids[0], 2, None, None),
        (ids[1], 3, None, None),
    ]


@pytest.mark.usefixtures("small_pieces")
def test_unchanged_file_writes_and_journals_nothing() -> None:
    import_rows(catalogue())
    versions = list(Product.objects.order_by("pk").values_list("pk", "updated_at", "metadata"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT sku, xmin::text FROM shop_product ORDER BY sku")
        before = cursor.fetchall()
        run = import_rows(catalogue())
        cursor.execute("SELECT sku, xmin::text FROM shop_product ORDER BY sku")
        assert cursor.fetchall() == before

    assert outcomes(run) == {"unchanged": 60}
    assert run.changes.count() == 0
    assert list(Product.objects.order_by("pk").values_list("pk", "updated_at", "metadata")) == versions


@pytest.mark.usefixtures("small_pieces")
def test_changed_rows_are_updated_and_journaled_field_by_field() -> None:
    import_rows(catalogue())
    rows = catalogue()
    for number in range(0, 60, 10):
        rows[number] |= {"price": "99.00"}
    rows[0] |= {"metadata": '{"colour": "ash"}', "category": "Garden", "name": "Renamed"}

    run = import_rows(rows)

    assert outcomes(run) == {"updated": 6, "unchanged": 54}
    garden, room = Category.objects.get(name="Garden").pk, Category.objects.get(name="Room 0").pk
    changes = {change.line: (change.before, change.after) for change in run.changes.all()}
    assert changes.keys() == {2, 12, 22, 32, 42, 52}
    assert changes[12] == ({"price": 10.90}, {"price": 99.00})
    assert changes[2] == (
        {"name": "Name of SKU-000", "price": 0.90, "category_id": room,
         "metadata": {"weight": 0, "colour": "oak"}},
        {"name": "Renamed", "price": 99.00, "category_id": garden, "metadata": {"colour": "ash"}},
    )  # fmt: skip
    assert products()["SKU-000"] | {"description": "", "stock": 0} == {
        "name": "Renamed", "description": "", "price": 99, "stock": 0, "published": False, "featured": False,
        "metadata": {"colour": "ash"}, "slug": "name-of-sku-000", "category__full_name": "Garden",
    }  # fmt: skip


def test_mode_create_skips_existing_products_and_says_why() -> None:
    import_rows([row("A"), row("B")])

    run = import_rows([row("A"), row("B", price="1"), row("C")], mode="create")

    why = "The product exists already, and this import only creates new ones."
    assert outcomes(run) == {"created": 1, "skipped": 2}
    assert set_aside(run) == [(2, "skipped", why), (3, "skipped", why)]
    assert products()["B"]["price"] == 12.50


def test_mode_update_skips_new_products_and_says_why() -> None:
    import_rows([row("A"), row("B")])

    run = import_rows([row("A"), row("B", price="1"), row("C"), {"sku": "D"}], mode="update")

    why = "No product has this SKU, and this import only updates existing ones."
    assert outcomes(run) == {"unchanged": 1, "updated": 1, "skipped": 2}
    assert set_aside(run) == [(4, "skipped", why), (5, "skipped", why)]
    assert products().keys() == {"A", "B"}


def test_skipped_rows_create_no_categories() -> None:
    import_rows([row("A")])

    import_rows([row("A", category="For A"), row("B", category="For B")], mode="create")
    import_rows([row("C", category="For C")], mode="update")

    assert list(Category.objects.values_list("full_name", flat=True)) == ["For B"]


def test_blank_cells_keep_what_is_there() -> None:
    import_rows([row("A", description="Long", category="Home", metadata='{"a": 1}', published="no")])
    before = products()

    run = import_rows(
        [row("A", name="", price=" ", stock="", description="", category="", metadata="", published="")]
    )

    assert outcomes(run) == {"unchanged": 1}
    assert products() == before


def test_blank_cells_beside_changed_ones_keep_what_is_there() -> None:
    import_rows([row("A", description="Long", category="Home", metadata='{"a": 1}', published="no")])
    before = products()["A"]

    run = import_rows([row("A", name="", description="", stock="4", category="", metadata="", published="")])

    assert outcomes(run) == {"updated": 1}
    assert products()["A"] == before | {"stock": 4}


def test_absent_columns_are_left_alone() -> None:
    import_rows([row("A", description="Long", category="Home", metadata='{"a": 1}', featured="yes")])
    before = products()["A"]

    run = import_rows("sku,price\nA,1.00\n")

    assert outcomes(run) == {"updated": 1}
    assert products()["A"] == before | {"price": 1}


def test_file_of_skus_alone_changes_nothing() -> None:
    import_rows([row("A")])

    run = import_rows("sku,colour\nA,red\nB,blue\n")

    assert outcomes(run) == {"unchanged": 1, "rejected": 1}
    assert [error[2] for error in run.rejected_rows.get().more] == ["missing_price"]
    assert rejections(run) == [(3, "name", "missing_name")]


def test_unknown_columns_are_ignored() -> None:
    run = import_rows("sku,name,price,colour\nA,Board,1,red\n")

    assert outcomes(run) == {"created": 1}
    assert products()["A"]["metadata"] == {}


def test_unknown_columns_are_kept_in_the_metadata_when_asked() -> None:
    text = 'sku,name,price,Colour,metadata,_line,Size\nA,Board,1,rót,"{""size"": 1}",7,\nB,Cup,2,,,8,XL\n'

    run = import_rows(text, keep_unknown=True)
    assert outcomes(run) == {"created": 2}
    again = import_rows(text, keep_unknown=True)
    assert outcomes(again) == {"unchanged": 2}
    changed = import_rows(text.replace("rót", "blue"), keep_unknown=True)

    assert outcomes(changed) == {"updated": 1, "unchanged": 1}
    assert [change.before for change in changed.changes.all()] == [{"metadata": {"size": 1, "Colour": "rót"}}]
    assert {sku: cells["metadata"] for sku, cells in products().items()} == {
        "A": {"size": 1, "Colour": "blue"},
        "B": {"Size": "XL"},
    }


def test_last_sound_line_of_a_sku_wins() -> None:
    run = import_rows([row("A", price="1"), row("B"), row("A", price="2"), row("A", price="3")])

    assert outcomes(run) == {"created": 2, "superseded": 2}
    assert set_aside(run) == [
        (2, "superseded", "Line 5 has the same SKU and comes later."),
        (4, "superseded", "Line 5 has the same SKU and comes later."),
    ]
    assert (products()["A"]["price"], run.changes.get(line=5).before) == (3, None)


def test_rejected_line_supersedes_nothing() -> None:
    run = import_rows([row("A", price="1"), row("A", price="abc"), {"sku": "A"}])

    assert outcomes(run) == {"created": 1, "rejected": 2}
    assert rejections(run) == [(3, "price", "not_a_price"), (4, "name", "missing_name")]
    assert products()["A"]["price"] == 1


def test_line_equal_to_the_catalogue_supersedes_an_earlier_change() -> None:
    import_rows([row("A")])

    run = import_rows([row("A", price="99"), row("A")])

    assert outcomes(run) == {"superseded": 1, "unchanged": 1}
    assert products()["A"]["price"] == 12.50


def _hard_catalogue() -> list[dict[str, str]]:
    """Duplicates, clashing slugs and categories, broken rows, in several chunks and ranges."""
    rows = catalogue(40)
    rows += [row(f"SKU-{number:03}", name="Same name", price="5") for number in range(0, 40, 3)]
    rows += [row(f"N-{number}", name="Same Name!", category="C" if number % 2 else "C++") for number in range(9)]
    rows += [row(f"X-{number}", price="abc", category="Never made") for number in range(5)]
    rows += [row("Q", name="Same name N-1"), row("R", category="home > ROOM 1")]
    return rows


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_any_order_of_the_work_gives_the_same_table(seed: int, settings: Any) -> None:
    def result(run: ImportRun) -> tuple[Any, ...]:
        tree = list(Category.objects.values_list("full_name", "path", "key"))
        return products(), tree, outcomes(run), set_aside(run), rejections(run)

    with transaction.atomic():
        expected = result(import_rows(_hard_catalogue()))
        transaction.set_rollback(True)
    settings.IMPORT_CHUNK_BYTES, settings.IMPORT_RANGE_ROWS = 300 * seed, 3 + seed
    random_order = random.Random(seed)
    run = work(confirm(_hard_catalogue()), choose=random_order.choice)

    assert run.chunks_total > 3
    assert run.ranges_total > 3
    assert result(run) == expected
    assert outcomes(run) == {"created": 51, "superseded": 14, "rejected": 5}


def test_range_of_one_row_each_is_loaded(settings: Any) -> None:
    settings.IMPORT_RANGE_ROWS = 1

    run = import_rows([row("A"), row("B"), row("C")])

    assert (run.ranges_total, outcomes(run)) == (3, {"created": 3})


def test_names_that_slug_alike_get_suffixes_from_the_sku() -> None:
    import_rows([row("OLD", name="Oak board")])

    import_rows([row("A/1", name="Oak board"), row("B", name="Ash cup"), row("C c", name="ash CUP"), row("D")])

    assert values("slug") == {
        "OLD": "oak-board",
        "A/1": "oak-board--a-1-c0cefabf",  # a digest, for A-1 would give the same without
        "B": "ash-cup--b",
        "C c": "ash-cup--c-c-a740d57e",
        "D": "name-of-d",
    }


def test_slugs_that_clash_after_the_suffix_are_told_apart() -> None:
    import_rows([row("A-1", name="Cup"), row("A 1", name="Cup"), row("B", name="Cup a 1"), row("+", name="Cup")])

    assert len(set(Product.objects.values_list("slug", flat=True))) == 4


def test_categories_that_slug_alike_stay_apart() -> None:
    run = import_rows([row("1", category="C"), row("2", category="C++"), row("3", category="C#")])

    assert outcomes(run) == {"created": 3}
    assert [cells["category__full_name"] for cells in products().values()] == ["C", "C++", "C#"]
    assert len(set(Category.objects.values_list("path", flat=True))) == 3


def test_categories_that_differ_in_case_and_space_are_one() -> None:
    first = import_rows([row("1", category="Home > Kitchen"), row("2", category=" home>KITCHEN ")])
    again = import_rows([row("1", category="HOME > kitchen"), row("2", category="Home>Kitchen")])

    assert (first.categories_created, outcomes(again)) == (2, {"unchanged": 2})
    assert set(Category.objects.values_list("full_name", flat=True)) == {"Home", "Home > Kitchen"}


def test_blank_lines_and_lines_within_cells_are_no_rows() -> None:
    run = import_rows('sku,name,price,description\n\nA,Board,1,"one\ntwo\n\nthree"\n,,,\nB,Cup,2,x\n')

    assert outcomes(run) == {"created": 2}
    assert (run.lines, run.blank_lines, run.continuation_lines, run.rows) == (7, 2, 3, 2)
    assert products()["A"]["description"] == "one\ntwo\n\nthree"


# --- waiting, cancelling, failing -------------------------------------------------------------------------


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

    assert list(ImportRun.objects.order_by("pk").values_list("state", flat=True)) == ["completed", "cancelled"]
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
        ({"sku": 0, "colour": 1}, "There is no column “colour”. Ours are: sku, name, description, price, stock,"
         " category, published, featured, metadata."),
        ({"sku": 2}, "The file has 2 columns; there is no number 3."),
        ({"sku": -1}, "The file has 2 columns; there is no number 0."),
        ({"sku": 0, "name": 0}, "Two of our columns are mapped to the same column of the file. Unmap one."),
        ({"name": 1}, "No column of catalog.csv was recognised as the SKU. Say which one it is (for example"
         " --map sku=Code). The file has: “Code”, “name”."),
    ],
)  # fmt: skip
def test_mapping_that_cannot_be_used_is_refused(mapping: dict[str, int], message: str) -> None:
    run = receive("Code,name\nA,Board\n")

    with pytest.raises(pipeline.MappingError) as refused:
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

    with pytest.raises(IntegrityError, match="import_outcomes_sum_to_rows|nothing_pending"), transaction.atomic():
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
    assert RowChange.objects.count() == 1


def test_same_bytes_again_name_the_first_import() -> None:
    from imports.receiving import same_file

    first = import_rows([row("A")])
    draft = receive(csv_of([row("A")]))
    other = receive(csv_of([row("B")]))

    assert (same_file(draft), same_file(other), same_file(first)) == (first, None, None)
