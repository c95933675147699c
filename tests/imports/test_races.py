"""Two connections at once: what one transaction does while another one holds what it needs."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from imports import pipeline
from imports.models import ImportRun
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
        pipeline._one_at_a_time()  # so that both are at it when we let go
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
