"""The same job delivered to several workers at once: one of them does it, the others find nothing to do."""

import base64
import json
import uuid
from functools import partial
from pathlib import Path
from typing import cast

import psycopg
import redis

from tests.faults.conftest import Reference, start_import, state_of, wait_until_over, waiting_hints
from tests.faults.effects import effects_of
from tests.stack import Stack

# Two workers that have begun the task of one and the same job.
_MET = """
SELECT EXISTS (
    SELECT FROM django_celery_results_taskresult one JOIN django_celery_results_taskresult two
    ON two.task_kwargs = one.task_kwargs AND two.worker > one.worker
    WHERE one.task_name = %s AND one.status = 'STARTED' AND two.status = 'STARTED'
)
"""


def test_chunk_delivered_to_two_workers_at_once_has_one_effect(
    stack: Stack, broker: redis.Redis, catalogue: Path, reference: Reference
) -> None:
    stack.environment |= {
        "IMPORT_CHUNK_BYTES": "100000",
        "JOB_LEASE_SECONDS": "120",
        "JOB_HINT_PATIENCE_SECONDS": "600",
    }
    stack.launch("beat")
    stack.start_workers("one", "two")
    run = start_import(stack, catalogue)
    for state, kind in (("staging", "imports.stage"), ("loading", "imports.load")):
        stack.wait_for(partial(_is_busy, stack, broker, run, state))
        _deliver_to_both(stack, broker, kind)
    wait_until_over(stack, run)

    assert effects_of(stack, run).differences(reference.effects) == []
    assert stack.sql("SELECT max(attempts) FROM tasks_job WHERE subject = %s", [f"import/{run}"]) == [(1,)]


def _is_busy(stack: Stack, broker: redis.Redis, run: int, state: str) -> bool:
    return state_of(stack, run) == state and waiting_hints(broker) >= 6


def _deliver_to_both(stack: Stack, broker: redis.Redis, kind: str) -> None:
    """Send each waiting message five times; let nobody claim its job before two workers want the same."""
    with psycopg.connect(stack.database_url) as starting_line, broker.pipeline(transaction=True) as both:
        both.lrange("imports", 0, -1)
        both.delete("imports")
        messages = cast(list[bytes], both.execute()[0])
        jobs = [_job_of(message) for message in messages]
        starting_line.execute("SELECT FROM tasks_job WHERE id = ANY(%s) FOR UPDATE", [jobs])
        broker.rpush("imports", *(_copy(message) for message in messages for _ in range(5)))
        stack.wait_for(lambda: stack.sql(_MET, [kind]) == [(True,)])


def _job_of(message: bytes) -> int:
    _, arguments, _ = json.loads(base64.b64decode(json.loads(message)["body"]))
    return int(arguments["job_id"])


def _copy(message: bytes) -> str:
    copy = json.loads(message)
    copy["headers"]["id"] = copy["properties"]["correlation_id"] = str(uuid.uuid4())
    copy["properties"]["delivery_tag"] = str(uuid.uuid4())
    return json.dumps(copy)
