"""The same job delivered to several workers at once: one of them does it, the others find nothing to do."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import redis

from tests.faults.conftest import Reference, start_import, state_of, wait_until_over, waiting_hints
from tests.faults.effects import effects_of
from tests.stack import Stack

# One worker is at a job while another has been told to do the same and found nothing to do.
_MET = """
SELECT EXISTS (
    SELECT FROM django_celery_results_taskresult busy
    JOIN django_celery_results_taskresult idle
        ON idle.task_kwargs = busy.task_kwargs AND idle.worker <> busy.worker
    WHERE busy.task_name = %s AND busy.status IN ('STARTED', 'PROGRESS') AND idle.result = '"nothing to do"'
)
"""


def test_chunk_delivered_to_two_workers_at_once_has_one_effect(
    stack: Stack, broker: redis.Redis, catalogue: Path, reference: Reference
) -> None:
    stack.environment |= {"IMPORT_CHUNK_BYTES": "100000", "JOB_LEASE_SECONDS": "120"}
    stack.launch("beat")
    stack.start_worker("one")
    stack.start_worker("two")
    run = start_import(stack, catalogue)
    for state, kind in (("staging", "imports.stage"), ("loading", "imports.load")):
        stack.wait_for(partial(_is_busy, stack, broker, run, state))
        with _nobody_finishes(stack, run):
            _deliver_again(broker, "imports")
            stack.wait_for(lambda kind=kind: stack.sql(_MET, [kind]) == [(True,)])
    wait_until_over(stack, run)

    assert effects_of(stack, run).differences(reference.effects) == []
    assert stack.sql("SELECT max(attempts) FROM tasks_job WHERE subject = %s", [f"import/{run}"]) == [(1,)]


def _is_busy(stack: Stack, broker: redis.Redis, run: int, state: str) -> bool:
    return state_of(stack, run) == state and waiting_hints(broker) >= 6


@contextmanager
def _nobody_finishes(stack: Stack, run: int) -> Iterator[None]:
    """Meanwhile, jobs of the import wait at their very end, where they count what they did."""
    with psycopg.connect(stack.database_url) as connection:
        connection.execute("SELECT FROM imports_importrun WHERE id = %s FOR NO KEY UPDATE", [run])
        yield


def _deliver_again(broker: redis.Redis, queue: str) -> None:
    """Put four copies beside each waiting message, so that whoever is free takes them at the same time."""
    with broker.pipeline(transaction=True) as both:
        both.lrange(queue, 0, -1)
        both.delete(queue)
        waiting, _ = both.execute()
    broker.rpush(queue, *(_copy(message) for message in waiting for _ in range(5)))


def _copy(message: bytes) -> str:
    copy = json.loads(message)
    copy["headers"]["id"] = copy["properties"]["correlation_id"] = str(uuid.uuid4())
    copy["properties"]["delivery_tag"] = str(uuid.uuid4())
    return json.dumps(copy)
