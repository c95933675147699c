"""kill -9 of a worker and its children in the middle of a transaction: the import doesn't notice."""

import os
import random
import time
from pathlib import Path

import pytest

from config.processes import Process
from tests.faults.catching import COMPARING, WRITING, Catcher, Caught, catcher
from tests.faults.conftest import Reference, start_import, wait_until_over
from tests.faults.effects import effects_of
from tests.stack import Stack

# One kill while the file is read, one while it is compared, five while it is written.
_PHASES = [
    ("imports.stage", WRITING, 5),
    ("imports.check", COMPARING, 1),
    *[("imports.load", WRITING, 2)] * 5,
]


def test_import_survives_workers_killed_in_open_transactions(
    stack: Stack, catalogue: Path, reference: Reference, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("TALLYMAN_SEED") or time.time())
    rng = random.Random(seed)
    with capsys.disabled():  # a run that passes shows them as well
        print(f"\nTALLYMAN_SEED={seed} chooses these kills again:")
    stack.launch("beat")
    run = start_import(stack, catalogue)
    killed = []
    with catcher(stack) as watching:
        worker = stack.launch("worker", "--hostname=w0@%h")
        for number, (kind, condition, chances) in enumerate(_PHASES):
            skip = rng.randrange(chances)
            caught = watching.stop(worker, name=f"w{number}", kind=kind, condition=condition, skip=skip)
            _kill(stack, watching, worker, caught)
            with capsys.disabled():
                print(
                    f"  kill -9 in an open transaction: {caught.kind}, job {caught.job}, PID {caught.backend}"
                )
            killed.append(caught)
            worker = stack.launch("worker", f"--hostname=w{number + 1}@%h")
    wait_until_over(stack, run)

    assert effects_of(stack, run).differences(reference.effects) == []
    for one in killed:
        [(attempts, state)] = stack.sql("SELECT attempts, state FROM tasks_job WHERE id = %s", [one.job])
        assert (attempts > one.attempts, state) == (True, "done")


def _kill(stack: Stack, watching: Catcher, worker: Process, caught: Caught) -> None:
    """Kill the worker and see that the open transaction it was caught in never committed."""
    worker.kill()
    stack.wait_for(lambda: not watching.is_open(caught), seconds=30)
    query = "SELECT state, attempts, task_id FROM tasks_job WHERE id = %s"
    assert stack.sql(query, [caught.job]) == [("running", caught.attempts, caught.task_id)]
