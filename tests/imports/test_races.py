"""Two connections at once: what one transaction does while another one holds what it needs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from imports import pipeline
from imports.models import ImportRun
from shop.models import Category, Product
from tests.imports.running import confirm, do, due_jobs, row, work, work_up_to

pytestmark = pytest.mark.django_db(transaction=True)


def in_another_connection(action: Callable[[], object], errors: list[BaseException]) -> threading.Thread:
    """Run it in a thread with a connection of its own; what it raises is appended to `errors`."""

    def act() -> None:
        try:
            action()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=act)
    thread.start()
    return thread


def wait_until_blocked(thread: threading.Thread, sessions: int = 1) -> None:
    """Until so many sessions wait for a lock; fails the test when they don't in time."""
    for _ in range(2000):
        with connection.cursor() as cursor:  # pg_stat_activity would not change within our transaction
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0] >= sessions:
                return
        thread.join(0.01)
    pytest.fail("nobody waited for a lock")


def test_cancelling_the_import_that_is_being_let_in_ends_well() -> None:
    first, second = confirm([row("A")]), confirm([row("B")])
    job = work_up_to(first, "finish")
    second.refresh_from_db()
    assert second.state == ImportRun.State.WAITING
    errors: list[BaseException] = []
    with transaction.atomic():
        pipeline.one_at_a_time()  # so that both are at it when we let go
        finishing = in_another_connection(lambda: do(job), errors)
        wait_until_blocked(finishing)
        cancelling = in_another_connection(lambda: pipeline.cancel(run=second), errors)
        wait_until_blocked(cancelling, sessions=2)
    finishing.join(30)
    cancelling.join(30)
    work(first)

    assert errors == []
    assert list(ImportRun.objects.order_by("pk").values_list("state", flat=True)) == [
        "completed",
        "cancelled",
    ]


def test_two_workers_count_their_chunks_without_losing_any(settings: object) -> None:
    settings.IMPORT_CHUNK_BYTES = 60  # type: ignore[attr-defined]
    run = confirm([row(f"S{n}") for n in range(20)])
    work_up_to(run, "stage")
    jobs, errors = due_jobs(), list[BaseException]()
    assert len(jobs) > 6
    half = len(jobs) // 2
    threads = [
        in_another_connection(lambda mine=mine: [do(job) for job in mine], errors)  # type: ignore[misc]
        for mine in (jobs[:half], jobs[half:])
    ]
    for thread in threads:
        thread.join(60)
    work(run)

    assert errors == []
    assert (run.state, run.created, run.chunks_done) == ("completed", 20, len(jobs))


def test_load_waits_for_a_sale_and_then_writes_over_it() -> None:
    from shop.models import Product
    from tests.imports.running import import_rows, outcomes, values

    import_rows([row("A", stock="3"), row("B", stock="3")])
    run = confirm([row("A", stock="9"), row("B", stock="9")])
    job = work_up_to(run, "load")
    errors: list[BaseException] = []
    with transaction.atomic():
        Product.objects.select_for_update().filter(sku="A").update(stock=2)
        loading = in_another_connection(lambda: do(job), errors)
        wait_until_blocked(loading)
    loading.join(30)
    work(run)

    assert errors == []
    assert (outcomes(run), values("stock")) == ({"updated": 2}, {"A": 9, "B": 9})
    assert {change.before["stock"] for change in run.changes.all() if change.before} == {2, 3}


def delete_category(name: str) -> None:
    """As another program would: without a look at the products."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM shop_category WHERE full_name = %s", [name])


def test_category_that_goes_while_its_products_are_written_stays() -> None:
    run = confirm([row("A", category="Home")])
    job = work_up_to(run, "load")
    errors: list[BaseException] = []
    with transaction.atomic():
        ImportRun.objects.select_for_update().get(pk=run.pk)  # so that the load stops before it commits
        loading = in_another_connection(lambda: do(job), errors)
        wait_until_blocked(loading)
        deleting = in_another_connection(lambda: delete_category("Home"), errors)
        wait_until_blocked(deleting, sessions=2)
    loading.join(30)
    deleting.join(30)

    assert [type(error) for error in errors] == [IntegrityError]
    assert Product.objects.get().category == Category.objects.get()


def test_category_that_is_gone_before_the_load_is_made_again(settings: Any) -> None:
    settings.JOB_RETRY_BASE_SECONDS = 0
    run = confirm([row("A", category="Home")])
    job = work_up_to(run, "load")
    delete_category("Home")

    with pytest.raises(IntegrityError):
        do(job)
    work(run)

    assert Product.objects.get().category == Category.objects.get(full_name="Home")


def test_role_without_privileges_loads_with_the_foreign_key_at_work() -> None:
    run = confirm([row("A", category="Home"), row("B", category="Home")])
    job = work_up_to(run, "load")
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS plain_clerk; CREATE ROLE plain_clerk")
        cursor.execute("GRANT pg_read_all_data, pg_write_all_data, pg_maintain TO plain_clerk")
        cursor.execute("SET ROLE plain_clerk")
    try:
        do(job)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE; DROP OWNED BY plain_clerk; DROP ROLE plain_clerk")

    assert set(Product.objects.values_list("sku", "category__full_name")) == {("A", "Home"), ("B", "Home")}


def test_load_finds_the_categories_when_their_job_never_ran() -> None:
    run = confirm([row("A", category="Home > Kitchen"), row("B", category="Attic")])
    work_up_to(run, "check")

    work(run, choose=lambda jobs: min(jobs, key=lambda job: job.kind == "imports.categories"))

    assert dict(Product.objects.values_list("sku", "category__full_name")) == {
        "A": "Home > Kitchen",
        "B": "Attic",
    }
    assert run.categories_created == 3
