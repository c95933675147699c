"""Programs that Tallyman runs beside itself: started, watched, stopped, never left behind.

A `Program` says how something is run, a `Process` is one run of it. Every process leads a process group of
its own, so that Ctrl-C on the terminal reaches only Tallyman, which then stops things in its own order. On
Linux the kernel ends a process when the thread that started it ends, so start them from one that lives on.
"""

import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import psutil

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
_MAX_LOG_BYTES = 10_000_000
_POLL_SECONDS = 0.05


class StartError(Exception):
    """Something can't start; the message tells a person why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """How to run something.

    Its output goes to `log` (appended) or line by line to `on_line`, which is called from another thread.
    `prepare` runs before every start; `is_ready` gets the process id and says whether it can be used.
    `patience` are the seconds between `stop_signal` and SIGKILL.
    """

    name: str
    command: Sequence[str]
    directory: Path
    environment: Mapping[str, str] | None = None
    user: str | None = None
    log: Path | None = None
    on_line: Callable[[str], None] = print
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 15.0
    prepare: Callable[[], None] = lambda: None
    is_ready: Callable[[int], bool] = lambda pid: True


class Process:
    """One run of a program after another: `start` again once it has ended."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._popen: subprocess.Popen[bytes] | None = None
        self._swept = False  # its group is gone: the number may belong to strangers soon

    @property
    def pid(self) -> int | None:
        """The process id while it lives, else None."""
        return self._popen.pid if self._popen and self._popen.poll() is None else None

    @property
    def exit_code(self) -> int | None:
        """How the last run ended (negative: by that signal); None while it lives or before any run."""
        return self._popen.poll() if self._popen else None

    def start(self) -> None:
        """Run the program; returns at once. Raises StartError when it can't be run at all."""
        self.program.prepare()
        output = _open_log(self.program.log) if self.program.log else subprocess.PIPE
        try:
            self._popen = self._spawn(output)
            self._swept = False
        except OSError as error:
            raise StartError(f"{self.program.name} can't be run: {error}") from error
        finally:
            if output != subprocess.PIPE:
                os.close(output)
        if self._popen.stdout:
            threading.Thread(target=self._read_lines, args=[self._popen], daemon=True).start()

    def _spawn(self, output: int) -> subprocess.Popen[bytes]:
        program = self.program
        return subprocess.Popen(
            program.command,
            cwd=program.directory,
            env=program.environment,
            user=program.user,
            group=program.user,
            extra_groups=[] if program.user else None,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_parent(program.stop_signal),
        )

    def _read_lines(self, popen: subprocess.Popen[bytes]) -> None:
        assert popen.stdout is not None  # noqa: S101 (a thread is started only for piped output)
        for line in popen.stdout:
            self.program.on_line(line.decode(errors="replace").rstrip())

    def is_ready(self) -> bool:
        """Whether it lives and can be used."""
        pid = self.pid
        return pid is not None and self.program.is_ready(pid)

    def wait_ready(self, seconds: float) -> None:
        """Return once it can be used; raises StartError when it ends before or takes longer."""
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            if self.pid is None:
                raise StartError(f"{self.program.name} did not start. {self._last_words()}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.program.name} is not ready in {seconds:g} s. {self._last_words()}")
            time.sleep(_POLL_SECONDS)

    def _last_words(self) -> str:
        log = self.program.log
        if log is None or not log.exists():
            return f"It ended with code {self.exit_code}."
        lines = log.read_text(errors="replace").strip().splitlines()
        return f"Its log {log} ends with: {' / '.join(lines[-3:])}"

    def ask_to_stop(self) -> None:
        """Send the stop signal to the process itself: its own children are its to end in good order."""
        self._signal(self.program.stop_signal)

    def wait(self, seconds: float | None) -> None:
        """Wait for its end, but not longer than `seconds` (None: as long as it takes)."""
        if self._popen is not None:
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(None if seconds is None else max(seconds, 0))

    def stop(self) -> None:
        """Stop it in good order, and what does not end within its patience by SIGKILL."""
        self.ask_to_stop()
        self.wait(self.program.patience)
        self.kill()

    def kill(self) -> None:
        """SIGKILL it and everything that it has started."""
        if self._popen is None or self._swept:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._swept = True

    def _signal(self, number: signal.Signals) -> None:
        if self._popen and self._popen.poll() is None:
            self._popen.send_signal(number)


def _end_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """What makes the kernel send `number` to a child when Tallyman itself is killed (Linux only)."""
    if _LIBC is None:
        return None
    prctl = _LIBC.prctl
    return lambda: cast(None, prctl(_PR_SET_PDEATHSIG, number))


def _open_log(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _MAX_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def stop_leftovers(name: str, directory: Path, number: signal.Signals, *, patience: float = 30.0) -> None:
    """End processes called `name` that a killed Tallyman left behind working in `directory`.

    Those without a parent among them get the signal `number`; what lives after `patience` seconds is killed.
    """
    import psutil

    found = _working_in(name, directory)
    for process in [one for one in found if one.ppid() not in {other.pid for other in found}]:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    _, alive = psutil.wait_procs(found, timeout=patience)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


def _working_in(name: str, directory: Path) -> "list[psutil.Process]":
    import psutil

    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == name and process.cwd() == str(directory):
                found.append(process)
    return found


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of an earlier run that still linger don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True
