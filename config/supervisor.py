"""Runs everything that Tallyman consists of: the embedded servers and every line of the Procfile.

    with Supervisor(base_dir=…, data_dir=…) as supervisor:  # servers, release step, then all programs
        supervisor.wait_ready(60)
        supervisor.serve()  # until Ctrl-C or SIGTERM; leaving the block stops everything

What dies is started again, after 1 s at first and up to 10 s when it keeps dying.
"""

import http.client
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self, TextIO

from config import embedded
from config.console import to_files, to_terminal
from config.processes import Process, Program, StartError, port_is_free

_DEFAULT_PORTS = {"PORT": "8000", "FLOWER_PORT": "5555"}
_STOP_SECONDS = 15.0
_FIRST_PAUSE, _LONGEST_PAUSE, _STEADY = 1.0, 10.0, 30.0  # seconds
_POLL_SECONDS = 0.1
_RELEASE = "release"  # the Procfile's line that runs once, to its end, before the others


def read_procfile(path: Path) -> dict[str, str]:
    """Commands by name, in the file's order. Raises StartError for a line that is not `name: command`."""
    commands = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"([\w-]+):\s*(\S.*)", line)
        if match is None:
            raise StartError(f"{path.name}, line {number}: expected `name: command`, found `{line}`")
        commands[match[1]] = match[2].strip()
    return commands


@dataclass
class _Watch:
    """A process and when to start it again."""

    process: Process
    pause: float = _FIRST_PAUSE
    started: float = field(default_factory=time.monotonic)
    due: float | None = None

    def died(self, now: float) -> float:
        """Set when it is due and return the pause until then."""
        pause = _FIRST_PAUSE if now - self.started > _STEADY else self.pause
        self.due, self.pause = now + pause, min(pause * 2, _LONGEST_PAUSE)
        return pause

    def restarted(self, now: float) -> None:
        self.started, self.due = now, None


