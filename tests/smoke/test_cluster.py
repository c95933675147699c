"""A broker, a backend and workers, as they are deployed: every queue is served, and whoever is killed, work
is done once. `make smoke` runs these on containers where there is a Docker Engine, else on processes."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from celery.result import AsyncResult
from django.conf import settings
from django_celery_results.models import TaskResult
from pytest_celery import RESULT_TIMEOUT, CeleryTestNode, CeleryTestWorker

from imports.models import ImportRun
from notifications.models import Message
from reports.models import ReportRun
from shop import indexing
from shop.models import Product, SearchDocument
from tasks import queueing
from tasks.models import Job
from tasks.registry import handler_for, knows
from tests.smoke.conftest import TallymanSetup
from tests.smoke.sites import QUEUES, Site
from tests.smoke.work import all_is_done, ask_report, held, mails_to, start_import, stuck_at, wait_for

_ROWS = 40


def _life(worker: CeleryTestWorker) -> tuple[Any, ...]:
    """What stays the same for as long as neither the container, the worker nor a child of it is another."""
    worker.container.reload()
    state = worker.container.attrs["State"]
    stats: Any = worker.app.control.inspect([worker.hostname()], timeout=5).stats()
    told = stats[worker.hostname()]
    return state["Pid"], state["StartedAt"], told["pid"], sorted(told["pool"]["processes"])


def _imported(run: ImportRun) -> tuple[str, int, int]:
    """How an import ended, what it counted, and how many products there are."""
    run.refresh_from_db()
    return run.state, run.created, Product.objects.count()


def _kill(node: CeleryTestNode) -> None:
    """SIGKILL; returns when it is gone."""

    def is_gone() -> bool:
        node.container.reload()
        return bool(node.container.status == "exited")

    node.kill()
    wait_for(is_gone, f"{node.name()} to be gone")


def test_task_of_every_queue_runs_and_is_recorded(celery_setup: TallymanSetup, site: Site) -> None:
    assert celery_setup.ready(control=True)
    run = start_import(_ROWS)
    report = ask_report("March", to="kim@shop.example")
    wait_for(all_is_done, "an import, a report and their mails")
    # Nobody is told of this job: there is no beat, so only the sweep that is sent for can find it.
    [lost] = queueing.create([queueing.NewJob(indexing.KIND, "smoke", "Search: once more", held=True)])
    Job.objects.filter(pk=lost.pk).update(state=Job.State.QUEUED, hinted_at=None)
    swept = celery_setup.app.send_task("tasks.sweep", queue="default", ignore_result=False)
    wait_for(
        lambda: Job.objects.get(pk=lost.pk).state == "done" and all_is_done(), "a lost job to be swept up"
    )

    assert _imported(run) == ("completed", _ROWS, _ROWS)
    sold = Product.objects.published().values_list("pk", flat=True)
    assert sold
    assert set(SearchDocument.objects.values_list("pk", flat=True)) == set(sold)
    report.refresh_from_db()
    assert (report.state, report.files.count()) == (ReportRun.State.DONE, 1)
    assert mails_to("kim@shop.example", site.mails) == [1]
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}

    results: Any = TaskResult.objects.all()
    assert {result.status for result in results} == {"SUCCESS"}
    assert {result.worker for result in results} == {celery_setup.worker.hostname()}
    assert results.get(task_id=swept.id).task_name == "tasks.sweep"
    served = {
        handler_for(result.task_name).queue if knows(result.task_name) else "default" for result in results
    }
    assert served == set(QUEUES)


def test_result_is_read_from_django_celery_results(celery_setup: TallymanSetup) -> None:
    report = ask_report("March", to="lee@shop.example")
    wait_for(all_is_done, "the report")

    job = Job.objects.get(kind="reports.make")
    result: Any = AsyncResult(job.task_id, app=celery_setup.app)
    assert result.get(timeout=RESULT_TIMEOUT) == f"done: {job.title}"
    assert result.state == "SUCCESS"
    kept: Any = TaskResult.objects.get(task_id=job.task_id)
    assert (kept.status, kept.task_name, kept.worker) == (
        "SUCCESS",
        "reports.make",
        celery_setup.worker.hostname(),
    )
    assert kept.date_created <= kept.date_done
    assert str(report.pk) in job.subject


def test_worker_killed_with_work_in_hand_does_it_once_when_it_is_back(
    celery_setup: TallymanSetup, beat: CeleryTestNode, site: Site
) -> None:
    worker = celery_setup.worker
    with held("shop_product"):
        run = start_import(_ROWS)
        wait_for(lambda: stuck_at("shop_product"), "the worker to be in the middle of the import")
        _kill(worker)
        in_hand = Job.objects.get(state=Job.State.RUNNING)
    worker.restart()
    report = ask_report("After", to="max@shop.example")
    wait_for(all_is_done, "the import to go on")

    assert _imported(run) == ("completed", _ROWS, _ROWS)
    in_hand.refresh_from_db()
    assert (in_hand.kind, in_hand.state, in_hand.attempts) == ("imports.load", "done", 2)
    assert set(Job.objects.exclude(pk=in_hand.pk).values_list("state", "attempts")) == {("done", 1)}
    report.refresh_from_db()
    assert (report.state, mails_to("max@shop.example", site.mails)) == ("done", [1])


def test_workers_outlive_a_broker_killed_and_restarted_and_work_is_done_once(
    celery_setup: TallymanSetup, beat: CeleryTestNode, site: Site
) -> None:
    worker, broker = celery_setup.worker, celery_setup.broker
    before = _life(worker)
    with held("shop_product"):
        run = start_import(_ROWS)
        wait_for(lambda: stuck_at("shop_product"), "the worker to be in the middle of the import")
        _kill(broker)
        reports = [ask_report(f"Report {number}", to=f"r{number}@shop.example") for number in range(3)]
        assert set(Job.objects.filter(kind="reports.make").values_list("state", "hinted_at")) == {
            ("queued", None)  # the rows are safe, their messages were lost
        }
    broker.restart()
    wait_for(all_is_done, "the import to go on, and the reports to be made")

    assert _imported(run) == ("completed", _ROWS, _ROWS)
    assert set(Job.objects.values_list("state", "attempts")) == {("done", 1)}
    assert [mails_to(f"r{number}@shop.example", site.mails) for number in range(3)] == [[1]] * 3
    assert [ReportRun.objects.get(pk=one.pk).files.count() for one in reports] == [1] * 3
    assert _life(worker) == before


@pytest.mark.parametrize("concurrencies", [(1, 3)])
def test_workers_of_other_concurrency_share_the_work(celery_setup: TallymanSetup) -> None:
    one, three = [worker.hostname() for worker in celery_setup.worker_cluster]
    stats: Any = celery_setup.app.control.inspect([one, three], timeout=5).stats()
    assert {name: told["pool"]["max-concurrency"] for name, told in stats.items()} == {one: 1, three: 3}
    with held("shop_order", for_reading=True):
        for number in range(8):
            ask_report(f"Report {number}", to="ned@shop.example")
        wait_for(lambda: stuck_at("shop_order") == 4, "every child to have a report in hand")
        at_work = Job.objects.filter(state=Job.State.RUNNING).values_list("worker", flat=True)
        assert Counter(at_work) == {one: 1, three: 3}
    wait_for(all_is_done, "eight reports")

    assert set(ReportRun.objects.values_list("state", "attempts")) == {("done", 1)}
    made = TaskResult.objects.filter(task_name="reports.make")
    assert Counter(made.values_list("status", flat=True)) == {"SUCCESS": 8}
    assert set(made.values_list("worker", flat=True)) == {one, three}


class _Bomb:
    """Whoever unpickles it makes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mknod, (self.path,)


def test_pickled_message_is_refused_and_the_worker_does_its_next_task(
    celery_setup: TallymanSetup, site: Site
) -> None:
    worker, before = celery_setup.worker, _life(celery_setup.worker)
    with celery_setup.app.connection_for_write() as connection:
        connection.Producer().publish(
            ((), {"job_id": _Bomb(f"{site.media}/crater")}, {}),
            exchange="default",
            routing_key="default",
            serializer="pickle",
            headers={"task": "tasks.sweep", "id": "bomb", "lang": "py"},
        )
    worker.assert_log_exists("Refusing to deserialize untrusted content of type pickle")
    next_one = celery_setup.app.send_task("tasks.sweep", queue="default", ignore_result=False)
    assert next_one.get(timeout=RESULT_TIMEOUT) == {"buried": 0, "sent": 0}

    assert not (Path(settings.MEDIA_ROOT) / "crater").exists()
    assert not TaskResult.objects.filter(task_id="bomb").exists()
    assert _life(worker) == before
