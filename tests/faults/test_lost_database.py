"""PostgreSQL dies and comes back in mid-import: what it had not kept is done again."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from config import embedded
from tests.faults.catching import tree
from tests.faults.conftest import Reference, jobs_done, start_import, wait_until_over
from tests.faults.effects import effects_of
from tests.stack import Stack


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[embedded.Servers]:
    """A PostgreSQL of the test's own, which it may kill."""
    with embedded.Servers(tmp_path / "postgres", without={"valkey", "mail"}) as servers:
        yield servers


def _is_past(stack: Stack, run: int, jobs: int) -> bool:
    return jobs_done(stack, run) >= jobs


def test_import_and_workers_survive_postgresql_killed_and_restarted(
    stack: Stack, postgres: embedded.Servers, stock: Path, catalogue: Path, reference: Reference
) -> None:
    stack.database_url = stack.environment["DATABASE_URL"] = embedded.database_url(postgres.data_dir)
    assert stack.manage("migrate").returncode == 0
    stack.start("beat")
    workers = [stack.start_worker("one"), stack.start_worker("two")]
    wait_until_over(stack, start_import(stack, stock))
    before = [tree(worker) for worker in workers]

    run = start_import(stack, catalogue)
    for eighth in (1, 3, 5, 7):  # while it stages, loads, and loads
        stack.wait_for(partial(_is_past, stack, run, reference.jobs * eighth // 8))
        postgres.kill_postgres()
        postgres.start_postgres()
    wait_until_over(stack, run)

    assert effects_of(stack, run).differences(reference.effects) == []
    assert [tree(worker) for worker in workers] == before
