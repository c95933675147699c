"""Nodes without Docker: the run's own servers, and workers and beat as the Procfile starts them."""

from __future__ import annotations

import os
import secrets
import signal as signals
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings

from config import embedded
from config.processes import Process, Program
from tests.smoke.sites import WORKER_NAME
from tests.stack import BASE_DIR, COMMANDS, QUICK, READY

_START_SECONDS = 60.0


class ProcessContainer:
    """One process after another of a program, addressed like a container."""

    def __init__(self, process: Process, celeryconfig: dict[str, Any] | None = None, *, id: str = "") -> None:
        self.id = id or secrets.token_hex(6)
        self.name = f"{process.program.name}-{self.id}"
        self.celeryconfig = celeryconfig or {}
        self._process = process

    @property
    def status(self) -> str:
        return "exited" if self._process.pid is None else "running"

    @property
    def attrs(self) -> dict[str, Any]:
        pid = self._process.pid
        began = None if pid is None else psutil.Process(pid).create_time()
        return {"State": {"Status": self.status, "Pid": pid or 0, "StartedAt": began}}

    def ready(self) -> bool:
        """Wait until it can be used; raises config.processes.StartError when it can't be."""
        self._process.wait_ready(_START_SECONDS)
        return True

    def kill(self, signal: str | int = "SIGKILL") -> None:
        """Send a signal to the process; SIGKILL also to all that it has started, as with a container."""
        number = signals.Signals[signal] if isinstance(signal, str) else signals.Signals(signal)
        if number == signals.SIGKILL:
            self._process.kill()
        elif (pid := self._process.pid) is not None:
            os.kill(pid, number)

    def restart(self, timeout: int = 10) -> None:
        """Stop it in good order if it runs, start it again and wait until it can be used."""
        if self._process.pid is not None:
            self._process.ask_to_stop()
            self._process.wait(timeout)
        self._process.kill()
        self._process.start()
        self.ready()

    def reload(self) -> None:
        """Nothing to do: what is said of a process is always of now."""

    def logs(self) -> str:
        log = self._process.program.log
        return log.read_text(errors="replace") if log and log.exists() else ""

    def teardown(self) -> None:
        self._process.kill()

    @staticmethod
    def worker_name() -> str:
        return WORKER_NAME


class ServerContainer(ProcessContainer):
    """A server of the whole test run, which goes on after a smoke test."""

    def teardown(self) -> None:
        if self.status != "running":
            self.restart()


class Processes:
    """The servers that `tests.servers` has started, and what is launched beside them."""

    def __init__(self, servers: embedded.Servers, folder: Path) -> None:
        broker = {"url": settings.REDIS_URL, "host_url": settings.REDIS_URL}
        self.postgres = ServerContainer(
            servers.processes["postgres"], {"url": "django-db", "host_url": "django-db"}
        )
        self.valkey = ServerContainer(servers.processes["valkey"], broker)
        self.mails, self.media = servers.data_dir / "mail", str(settings.MEDIA_ROOT)
        self.database = {
            part: settings.DATABASES["default"][part] for part in ("HOST", "PORT", "USER", "PASSWORD")
        }
        self._folder = folder
        self.launched: list[ProcessContainer] = []

    def launch(self, program: str, arguments: Sequence[str], *, database: str) -> ProcessContainer:
        at, name = self.database, secrets.token_hex(6)
        if program == "worker":
            arguments = [*arguments, f"--hostname={WORKER_NAME}@{name}"]
        log = _Log(self._folder / f"{program}-{name}.log", READY[program])
        process = Process(
            Program(
                name=program,
                command=["sh", "-c", f'exec {COMMANDS[program]} "$@"', program, *arguments],
                directory=BASE_DIR,
                environment={
                    **os.environ,
                    **QUICK,
                    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                    "DATABASE_URL": f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{database}",
                    "REDIS_URL": settings.REDIS_URL,
                    "EMAIL_URL": settings.EMAIL_URL,
                },
                log=log.path,
                prepare=log.mark,
                is_ready=lambda pid: log.has_word(),
            )
        )
        process.start()
        container = ProcessContainer(process, id=name)
        self.launched.append(container)
        return container


class _Log:
    """Whether a process is ready is said in its log, but an earlier run has said it there as well."""

    def __init__(self, path: Path, word: str) -> None:
        self.path, self._word, self._began = path, word.encode(), 0

    def mark(self) -> None:
        """A run begins here."""
        self._began = self.path.stat().st_size if self.path.exists() else 0

    def has_word(self) -> bool:
        return self._word in self.path.read_bytes()[self._began :]


@contextmanager
def site(servers: embedded.Servers, folder: Path) -> Iterator[Processes]:
    """The site; what was launched there is ended with it."""
    found = Processes(servers, folder)
    try:
        yield found
    finally:
        for container in found.launched:
            container.teardown()
