"""An import paused in its middle, workers killed or frozen, the broker flushed: it ends as if undisturbed."""

from pathlib import Path

import pytest
import redis

from tests.faults.catching import WRITING, catcher
from tests.faults.conftest import Reference, start_import, state_of, wait_until_over
from tests.faults.effects import effects_of
from tests.stack import Stack

# Jobs lock the row when they count what they did, last in their transaction.
HOLDING_THE_RUN = "a.backend_xid IS NOT NULL AND a.query LIKE '%%\"imports_importrun\"%%'"


@pytest.mark.parametrize(("kind", "state"), [("imports.stage", "staging"), ("imports.load", "loading")])
def test_paused_import_survives_killed_workers_and_flushall(
    stack: Stack, broker: redis.Redis, catalogue: Path, reference: Reference, kind: str, state: str
) -> None:
    stack.launch("beat")
    run = start_import(stack, catalogue)
    with catcher(stack) as watching:
        worker = stack.launch("worker", "--hostname=w0@%h")
        caught = watching.stop(worker, name="w0", kind=kind, condition=WRITING, skip=2)
        paused = stack.manage("pause_import", "--skip-checks", str(run))
        assert paused.returncode == 0, paused.stderr
        worker.kill()
        stack.wait_for(lambda: not watching.is_open(caught), seconds=30)
    broker.flushall()
    stack.launch("worker", "--hostname=w1@%h")
    # The sweeper hands the killed worker's job to the new one, which finds the import paused.
    stack.wait_for(lambda: jobs_by_state(stack, run).keys() == {"done", "held"}, seconds=60)
    assert state_of(stack, run) == state

    resumed = stack.manage("resume_import", "--skip-checks", str(run))

    assert resumed.returncode == 0, resumed.stderr
    wait_until_over(stack, run)
    assert effects_of(stack, run).differences(reference.effects) == []
    [(seconds,)] = stack.sql("SELECT paused_seconds FROM imports_importrun WHERE id = %s", [run])
    assert seconds > 0


def test_pausing_waits_no_longer_than_the_lease_of_the_only_worker(
    stack: Stack, catalogue: Path, reference: Reference
) -> None:
    stack.launch("beat")
    run = start_import(stack, catalogue)
    with catcher(stack) as watching:
        frozen = stack.launch("worker", "--hostname=w0@%h")
        watching.stop(frozen, name="w0", kind="imports.load", condition=HOLDING_THE_RUN)

    paused = stack.manage("pause_import", "--skip-checks", str(run), timeout=60)

    assert paused.returncode == 0, paused.stderr
    frozen.kill()
    stack.launch("worker", "--hostname=w1@%h")
    assert stack.manage("resume_import", "--skip-checks", str(run)).returncode == 0
    wait_until_over(stack, run)
    assert effects_of(stack, run).differences(reference.effects) == []


def jobs_by_state(stack: Stack, run: int) -> dict[str, int]:
    """How many jobs of the import are in each state."""
    query = "SELECT state, count(*) FROM tasks_job WHERE subject = %s GROUP BY state"
    return dict(stack.sql(query, [f"import/{run}"]))
