"""The same job delivered to several workers at once: one of them does it, the others find nothing to do."""

import json
import uuid
from functools import partial
from pathlib import Path

import redis

from tests.faults.conftest import Reference, start_import, state_of, wait_until_over, waiting_hints
from tests.faults.effects import effects_of
from tests.stack import Stack

_AT_ONCE = """
SELECT count(DISTINCT one.task_kwargs) FROM django_celery_results_taskresult one
JOIN django_celery_results_taskresult two ON two.task_kwargs = one.task_kwargs AND two.worker > one.worker
WHERE one.task_name = %s AND one.date_started < two.date_done AND two.date_started < one.date_done
"""


def test_chunk_delivered_to_two_workers_at_once_has_one_effect(
    stack: Stack, broker: redis.Redis, catalogue: Path, reference: Reference
) -> None:
    stack.environment |= {"IMPORT_CHUNK_BYTES": "100000", "JOB_LEASE_SECONDS": "60"}
    stack.launch("beat")
    stack.start_worker("one")
    stack.start_worker("two")
    run = start_import(stack, catalogue)
    for state in ("staging", "loading"):
        stack.wait_for(partial(_is_busy, stack, broker, run, state))
        _deliver_three_times(broker, "imports")
    wait_until_over(stack, run)

    assert effects_of(stack, run).differences(reference.effects) == []
    assert stack.sql("SELECT max(attempts) FROM tasks_job WHERE subject = %s", [f"import/{run}"]) == [(1,)]
    for kind in ("imports.stage", "imports.load"):
        [(met,)] = stack.sql(_AT_ONCE, [kind])
        assert met > 0, f"no {kind} was with both workers at the same time"


def _is_busy(stack: Stack, broker: redis.Redis, run: int, state: str) -> bool:
    return state_of(stack, run) == state and waiting_hints(broker) >= 6


def _deliver_three_times(broker: redis.Redis, queue: str) -> None:
    """Put two copies beside each waiting message, so that whoever is free takes them at the same time."""
    with broker.pipeline(transaction=True) as both:
        both.lrange(queue, 0, -1)
        both.delete(queue)
        waiting, _ = both.execute()
    broker.rpush(queue, *(_copy(message) for message in waiting for _ in range(3)))


def _copy(message: bytes) -> str:
    copy = json.loads(message)
    copy["headers"]["id"] = copy["properties"]["correlation_id"] = str(uuid.uuid4())
    copy["properties"]["delivery_tag"] = str(uuid.uuid4())
    return json.dumps(copy)
