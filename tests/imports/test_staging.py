"""What is staged, and what may happen between staging and the check."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from imports import pipeline, staging
from imports.models import ImportRun
from shop.models import Product
from tasks.models import Job
from tests.imports.running import (
    confirm,
    do,
    due_jobs,
    import_rows,
    outcomes,
    products,
    rejections,
    row,
    staging_tables,
    values,
    work,
    work_up_to,
)

pytestmark = pytest.mark.django_db

TEXTS = [
    "a\\b",
    "\\N",
    "\\.",
    "tab\there",
    'say "hi"',
    "one\ntwo",
    "a\x1fb",
    "a\r\nb",
    "é€😀",
    "\\\\n",
    "x\x0by",
]


@pytest.mark.parametrize("text", TEXTS)
def test_description_arrives_as_written_and_is_recognised_again(text: str) -> None:
    run = import_rows([row("A", description=text), row("B", description=f"{text}{text}")])
    again = import_rows([row("A", description=text), row("B", description=f"{text}{text}")])

    assert (outcomes(run), outcomes(again)) == ({"created": 2}, {"unchanged": 2})
    assert values("description") == {"A": text, "B": f"{text}{text}"}


@pytest.mark.parametrize("sku", ["a\\b", "\\N", "ä/1", "NULL", "'; --", "%s", "{0}"])
def test_sku_of_any_characters_is_one_key(sku: str) -> None:
    import_rows([row(sku)])
    run = import_rows([row(sku, price="1")])

    assert outcomes(run) == {"updated": 1}
    assert values("price") == {sku: 1}


def test_skus_that_differ_in_case_are_two_products() -> None:
    run = import_rows([row("ab"), row("AB")])

    assert outcomes(run) == {"created": 2}


def test_row_may_have_several_errors_and_tells_all() -> None:
    run = import_rows([row("A", price="abc", stock="-2", published="maybe")])

    rejected = run.rejected_rows.get()
    first = (rejected.line, rejected.column, rejected.value, rejected.code)
    assert first == (2, "price", "abc", "not_a_price")
    assert [(column, value, code) for column, value, code, _ in rejected.more] == [
        ("stock", "-2", "negative_stock"),
        ("published", "maybe", "not_yes_or_no"),
    ]


def test_rejection_names_the_column_as_the_file_does() -> None:
    run = import_rows("Artikelnummer,Produktname,Preis\nA,Brett,1\nB,Tasse,teuer\n,Topf,2\nC,,3\n")

    assert rejections(run) == [
        (3, "Preis", "not_a_price"),
        (4, "Artikelnummer", "missing_sku"),
        (5, "Produktname", "missing_name"),
    ]


def test_value_that_only_postgresql_refuses_rejects_its_row_alone() -> None:
    rows = [row(f"S{number}", metadata='{"a": 1}') for number in range(9)]
    rows[4] |= {"metadata": '{"a": 1e-99999}'}

    run = import_rows(rows)

    assert outcomes(run) == {"created": 8, "rejected": 1}
    assert rejections(run) == [(6, "", "not_storable")]
    assert run.rejected_rows.get().message == "PostgreSQL refuses the row: value overflows numeric format."


def test_number_beyond_floating_point_is_still_compared_exactly() -> None:
    import_rows([row("A", metadata='{"a": 0.1}')])

    run = import_rows([row("A", metadata='{"a": 0.10000000000000000001}')])

    assert outcomes(run) == {"updated": 1}


@pytest.mark.parametrize("depth", [99, 2_000, 9_000])
@pytest.mark.parametrize("known", [True, False])
def test_deeply_nested_metadata_fails_no_import(depth: int, known: bool) -> None:
    if known:
        import_rows([row("A")])

    run = import_rows([row("A", metadata='{"a":' * depth + "1" + "}" * depth), row("B")])

    landed = {"updated": 1, "created": 1} if known else {"created": 2}
    assert outcomes(run) == (landed if depth < 100 else {"created": 1, "rejected": 1})


def test_category_path_as_long_as_may_be_fails_no_import() -> None:
    long = " > ".join("".join(chr(0x4E00 + 977 * step + 7 * n) for n in range(120)) for step in range(8))

    run = import_rows([row("A", category=long), row("B", category="ß" * 120), row("C")])

    assert rejections(run) == [(2, "category", "category_too_long")]
    assert outcomes(run) == {"created": 2, "rejected": 1}


def test_staged_chunk_is_counted_once_however_often_its_job_is_sent() -> None:
    run = confirm([row("A"), row("B")])
    job = work_up_to(run, "stage")
    do(job)

    assert do(job) == "nothing to do"
    run.refresh_from_db()
    assert (run.chunks_done, run.rows_staged, run.lines_staged) == (1, 2, 2)


@pytest.mark.parametrize("broken", [0, 3])
def test_staging_table_emptied_before_the_check_is_filled_again(broken: int, settings: Any) -> None:
    settings.IMPORT_CHUNK_BYTES = 100
    rows = [row(f"S{n}", price="x" if n < broken else "1", name="Same") for n in range(20)] + [row("S19")]
    run = confirm(rows)
    work_up_to(run, "check")
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {run.staging_table}")

    work(run)

    assert (run.state, run.error) == ("completed", "")
    assert (run.created, run.superseded, run.rejected, run.rows) == (20 - broken, 1, broken, 21)
    assert [line for line, _, _ in rejections(run)] == list(range(2, 2 + broken))
    assert Product.objects.count() == 20 - broken


@pytest.mark.parametrize("emptied", [False, True])
def test_rows_stay_what_they_were_staged_as_whatever_staff_do_meanwhile(emptied: bool) -> None:
    import_rows([row("GONE"), row("SAME"), row("EDITED"), row("CHANGED")])
    rows = [{"sku": "GONE", "stock": "9"}, {"sku": "NEW", "stock": "9"}, row("SAME"), row("EDITED")]
    rows += [row("CHANGED", stock="9"), row("SOON"), row("BROKEN", price="x")]
    run = confirm(rows)
    work_up_to(run, "check")
    Product.objects.filter(sku="GONE").delete()
    Product.objects.filter(sku="EDITED").update(stock=1)
    for sku in ("NEW", "SOON"):
        Product.objects.create(sku=sku, slug=sku, name=sku, price=1)
    if emptied:
        empty(run)

    work(run)

    assert (run.state, run.error) == ("completed", "")
    assert outcomes(run) == {"updated": 2, "unchanged": 2, "rejected": 3}
    assert rejections(run) == [
        (2, "", "product_gone"),
        (3, "name", "missing_name"),
        (8, "price", "not_a_price"),
    ]
    assert values("stock") == {"SAME": 3, "EDITED": 1, "CHANGED": 9, "NEW": 0, "SOON": 3}


def test_import_cancelled_while_its_table_is_filled_again_leaves_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = confirm([row("A")])
    check = work_up_to(run, "check")
    empty(run)
    rebuild = staging.rebuild

    def rebuild_late(run: ImportRun, **how: Any) -> None:
        work(pipeline.cancel(run=ImportRun.objects.get(pk=run.pk)))
        rebuild(run, **how)

    monkeypatch.setattr(staging, "rebuild", rebuild_late)
    do(check)

    check.refresh_from_db()
    assert (check.state, staging_tables(run)) == ("cancelled", [])


@pytest.mark.parametrize("emptied", [False, True])
def test_superseded_line_stays_out_when_its_later_one_was_rejected_by_the_load(
    emptied: bool, settings: Any
) -> None:
    settings.IMPORT_RANGE_ROWS = 1
    import_rows([row("coat"), row("shirt")])
    rows = [row("A", parent="", name="Lamp"), row("A", parent="coat"), row("B", parent="shirt", name="Lamp")]
    run = confirm(rows)
    job = work_up_to(run, "load")
    Product.objects.filter(sku="coat").delete()
    do(job)
    assert rejections(run) == [(3, "parent", "no_parent")]
    if emptied:
        empty(run)

    work(run)

    assert (run.state, outcomes(run)) == ("completed", {"created": 1, "superseded": 1, "rejected": 1})
    assert values("slug")["B"] == "lamp"


def empty(run: ImportRun) -> None:
    """Leave the staging tables as a crash of PostgreSQL does."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {run.staging_table}, {run.staging_table}_categories")


