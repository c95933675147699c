"""SIGSTOP beyond the lease: a successor takes over unhindered, and who wakes up late writes nothing."""

import signal
from pathlib import Path

import psutil
import pytest

from tests.faults.catching import COPYING, WRITING, catcher, is_stopped, linger_in_copies, signal_tree, tree
from tests.faults.conftest import Reference, start_import, state_of, wait_until_over
from tests.faults.effects import counters, effects_of
from tests.stack import Stack


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        pytest.param("imports.load", WRITING, id="while it loads"),
        pytest.param("imports.stage", COPYING, id="in mid-COPY"),
    ],
)
def test_worker_stopped_beyond_its_lease_is_replaced_and_writes_nothing_afterwards(
    stack: Stack, catalogue: Path, reference: Reference, kind: str, condition: str
) -> None:
    linger_in_copies(stack)
    stack.launch("beat")
    run = start_import(stack, catalogue)
    with catcher(stack) as watching:
        sleeper = stack.launch("worker", "--hostname", "sleeper@%h")
        caught = watching.stop(sleeper, name="sleeper", kind=kind, condition=condition)
    asleep = tree(sleeper)

    successor = stack.start_worker("successor")
    stack.wait_for(lambda: state_of(stack, run) == "completed", seconds=120)
    assert [is_stopped(process) for process in asleep] == [True] * len(asleep)
    assert effects_of(stack, run).products == reference.effects.products

    signal_tree(sleeper, signal.SIGCONT)
    stack.wait_for(lambda: _has_ended(stack, caught.task_id))
    wait_until_over(stack, run)
    assert effects_of(stack, run).differences(reference.effects) == []
    query = "SELECT state, attempts > %s, worker LIKE 'successor@%%' FROM tasks_job WHERE id = %s"
    assert stack.sql(query, [caught.attempts, caught.job]) == [("done", True, True)]

    successor.kill()
    again = start_import(stack, catalogue)
    wait_until_over(stack, again)
    assert sleeper.pid == asleep[0].pid
    assert counters(stack, again) == _all_unchanged(reference, again)
    assert psutil.pid_exists(asleep[0].pid)


def _has_ended(stack: Stack, task_id: str) -> bool:
    query = "SELECT status FROM django_celery_results_taskresult WHERE task_id = %s"
    return stack.sql(query, [task_id]) in ([("SUCCESS",)], [("FAILURE",)])


def _all_unchanged(reference: Reference, run: int) -> dict[str, object]:
    """The counters of importing the same file once more."""
    before = reference.effects.counters
    landed = before["created"] + before["updated"] + before["unchanged"]
    return {**before, "created": 0, "updated": 0, "unchanged": landed, "categories_created": 0}
