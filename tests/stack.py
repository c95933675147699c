"""A Tallyman of its own for one test: a database, a Valkey database, a data folder, and real processes.

    stack.start("worker"); stack.start("beat"); url = stack.start_web()

What runs is what the Procfile says. Import the fixtures where they are used:
`from tests.stack import migrated_database, stack  # noqa: F401`.
"""

import itertools
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
from django.conf import settings
from psycopg import sql

from config.processes import Process, Program
from config.supervisor import read_procfile

BASE_DIR = Path(__file__).resolve().parent.parent
COMMANDS = read_procfile(BASE_DIR / "Procfile")
READY = {"worker": " ready.", "beat": "beat: Starting...", "flower": "Flower is ready"}  # in their logs
QUICK = {
    # Seconds that a person would not mind are long in a test.
    "JOB_LEASE_SECONDS": "3",
    "JOB_SWEEP_SECONDS": "1",
    "JOB_HINT_PATIENCE_SECONDS": "1",
    "JOB_RETRY_BASE_SECONDS": "0.2",
    "PAYMENT_PATIENCE_SECONDS": "1",
    "PAYMENT_SETTLE_SECONDS": "1",
    # A test that kills workers wants no mail about it.
    "ALERT_AFTER_SECONDS": "86400",
}
_START_SECONDS = 60.0
_REDIS_NUMBERS = itertools.cycle(range(1, 16))  # 0 belongs to the tests that run in this process

type Rows = list[tuple[Any, ...]]


class Stack:
    """Tallyman's processes with everything of their own. Change `environment` before starting any."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self.folder = folder
        self.database_url, self.redis_url = database_url, redis_url
        self.port, self.flower_port = _free_port(), _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "TALLYMAN_DATA_DIR": str(folder / "data"),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "EMAIL_URL": settings.EMAIL_URL,
            "PORT": str(self.port),
            "FLOWER_PORT": str(self.flower_port),
            **QUICK,
        }
        self.processes: list[Process] = []

    def start(self, name: str, *arguments: str) -> Process:
        """Start a line of the Procfile with further arguments; returns once it is ready to work.

        `Process.pid` leads a process group of its own; `kill` ends the group with SIGKILL.
        """
        process = self.launch(name, *arguments)
        process.wait_ready(_START_SECONDS)
        return process

    def launch(self, name: str, *arguments: str) -> Process:
        """As `start`, without waiting until it is ready."""
        log = self.folder / f"{name}-{len(self.processes) + 1}.log"
        process = Process(
            Program(
                name=name,
                command=["sh", "-c", f'exec {COMMANDS[name]} "$@"', name, *arguments],
                directory=BASE_DIR,
                environment=self.environment,
                log=log,
                is_ready=lambda pid: self._answers() if name == "web" else READY[name] in log.read_text(),
            )
        )
        self.processes.append(process)
        process.start()
        return process

    def start_worker(self, name: str = "worker") -> Process:
        """Start a worker whose Celery node is called `name`, two children."""
        [worker] = self.start_workers(name)
        return worker

    def start_workers(self, *names: str) -> list[Process]:
        """Start workers with these names side by side; returns once all are ready."""
        workers = [self.launch("worker", "--hostname", f"{name}@%h") for name in names]
        for worker in workers:
            worker.wait_ready(_START_SECONDS)
        return workers

    def start_web(self) -> str:
        """Start the web server; returns its address, without a slash at the end."""
        self.start("web")
        return self.url

    def _answers(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    def manage(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run manage.py to its end; returns its code, stdout and stderr. `timeout` in seconds."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE_DIR,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def sql(self, query: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Rows:
        """Run one statement on the stack's database, committed at once; returns its rows."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def wait_for(self, condition: Callable[[], object], *, seconds: float = 60) -> None:
        """Wait until `condition()` is true; fails the test after `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"waited {seconds:g} s in vain")
            time.sleep(0.02)

    def kill(self) -> None:
        """End everything that was started, as a power cut would."""
        for process in reversed(self.processes):
            process.kill()

    def last_words(self, lines: int = 40) -> str:
        """The ends of all logs."""
        return "\n".join(
            f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
            for log in sorted(self.folder.glob("*.log"))
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{path}", query=""))


def _server_url() -> str:
    """The address of the tests' PostgreSQL, at a database that is always there."""
    at = settings.DATABASES["default"]
    host = f"{at['HOST'] or 'localhost'}:{at['PORT'] or 5432}"
    return f"postgres://{at['USER']}:{at['PASSWORD']}@{host}/postgres"


@contextmanager
def new_database(prefix: str, template: str | None = None) -> Iterator[str]:
    """A new database, dropped in the end whoever is still connected; yields its name."""
    name = f"{prefix}_{uuid.uuid4().hex[:12]}"
    create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template:
        create += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    with psycopg.connect(_server_url(), autocommit=True) as connection:
        connection.execute(create)
    try:
        yield name
    finally:
        with psycopg.connect(_server_url(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def migrated_database(django_db_setup: str) -> str:
    """Name of a migrated, empty database from which each stack's is copied."""
    return django_db_setup


@contextmanager
def copied_stack(template: str, folder: Path) -> Iterator[Stack]:
    """A Tallyman on a copy of the database `template`; nothing runs yet, and in the end nothing any more."""
    redis_url = _with_path(settings.REDIS_URL, str(next(_REDIS_NUMBERS)))
    with redis.Redis.from_url(redis_url) as broker:
        broker.flushdb()
    with new_database("stack", template=template) as name:
        stack = Stack(folder, _with_path(_server_url(), name), redis_url)
        try:
            yield stack
        finally:
            stack.kill()
            print(stack.last_words())  # pytest shows it when the test failed


@pytest.fixture
def stack(migrated_database: str, tmp_path: Path) -> Iterator[Stack]:
    """An empty Tallyman of which nothing runs yet; ended with all that it runs. A failure shows the logs."""
    with copied_stack(migrated_database, tmp_path) as stack:
        yield stack
