"""Valkey forgets everything, dies and comes back: only hints were in it."""

from functools import partial
from pathlib import Path

import redis

from config import embedded
from tests.faults.catching import tree
from tests.faults.conftest import (
    Reference,
    jobs_done,
    newest_run,
    start_import,
    wait_until_over,
    waiting_hints,
)
from tests.faults.effects import effects_of
from tests.stack import Stack

# Confirms as the upload page does, and says how many seconds that took.
_CONFIRM = """
import sys, time
from imports import pipeline, receiving
with open({path!r}, "rb") as stream:
    run = receiving.receive(stream=stream, filename="catalogue.csv")
began = time.monotonic()
pipeline.confirm(run=run)
print("seconds:", time.monotonic() - began)
"""


def _is_past(stack: Stack, run: int, jobs: int) -> bool:
    return jobs_done(stack, run) >= jobs


def test_import_survives_flushall(
    stack: Stack, broker: redis.Redis, catalogue: Path, reference: Reference
) -> None:
    stack.launch("beat")
    stack.launch("worker")
    run = start_import(stack, catalogue)
    lost = []
    for eighth in (0, 1, 3, 5, 6):
        stack.wait_for(partial(_is_past, stack, run, reference.jobs * eighth // 8))
        lost.append(waiting_hints(broker))
        broker.flushall()
    wait_until_over(stack, run)
    assert sum(lost) > 0, "nothing was flushed that mattered"
    assert effects_of(stack, run).differences(reference.effects) == []


def test_import_and_workers_survive_valkey_killed_and_restarted(
    stack: Stack, valkey: embedded.Servers, catalogue: Path, reference: Reference
) -> None:
    beat = stack.launch("beat")
    workers = stack.start_workers("one", "two")
    before = [tree(worker) for worker in workers]
    run = start_import(stack, catalogue)
    for quarter in (1, 2, 3):
        stack.wait_for(partial(_is_past, stack, run, reference.jobs * quarter // 4))
        valkey.kill_valkey()
        valkey.start_valkey()
    wait_until_over(stack, run)
    assert effects_of(stack, run).differences(reference.effects) == []
    assert [tree(worker) for worker in workers] == before
    assert beat.pid is not None


def test_import_confirmed_while_valkey_is_down_runs_once_it_is_back(
    stack: Stack, valkey: embedded.Servers, catalogue: Path, reference: Reference
) -> None:
    beat = stack.launch("beat")
    stack.start_worker()
    beat.wait_ready(60)
    valkey.kill_valkey()
    done = stack.manage("shell", "-v", "0", "-c", _CONFIRM.format(path=str(catalogue)))
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.partition("seconds:")[2]) < 5
    run = newest_run(stack)
    assert jobs_done(stack, run) == 0

    valkey.start_valkey()
    wait_until_over(stack, run)
    assert effects_of(stack, run).differences(reference.effects) == []
