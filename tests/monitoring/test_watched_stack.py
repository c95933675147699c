"""Real processes: what is not well is seen by all the others, told once, and told when it is over."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.error import HTTPError

from config.processes import Process
from tests.stack import Stack, migrated_database, stack  # noqa: F401

_QUICK = {
    "HEARTBEAT_SECONDS": "0.3", "HEARTBEAT_PATIENCE_SECONDS": "2",
    "ALERT_AFTER_SECONDS": "0.5", "ALERT_GRACE_SECONDS": "6",
    "ALERT_CLEAR_SECONDS": "1", "ALERT_DISK_FREE_PERCENT": "0", "LOG_FORMAT": "json",
}  # fmt: skip


def not_well(stack: Stack) -> set[str]:  # noqa: F811
    """The checks that `/readyz` names."""
    try:
        with urllib.request.urlopen(f"{stack.url}/readyz", timeout=2) as answer:
            told = json.load(answer)
    except HTTPError as error:
        told = json.load(error)
    return {one["name"] for one in told["checks"] if not one["ok"]}


def started(stack: Stack, *names: str) -> list[Process]:  # noqa: F811
    """These processes, begun side by side: some are missing at first, as ever."""
    stack.environment |= _QUICK
    processes = [stack.launch(name) for name in names]
    for process in processes:
        process.wait_ready(60)
    return processes


def mails(stack: Stack) -> list[tuple[Any, ...]]:  # noqa: F811
    return stack.sql("SELECT subject, state FROM notifications_message WHERE kind = 'alert' ORDER BY id")


def test_lost_worker_and_poisoned_job_are_seen_told_once_and_told_when_mended(stack: Stack) -> None:  # noqa: F811
    _, _, worker = started(stack, "web", "beat", "worker")
    stack.wait_for(lambda: not not_well(stack))

    worker.kill()
    # Nobody is left to deliver mail, but beat and the web server see to it.
    told = [("Not well: No worker on a queue", "sent")]
    stack.wait_for(lambda: mails(stack) == told)
    assert not_well(stack) == {
        f"worker {name}" for name in ("default", "imports", "mail", "reports", "search")
    }

    stack.start_worker()
    told.append(("Well again: No worker on a queue", "sent"))
    stack.wait_for(lambda: mails(stack) == told)
    assert not_well(stack) == set()

    [(poisoned,)] = stack.sql(
        "INSERT INTO tasks_job (kind, subject, title, queue, payload, state, priority, attempts,"
        " max_attempts, run_after, worker, task_id, progress_current, progress_total, error, created_at)"
        " VALUES ('of.old', '', 'x', 'imports', '{}', 'queued', 0, 0, 10, now(), '', '', 0, 0, '', now())"
        " RETURNING id"
    )
    told.append(("Not well: Poisoned job", "sent"))
    stack.wait_for(lambda: mails(stack) == told)
    assert not_well(stack) == {"jobs"}

    stack.sql("DELETE FROM tasks_job WHERE id = %s", [poisoned])
    told.append(("Well again: Poisoned job", "sent"))
    stack.wait_for(lambda: mails(stack) == told)


def test_silent_beat_is_found_by_those_who_are_left(stack: Stack) -> None:  # noqa: F811
    _, beat = started(stack, "worker", "beat")
    stack.wait_for(lambda: stack.sql("SELECT 1 FROM monitoring_heartbeat WHERE role = 'beat'"))
    [log] = stack.folder.glob("beat-*.log")
    stack.wait_for(lambda: log.read_text().count("Sending due task") > 9)  # what looks leaves its log alone

    beat.kill()

    stack.wait_for(lambda: mails(stack) == [("Not well: Beat is silent", "sent")])
