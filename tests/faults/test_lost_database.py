"""PostgreSQL is killed in the middle of everything and comes back: what it had not kept is done again.

Its clients stand still while it dies, so that the COPY or transaction it dies in is still open.
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from config import embedded
from config.processes import Process
from tests.faults.catching import (
    COMPARING,
    COPYING,
    WRITING,
    catcher,
    hold,
    linger_in_copies,
    signal_tree,
    tree,
)
from tests.faults.conftest import Reference, newest_run, start_import, wait_until_over
from tests.faults.effects import Effects, effects_of, products
from tests.faults.previews import findings, preview
from tests.faults.test_undo import start_undo
from tests.stack import Stack, copied_stack

type Phase = tuple[str, str, int]  # kind of job, what it must be doing, from how many chances one is drawn

_IMPORT: list[Phase] = [("imports.stage", COPYING, 2), ("imports.load", WRITING, 1)]
_PREVIEW: list[Phase] = [
    *[("imports.stage", COPYING, 4)] * 2,
    ("imports.check", COMPARING, 1),
    *[("imports.compare", WRITING, 3)] * 2,
]
_LOAD: list[Phase] = [("imports.load", WRITING, 2)] * 5
_UNDO: list[Phase] = [("imports.undo", WRITING, 2)] * 5

_READING = "SELECT query_start FROM pg_stat_activity WHERE query LIKE 'FETCH%' AND xact_start IS NOT NULL"
_LOCK = 4711
_HOLD_UP = f"""
CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock({_LOCK}); RETURN new; END';
CREATE TRIGGER hold_up BEFORE UPDATE ON imports_exportrun FOR EACH ROW
    WHEN (new.state = 'completed') EXECUTE FUNCTION hold_up()
"""


@dataclass
class _Victim:
    """A PostgreSQL of the test's own and the one worker that uses it."""

    stack: Stack
    servers: embedded.Servers
    worker: Process
    rng: random.Random

    def crash_in(self, *phases: Phase) -> None:
        """Kill PostgreSQL in the middle of each of these, one after the other."""
        for kind, condition, chances in phases:
            with catcher(self.stack) as watching:
                skip = self.rng.randrange(chances)
                watching.stop(self.worker, name="one", kind=kind, condition=condition, skip=skip)
            self._crash()
        self.go_on()

    def crash_while_products_are_read(self) -> None:
        """Kill it while an export reads the catalogue; the worker still stands still then."""
        self._stop_in_fetch(self.rng.randrange(3))
        self._crash()

    def crash_when_file_is_stored(self) -> None:
        """Let the worker go on, and kill PostgreSQL when all is done but recorded."""
        with psycopg.connect(self.stack.database_url, autocommit=True) as holder:
            holder.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            self.go_on()
            with catcher(self.stack) as watching:
                watching.stop(
                    self.worker, name="one", kind="imports.export", condition="a.wait_event = 'advisory'"
                )
            self._crash()

    def go_on(self) -> None:
        """Let the worker find out."""
        signal_tree(self.worker, signal.SIGCONT)

    def _crash(self) -> None:
        self.servers.kill_postgres()
        self.servers.start_postgres()

    def _stop_in_fetch(self, skip: int) -> None:
        with psycopg.connect(self.stack.database_url, autocommit=True) as connection:
            seen = set[object]()
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                seen |= set(connection.execute(_READING).fetchall())
                if len(seen) <= skip:
                    continue
                signal_tree(self.worker, signal.SIGSTOP)
                if connection.execute(_READING).fetchall():
                    return
                signal_tree(self.worker, signal.SIGCONT)
        pytest.fail("the worker was never seen reading products")


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[embedded.Servers]:
    """A PostgreSQL of the test's own, which it may kill."""
    with embedded.Servers(tmp_path / "postgres", without={"valkey", "mail"}) as servers:
        with psycopg.connect(embedded.database_url(servers.data_dir), autocommit=True) as connection:
            # Only a power cut would need it, and after each kill it costs seconds to sync all files.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield servers


