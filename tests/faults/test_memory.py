"""MemoryError in a job: by itself it would take a Celery worker down."""

from tests.faults.catching import tree
from tests.stack import Stack

_JOB = """
INSERT INTO tasks_job (kind, title, queue, max_attempts, run_after, created_at, subject, payload, state,
                       priority, attempts, worker, task_id, progress_current, progress_total, error)
VALUES ('tests.exhaust', 'A lot of memory', 'default', 5, now(), now(), '', '{}', 'queued', 0,
        0, '', '', 0, 0, '')
"""


def test_worker_outlives_a_job_that_runs_out_of_memory(stack: Stack) -> None:
    stack.launch("beat")
    worker = stack.start("worker", "--include", "tests.faults.exhausting")
    before = tree(worker)
    stack.sql(_JOB)
    state = "SELECT state, attempts FROM tasks_job WHERE kind = 'tests.exhaust'"
    stack.wait_for(lambda: stack.sql(state) == [("done", 2)])

    assert tree(worker) == before
    results = (
        "SELECT status, result::jsonb ->> 'exc_type' FROM django_celery_results_taskresult"
        " WHERE task_name = 'tests.exhaust' AND status = 'FAILURE'"
    )
    assert stack.sql(results) == [("FAILURE", "OutOfMemory")]