class Supervisor:
    """See the module. Use it in the main thread: signals arrive there, and children end with their thread.

    Output goes to `terminal` with the program's name before each line, else to `<data_dir>/log/<name>.log`.
    `environment` (default: this process's) tells PORT, FLOWER_PORT and which servers run elsewhere.
    """

    def __init__(
        self,
        *,
        base_dir: Path,
        data_dir: Path,
        terminal: TextIO | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        given = dict(os.environ if environment is None else environment)
        self.environment = _DEFAULT_PORTS | given | _own_python(given) | {"TALLYMAN_DATA_DIR": str(data_dir)}
        self.servers = embedded.Servers(data_dir, without=embedded.external(given))
        self.programs: dict[str, Process] = {}
        if terminal:  # people read it
            self.environment.setdefault("LOG_FORMAT", "console")
        self._base_dir = base_dir
        self._commands = read_procfile(base_dir / "Procfile")
        names = ["tallyman", *self._commands]
        self._say = to_terminal(terminal, names) if terminal else to_files(data_dir / "log")
        self._watches: list[_Watch] = []
        self._greeted: set[str] = set()  # programs that said that they are ready
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self._handlers: dict[signal.Signals, object] = {}

    def start(self) -> None:
        """Start the servers, run the release step to its end, then start all other programs.

        Raises StartError, with nothing left running, when a port is taken or something can't start, and its
        child AlreadyRunningError when the data folder is in use.
        """
        try:
            self.servers.lock()
            self._check_ports()
            self.servers.start()
            self._release()
            self._start_programs()
        except BaseException:
            self._shut_down()
            raise
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._watcher.start()

    def _check_ports(self) -> None:
        used = re.findall(r"\$\{?(\w*PORT)\b", " ".join(self._commands.values()))
        for variable in dict.fromkeys(used):
            text = self.environment.get(variable, "")
            if not (text.isdecimal() and 0 < int(text) < 65_536):
                raise StartError(f"{variable} must be a port from 1 to 65535, not `{text}`.")
            if not port_is_free(int(text)):
                raise StartError(
                    f"Port {text} is in use. Stop what uses it, or choose another: "
                    f"{variable}={int(text) + 1} make up"
                )

    def _release(self) -> None:
        if _RELEASE not in self._commands:
            return
        # No `exec`: the release may be several commands in a row.
        release = self.programs[_RELEASE] = Process(self._program(_RELEASE, self._commands[_RELEASE]))
        release.start()
        release.wait(None)
        if release.exit_code:
            raise StartError(f"The release step failed with code {release.exit_code}; its output tells why.")
        del self.programs[_RELEASE]

    def _start_programs(self) -> None:
        for name, command in self._commands.items():
            if name != _RELEASE:
                self.programs[name] = Process(self._program(name, f"exec {command}"))
                self.programs[name].start()
        everything = [*self.servers.processes.values(), *self.programs.values()]
        self._watches = [_Watch(process) for process in everything]

    def _program(self, name: str, command: str) -> Program:
        readiness: dict[str, Callable[[int], bool]] = {
            "web": lambda pid: _answers(int(self.environment["PORT"])),
            "worker": lambda pid: name in self._greeted,
        }
        return Program(
            name=name,
            command=["sh", "-c", command],
            directory=self._base_dir,
            environment=self.environment,
            on_line=partial(self._hear, name),
            is_ready=readiness.get(name, lambda pid: True),
        )

    def _hear(self, name: str, line: str) -> None:
        if re.search(r"@\S+ ready\b", line):  # Celery's greeting, once the broker has let it in
            self._greeted.add(name)
        self._say(name, line)

    def wait_ready(self, seconds: float | None = None) -> None:
        """Return once the web answers and the worker takes work; StartError after `seconds` (None: never)."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while waiting := [name for name, process in self.programs.items() if not process.is_ready()]:
            if deadline and time.monotonic() > deadline:
                raise StartError(f"Not ready in {seconds:g} s: {', '.join(waiting)}. Their output tells why.")
            time.sleep(_POLL_SECONDS)

    def summary(self) -> str:
        """Where to go, for people: a line for each address."""
        at = {name: f"http://127.0.0.1:{self.environment[name]}/" for name in _DEFAULT_PORTS}
        return f"Shop admin  {at['PORT']}admin/\nFlower      {at['FLOWER_PORT']}"

    def serve(self) -> None:
        """Wait for Ctrl-C, SIGTERM or SIGHUP (inside the `with` block); then return."""
        with suppress(KeyboardInterrupt):
            self._stopping.wait()

    def stop(self) -> None:
        """Stop the programs, then the servers; returns when all are gone. Does nothing the second time."""
        self._stopping.set()
        if self._watcher:
            self._watcher.join()
            self._watcher = None

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if (before := signal.getsignal(number)) is not signal.SIG_IGN:  # `nohup` stays in force
                self._handlers[number] = before
                signal.signal(number, signal.default_int_handler)
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        for number in self._handlers:
            signal.signal(number, signal.SIG_IGN)  # impatience must not leave servers behind
        self.stop()
        for number, before in self._handlers.items():
            signal.signal(number, before)  # type: ignore[arg-type]

    def _watch(self) -> None:
        """Restart what dies. Stops all at the end itself: what this thread has started ends with it."""
        while not self._stopping.wait(_POLL_SECONDS):
            for watch in self._watches:
                if watch.process.pid is None:
                    self._look_after(watch, time.monotonic())
        self._shut_down()

    def _look_after(self, watch: _Watch, now: float) -> None:
        process, name = watch.process, watch.process.program.name
        if watch.due is None:
            process.kill()  # what it started itself must not meet its successor
            self._greeted.discard(name)
            ended = f"{name} ended with code {process.exit_code}"
            self._say("tallyman", f"{ended}; it starts again in {watch.died(now):g} s")
        elif now >= watch.due:
            try:
                process.start()
            except (StartError, OSError) as error:
                self._say("tallyman", f"{error}; next attempt in {watch.died(now):g} s")
            else:
                watch.restarted(now)

    def _shut_down(self) -> None:
        deadline = time.monotonic() + _STOP_SECONDS
        for process in self.programs.values():
            process.ask_to_stop()
        for process in self.programs.values():
            process.wait(deadline - time.monotonic())
            process.kill()
        self.servers.stop()


def _own_python(environment: Mapping[str, str]) -> dict[str, str]:
    """What makes `python`, `celery` and `granian` the ones beside this interpreter, printing at once."""
    here = Path(sys.executable).parent
    return {"PATH": f"{here}{os.pathsep}{environment.get('PATH', os.defpath)}", "PYTHONUNBUFFERED": "1"}


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        # A refusal (a host name or scheme that production demands) comes from a living process too.
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