@pytest.fixture
def undone(reference: Reference, tmp_path: Path) -> Effects:
    """What taking back the reference's import does when nothing gets in its way."""
    folder = tmp_path / "undone"
    folder.mkdir()
    with copied_stack(reference.database, folder) as stack:
        stack.environment |= {"JOB_LEASE_SECONDS": "60", "IMPORT_RANGE_ROWS": "1000"}
        stack.launch("beat")
        stack.launch("worker")
        undo = start_undo(stack, reference.run)
        wait_until_over(stack, undo)
        return effects_of(stack, undo)


def test_everything_survives_postgresql_killed_in_open_transactions(
    stack: Stack,
    postgres: embedded.Servers,
    stock: Path,
    catalogue: Path,
    reference: Reference,
    undone: Effects,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seed = int(os.environ.get("TALLYMAN_SEED") or time.time())
    with capsys.disabled():  # a run that passes shows it as well
        print(f"\nTALLYMAN_SEED={seed} chooses these kills again.")
    expected = products(stack)
    stack.database_url = stack.environment["DATABASE_URL"] = embedded.database_url(postgres.data_dir)
    assert stack.manage("migrate").returncode == 0
    linger_in_copies(stack)
    stack.environment["IMPORT_RANGE_ROWS"] = "400"  # more jobs than five kills can use up
    stack.start("beat", "--max-interval", "1")  # after an error it rests as long
    victim = _Victim(stack, postgres, stack.start_worker("one"), random.Random(seed))
    before = tree(victim.worker)

    hold(victim.worker)
    first = start_import(stack, stock)
    victim.crash_in(*_IMPORT)
    wait_until_over(stack, first)
    assert products(stack) == expected

    run = _preview_as_undisturbed(victim, catalogue)
    hold(victim.worker)
    assert stack.manage("import_catalog", "--skip-checks", "--approve", str(run), "--yes").returncode == 0
    victim.crash_in(*_LOAD)
    wait_until_over(stack, run)
    assert effects_of(stack, run).differences(reference.effects) == []

    _export_as_undisturbed(victim, tmp_path / "undisturbed.csv")

    hold(victim.worker)
    undo = start_undo(stack, run)
    victim.crash_in(*_UNDO)
    wait_until_over(stack, undo)
    assert effects_of(stack, undo).differences(undone) == []
    assert tree(victim.worker) == before


def _preview_as_undisturbed(victim: _Victim, path: Path) -> int:
    """Preview the file with and without kills; returns the import's id."""
    stack = victim.stack
    undisturbed = preview(stack, path)
    expected = findings(stack, newest_run(stack))
    with ThreadPoolExecutor() as background:
        disturbed = background.submit(preview, stack, path)
        victim.crash_in(*_PREVIEW)
        shown = disturbed.result()
    run = newest_run(stack)
    assert findings(stack, run) == expected
    assert {name: shown[name] for name in ("forecast", "warnings", "differences")} == {
        name: undisturbed[name] for name in ("forecast", "warnings", "differences")
    }
    return run


def _export_as_undisturbed(victim: _Victim, undisturbed: Path) -> None:
    """Export the catalogue with and without kills: three while it is read, two when its file is stored."""
    stack = victim.stack
    assert stack.manage("export_catalog", "--skip-checks", str(undisturbed)).returncode == 0
    stack.sql(_HOLD_UP)
    disturbed = undisturbed.with_name("disturbed.csv")
    with ThreadPoolExecutor() as background:
        done = background.submit(stack.manage, "export_catalog", str(disturbed))
        for _ in range(2):
            victim.crash_while_products_are_read()
            victim.go_on()
        victim.crash_while_products_are_read()
        for _ in range(2):
            victim.crash_when_file_is_stored()
        victim.go_on()
        assert done.result().returncode == 0
    assert disturbed.read_bytes() == undisturbed.read_bytes()
    media = Path(stack.environment["TALLYMAN_DATA_DIR"]) / "media"
    assert len(list(media.glob("exports/*/*"))) == 2  # nothing of the broken attempts is left
    [first, second] = stack.sql("SELECT state, rows, size FROM imports_exportrun")
    assert first == second == ("completed", first[1], undisturbed.stat().st_size)
