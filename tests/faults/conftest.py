"""A catalogue with something in it, a file to import into it, and what an undisturbed import does."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pytest
import redis

from config import embedded
from imports import sample_catalog
from tests.faults.effects import Effects, effects_of
from tests.stack import Stack, copied_stack, migrated_database  # noqa: F401

ROWS = 20_000
_SEED = 7
_SMALL = {"IMPORT_CHUNK_BYTES": "250000", "IMPORT_RANGE_ROWS": "1000"}  # so that there are many jobs


@dataclass(frozen=True)
class Reference:
    """An import that nobody disturbed: its effects, how many jobs it took, and the name of the database that
    it left behind."""

    effects: Effects
    jobs: int
    run: int
    database: str


def start_import(stack: Stack, path: Path) -> int:
    """Confirm an import of the file with everything as guessed; returns its id."""
    done = stack.manage("import_catalog", "--skip-checks", str(path))
    assert done.returncode == 0, done.stderr
    return newest_run(stack)


def newest_run(stack: Stack) -> int:
    """The id of the import that was received last."""
    [(run,)] = stack.sql("SELECT max(id) FROM imports_importrun")
    return int(run)


def state_of(stack: Stack, run: int) -> str:
    """The state of an import, such as `loading`."""
    [(state,)] = stack.sql("SELECT state FROM imports_importrun WHERE id = %s", [run])
    return str(state)


def jobs_done(stack: Stack, run: int) -> int:
    """How many jobs of the import are done."""
    query = "SELECT count(*) FROM tasks_job WHERE subject = %s AND state = 'done'"
    [(done,)] = stack.sql(query, [f"import/{run}"])
    return int(done)


def waiting_hints(broker: redis.Redis) -> int:
    """How many messages wait in the queue of imports."""
    return cast(int, broker.llen("imports"))


def wait_until_over(stack: Stack, run: int, *, seconds: float = 120) -> None:
    """Wait until the import has ended and no job of any kind is left to do, its mail's included."""
    query = (
        "SELECT r.finished_at IS NOT NULL AND NOT EXISTS"
        " (SELECT FROM tasks_job WHERE state IN ('queued', 'running')) AND NOT EXISTS"
        " (SELECT FROM notifications_message WHERE due_at IS NOT NULL) FROM imports_importrun r WHERE id = %s"
    )
    stack.wait_for(lambda: stack.sql(query, [run]) == [(True,)], seconds=seconds)


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with new, changed, unchanged, doubled and broken rows for the `stocked` catalogue."""
    early = sample_catalog.rows(200, seed=_SEED, changed=100)  # superseded by the file's own
    whole = (
        line.replace("Garden > ", "Outdoors > ")  # categories that are new
        for line in sample_catalog.rows(ROWS, seed=_SEED, errors=0.5)
    )
    late = sample_catalog.rows(300, seed=_SEED, changed=50)  # supersede the file's own
    return _written(tmp_path_factory, "catalogue.csv", chain(early, whole, late))


@pytest.fixture(scope="session")
def small_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Other prices, names or descriptions for the first 1,000 products of `catalogue`."""
    return _written(tmp_path_factory, "small.csv", sample_catalog.rows(1_000, seed=_SEED, changed=100))


def _written(factory: pytest.TempPathFactory, name: str, lines: Iterator[str]) -> Path:
    path = factory.mktemp("files") / name
    with path.open("w", newline="") as file:
        file.write(sample_catalog.HEADER)
        file.writelines(lines)
    return path


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6,000 products, half of which `catalogue` has otherwise."""
    return _written(tmp_path_factory, "stock.csv", sample_catalog.rows(6_000, seed=_SEED, changed=50))


@pytest.fixture(scope="session")
def stocked(
    migrated_database: str,  # noqa: F811
    stock: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Name of a database with the products of `stock`."""
    with copied_stack(migrated_database, tmp_path_factory.mktemp("stocked")) as stack:
        _import_undisturbed(stack, stock)
        stack.kill()
        yield urlsplit(stack.database_url).path[1:]


@pytest.fixture(scope="session")
def reference(stocked: str, catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reference]:
    """What importing `catalogue` into the `stocked` database does when nothing gets in its way."""
    with copied_stack(stocked, tmp_path_factory.mktemp("reference")) as stack:
        stack.environment |= _SMALL
        run = _import_undisturbed(stack, catalogue)
        stack.kill()
        database = urlsplit(stack.database_url).path[1:]
        yield Reference(effects_of(stack, run), jobs_done(stack, run), run, database)


def _import_undisturbed(stack: Stack, path: Path) -> int:
    stack.environment["JOB_LEASE_SECONDS"] = "60"
    stack.launch("beat")
    stack.launch("worker")
    run = start_import(stack, path)
    wait_until_over(stack, run)
    ended = stack.sql("SELECT state, error FROM imports_importrun WHERE id = %s", [run])
    assert ended == [("completed", "")]
    return run


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[embedded.Servers]:
    """A Valkey of the test's own, which it may flush and kill."""
    with embedded.Servers(tmp_path / "valkey", without={"postgres", "mail"}) as servers:
        yield servers


@pytest.fixture
def stack(stocked: str, valkey: embedded.Servers, tmp_path: Path) -> Iterator[Stack]:
    """A Tallyman with the `stocked` catalogue and `valkey`; nothing runs yet."""
    with copied_stack(stocked, tmp_path) as stack:
        stack.redis_url = stack.environment["REDIS_URL"] = embedded.broker_url(valkey.data_dir)
        stack.environment |= _SMALL
        yield stack


@pytest.fixture
def broker(stack: Stack) -> Iterator[redis.Redis]:
    """A connection to the stack's Valkey."""
    with redis.Redis.from_url(stack.redis_url) as connection:
        yield connection