def test_staging_table_emptied_during_the_load_gives_the_same_catalogue(settings: Any) -> None:
    settings.IMPORT_CHUNK_BYTES, settings.IMPORT_RANGE_ROWS = 100, 4
    rows = [row(f"S{n:02}", name="Same", category="Home") for n in range(20)]
    rows += [{"sku": "S01"}, row("S02", name="Other"), row("S18", name="Other")]
    run = confirm(rows)
    do(work_up_to(run, "load"))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {run.staging_table}, {run.staging_table}_categories")

    work(run)

    assert (run.state, run.error) == ("completed", "")
    assert outcomes(run) == {"created": 20, "superseded": 2, "rejected": 1}
    assert run.set_aside.count() == 2
    expected = {f"S{n:02}": f"same--s{n:02}" for n in range(20)} | {"S02": "other--s02", "S18": "other--s18"}
    assert values("slug") == expected
    assert set(values("category__full_name").values()) == {"Home", None}


def test_products_are_looked_up_without_reading_the_whole_catalogue() -> None:
    import_rows([row(f"S{n:04}") for n in range(3000)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE shop_product")
    run = confirm([row(f"S{n:04}") for n in range(20)])
    job = work_up_to(run, "stage")

    with CaptureQueriesContext(connection) as queries:
        do(job)

    lookup = [query["sql"] for query in queries if "WITH ORDINALITY" in query["sql"]][-1]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
        cursor.execute("EXPLAIN " + lookup)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert ("product_sku_unique" in plan, "Seq Scan on shop_product" in plan) == (True, False)


def test_stage_of_an_ended_import_is_given_up_quietly() -> None:
    run = confirm([row("A")])
    job = work_up_to(run, "stage")
    ImportRun.objects.filter(pk=run.pk).update(state="cancelled", finished_at=job.created_at)

    do(job)

    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.CANCELLED, f"Import {run.pk}: catalog.csv is cancelled")
    assert (products(), due_jobs()) == ({}, [])
