"""Where the nodes of a smoke run live: in containers, or in processes that are addressed like containers.

A site has one PostgreSQL, one Valkey and one mail catcher for the whole run; workers and beat come and go
with each test.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import pytest

QUEUES = ("imports", "mail", "reports", "search", "default")
WORKER_NAME = "smoke"  # before the @ of every worker's name, after which comes the id of its container


class Container(Protocol):
    """What nodes of pytest-celery ask of their container, and these tests beside that.

    `status` is Docker's word for it ("running", "exited"), `attrs["State"]` has "Pid" and "StartedAt" of the
    current run, `logs` those of all runs.
    """

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def attrs(self) -> dict[str, Any]: ...
    @property
    def celeryconfig(self) -> dict[str, Any]: ...
    def ready(self) -> bool: ...
    def kill(self, signal: str | int = "SIGKILL") -> None: ...
    def restart(self, timeout: int = 10) -> None: ...
    def reload(self) -> None: ...
    def logs(self) -> str: ...
    def teardown(self) -> None: ...


class Site(Protocol):
    """A place with a PostgreSQL, a Valkey and a mail catcher."""

    @property
    def postgres(self) -> Container: ...
    @property
    def valkey(self) -> Container: ...

    mails: Path
    """A folder with one `*.eml` for each mail that came."""
    media: str
    """The folder of uploads, `MEDIA_ROOT` of this process, as workers see it."""

    @property
    def database(self) -> dict[str, Any]:
        """HOST, PORT, USER and PASSWORD of PostgreSQL as in Django's settings, seen from this process."""

    def launch(self, program: str, arguments: Sequence[str], *, database: str) -> Container:
        """Start a line of the Procfile (worker or beat) on the database of that name; `ready()` waits for it.
        Workers get a name made of WORKER_NAME and their container's id."""


def kind() -> str:
    """What TALLYMAN_SMOKE says, "docker" or "processes"; else docker where an engine answers.

    Raises pytest.UsageError for another word.
    """
    wish = os.environ.get("TALLYMAN_SMOKE", "")
    if wish not in ("", "docker", "processes"):
        raise pytest.UsageError(f"TALLYMAN_SMOKE must be docker or processes, not `{wish}`.")
    return wish or ("docker" if _engine_answers() else "processes")


def _engine_answers() -> bool:
    import docker

    with suppress(docker.errors.DockerException):
        return bool(docker.from_env(timeout=5).ping())
    return False


@contextmanager
def opened(request: pytest.FixtureRequest, folder: Path) -> Iterator[Site]:
    """The site of this run; `folder` is for what it keeps. Everything is gone in the end."""
    if kind() == "docker":
        from tests.smoke import engine

        with engine.site(folder) as found:
            yield found
    else:
        from tests.smoke import processes

        with processes.site(request.getfixturevalue("servers"), folder) as found:
            yield found
