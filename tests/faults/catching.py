"""Stop a worker in the very middle of a job: while its PostgreSQL session holds uncommitted work."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil
import psycopg
import pytest
from psycopg.rows import class_row

from config.processes import Process
from tests.stack import Stack

WRITING = "a.backend_xid IS NOT NULL"  # a transaction that has changed something
COMPARING = WRITING + " AND a.query NOT LIKE '%%categor%%'"  # the check itself, its categories being made
COPYING = "a.query LIKE 'COPY imports_staging%%'"
_SECONDS = 90.0
_FIRST = -10  # nice
_PAUSE = 0.002  # between two looks: looking without rest would take a processor from whoever is watched

_SESSIONS = """
SELECT j.id AS job, j.kind, j.attempts, j.task_id, a.pid AS backend,
       a.wait_event_type IN ('Client', 'Lock') AS settled
FROM tasks_job j
JOIN pg_stat_activity a ON a.pid = j.backend_pid AND a.backend_start = j.backend_start
WHERE j.state = 'running' AND j.worker LIKE %s AND j.kind LIKE %s
  AND a.state IN ('active', 'idle in transaction') AND a.xact_start IS NOT NULL
  AND a.query NOT IN ('COMMIT', 'ROLLBACK') AND {condition}
"""


_LINGER = """
CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.1); RETURN null; END';
CREATE FUNCTION linger_in_copies() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE made text;
BEGIN
    FOR made IN SELECT object_identity FROM pg_event_trigger_ddl_commands()
                WHERE object_type = 'table' AND object_identity ~ '^public.imports_staging_[0-9]+$'
    LOOP
        EXECUTE format('CREATE TRIGGER linger BEFORE INSERT ON %s EXECUTE FUNCTION linger()', made);
    END LOOP;
END $$;
CREATE EVENT TRIGGER linger_in_copies ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
    EXECUTE FUNCTION linger_in_copies()
"""


def linger_in_copies(stack: Stack) -> None:
    """Let each COPY into a staging table stand still for a tenth of a second as it begins: a small one is
    else over before anybody has seen it."""
    stack.sql(_LINGER)


@dataclass(frozen=True)
class Caught:
    """A job, the attempt at it, and the session whose transaction was open when its worker was stopped.

    `settled`: the session waits for its stopped client or for a lock, so nothing will commit by itself.
    """

    job: int
    kind: str
    attempts: int
    task_id: str
    backend: int
    settled: bool


class Catcher:
    """Looks at the sessions of workers, many times a second."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._connection = psycopg.connect(stack.database_url, autocommit=True)
        # A chance lasts milliseconds: where we may, both ends of the looking go before whoever is watched.
        with suppress(PermissionError, ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, self._connection.info.backend_pid, _FIRST)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def stop(self, process: Process, *, name: str, kind: str = "%", condition: str = WRITING,
             skip: int = 0) -> Caught:  # fmt: skip
        """SIGSTOP all processes of the worker called `name` in a job of `kind`; returns what was caught.

        The first `skip` chances are let pass. Fails the test when there is no chance within 90 s. A worker
        that stands still (`hold`) goes on first: begin what it is to be caught in before that, or do so
        before it is launched, and no chance is missed.
        """
        signal_tree(process, signal.SIGCONT)
        deadline = time.monotonic() + _SECONDS
        seen: set[tuple[int, int]] = set()
        with _first_in_line():
            while time.monotonic() < deadline:
                found = self._sessions(name, kind, condition)
                seen |= {(one.job, one.attempts) for one in found}
                if found and len(seen) > skip:
                    signal_tree(process, signal.SIGSTOP)
                    if caught := self._still_open(name, kind, condition):
                        return caught
                    signal_tree(process, signal.SIGCONT)  # it has just committed: too late
                time.sleep(_PAUSE)
        pytest.fail(f"worker {name} was never seen in an open transaction ({kind}, {condition})")

    def _still_open(self, name: str, kind: str, condition: str) -> Caught | None:
        """A session that stays open although its client stands still; None when all end."""
        while found := self._sessions(name, kind, condition):
            for one in found:
                if one.settled and one in self._sessions(name, kind, condition):
                    return one
        return None

    def _sessions(self, name: str, kind: str, condition: str) -> list[Caught]:
        with self._connection.cursor(row_factory=class_row(Caught)) as cursor:
            query = _SESSIONS.format(condition=condition)
            return cursor.execute(query.encode(), [f"{name}@%", kind]).fetchall()

    def is_open(self, caught: Caught) -> bool:
        """Whether the session is still there, in whatever state."""
        query = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)"
        row = self._connection.execute(query, [caught.backend]).fetchone()
        return bool(row and row[0])


@contextmanager
def _first_in_line() -> Iterator[None]:
    """Let this thread go before others, where we may; what it starts later does not."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _FIRST)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)


@contextmanager
def catcher(stack: Stack) -> Iterator[Catcher]:
    """A Catcher for the stack."""
    one = Catcher(stack)
    try:
        yield one
    finally:
        one.close()


def tree(process: Process) -> list[psutil.Process]:
    """The process itself and all its children, in the order of their ids."""
    assert process.pid is not None, f"{process.program.name} has ended with code {process.exit_code}"
    parent = psutil.Process(process.pid)
    return sorted([parent, *parent.children(recursive=True)], key=lambda one: one.pid)


def signal_tree(process: Process, number: signal.Signals) -> None:
    """Send a signal to the whole tree; returns when all have stopped (SIGSTOP) or go on (SIGCONT)."""
    members = tree(process)
    for member in members:
        os.kill(member.pid, number)
    while number == signal.SIGSTOP and not all(is_stopped(member) for member in members):
        time.sleep(0.001)


def hold(process: Process) -> None:
    """Have a worker stand still until `Catcher.stop` watches it."""
    signal_tree(process, signal.SIGSTOP)


def is_stopped(process: psutil.Process) -> bool:
    """Whether it stands still after SIGSTOP."""
    return bool(process.status() == psutil.STATUS_STOPPED)
