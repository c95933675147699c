"""kill -9 of a worker and its children in the middle of a transaction: the import doesn't notice."""

import os
import random
import time
from pathlib import Path

from config.processes import Process
from tests.faults.catching import Catcher, Caught, catcher
from tests.faults.conftest import Reference, jobs_done, start_import, wait_until_over
from tests.faults.effects import effects_of
from tests.stack import Stack

_KILLS = 5


def test_import_survives_five_workers_killed_in_open_transactions(
    stack: Stack, catalogue: Path, reference: Reference
) -> None:
    seed = int(os.environ.get("TALLYMAN_SEED") or time.time())
    print(f"TALLYMAN_SEED={seed} repeats these kills")
    rng = random.Random(seed)
    # The k-th kill comes once so many jobs are done, and lets some chances pass.
    moments = sorted((rng.randrange(reference.jobs * 3 // 4), rng.randrange(4)) for _ in range(_KILLS))

    stack.launch("beat")
    worker = stack.launch("worker", "--hostname=w0@%h")
    run = start_import(stack, catalogue)
    killed = []
    with catcher(stack) as watching:
        for number, (jobs, skip) in enumerate(moments):
            stack.wait_for(lambda jobs=jobs: jobs_done(stack, run) >= jobs, seconds=120)
            killed.append(_kill_in_transaction(stack, watching, worker, name=f"w{number}", skip=skip))
            worker = stack.launch("worker", f"--hostname=w{number + 1}@%h")
    wait_until_over(stack, run)

    print(*killed, sep="\n")
    assert effects_of(stack, run).differences(reference.effects) == []
    for one in killed:
        [(attempts, state)] = stack.sql("SELECT attempts, state FROM tasks_job WHERE id = %s", [one.job])
        assert (attempts > one.attempts, state) == (True, "done")


def _kill_in_transaction(stack: Stack, watching: Catcher, worker: Process, *, name: str, skip: int) -> Caught:
    """Kill the worker while a transaction of its is open, and see that it never committed."""
    caught = watching.stop(worker, name=name, kind="imports.%", skip=skip)
    worker.kill()
    stack.wait_for(lambda: not watching.is_open(caught), seconds=30)
    query = "SELECT state, attempts, task_id FROM tasks_job WHERE id = %s"
    assert stack.sql(query, [caught.job]) == [("running", caught.attempts, caught.task_id)]
    return caught
