"""The supervisor starts all, restarts what dies, and leaves nothing behind."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import psutil
import pytest
import redis

from config import embedded
from config.processes import StartError, port_is_free
from config.supervisor import Supervisor, read_procfile

SLEEPER = "idle: sleep 600"
SITE = "web: python -m http.server $PORT --bind 127.0.0.1"
BEARER = (
    "parent: python -c \"import subprocess; print('born', flush=True); subprocess.run(['sleep', '600'])\""
)
RUN = """
import sys
from contextlib import suppress
from pathlib import Path
from config.supervisor import Supervisor
folder = Path(sys.argv[1])
supervisor = Supervisor(base_dir=folder, data_dir=folder / "data", terminal=sys.stdout)
with suppress(KeyboardInterrupt), supervisor:
    print("started", flush=True)
    supervisor.serve()
"""


def eventually(condition: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def free_port() -> str:
    return str(next(port for port in range(30_000, 32_000) if port_is_free(port)))


def supervising(
    folder: Path, environment: dict[str, str], *lines: str, data: str = "data", terminal: TextIO | None = None
) -> Supervisor:
    """A supervisor of a Procfile with these lines."""
    (folder / "Procfile").write_text("\n".join(lines))
    folders = (folder, folder / data)
    return Supervisor(base_dir=folders[0], data_dir=folders[1], environment=environment, terminal=terminal)


def all_gone(processes: list[psutil.Process]) -> bool:
    """Ended, though perhaps not collected yet: in a container there may be nobody to do it."""
    gone = {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    return all(not process.is_running() or process.status() in gone for process in processes)


def test_release_runs_to_its_end_before_the_others(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    release, late = "release: echo one > order && echo two >> order", "late: sh -c 'cat order && sleep 600'"
    terminal = io.StringIO()
    with supervising(tmp_path, elsewhere, release, late, terminal=terminal):
        assert eventually(lambda: terminal.getvalue().count("\n") == 2)
    assert terminal.getvalue() == "late     | one\nlate     | two\n"


def test_failed_release_starts_nothing_else(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    supervisor = supervising(tmp_path, elsewhere, "release: exit 3", "late: touch started")
    with pytest.raises(StartError, match=r"^The release step failed with code 3; its output tells why\.$"):
        supervisor.start()
    assert not (tmp_path / "started").exists()


def test_web_is_ready_when_it_answers(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    (tmp_path / "healthz").write_text("ok")
    environment = elsewhere | {"PORT": free_port()}
    with supervising(tmp_path, environment, SITE) as supervisor:
        supervisor.wait_ready(20)
        assert supervisor.programs["web"].is_ready()
        first = f"Shop admin  http://127.0.0.1:{environment['PORT']}/admin/"
        assert supervisor.summary() == f"{first}\nFlower      http://127.0.0.1:5555/"


def test_worker_is_ready_when_it_says_so(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    os.mkfifo(tmp_path / "gate")
    worker = "worker: sh -c 'cat gate; echo celery@host ready.; sleep 600'"
    with supervising(tmp_path, elsewhere, worker) as supervisor:
        with pytest.raises(StartError, match=r"^Not ready in 0\.2 s: worker\. Their output tells why\.$"):
            supervisor.wait_ready(0.2)
        (tmp_path / "gate").write_text("")
        supervisor.wait_ready(10)


def test_killed_program_is_restarted_and_reported(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    terminal = io.StringIO()
    with supervising(tmp_path, elsewhere, SLEEPER, terminal=terminal) as supervisor:
        idle = supervisor.programs["idle"]
        first = idle.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: idle.pid not in {None, first})
    assert terminal.getvalue() == "tallyman | idle ended with code -9; it starts again in 1 s\n"


def test_program_that_keeps_dying_waits_longer_each_time(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    terminal = io.StringIO()
    with supervising(tmp_path, elsewhere, "broken: sh -c 'exit 7'", terminal=terminal):
        assert eventually(lambda: terminal.getvalue().count("\n") == 2)
    pauses = [line.rpartition(" in ")[2] for line in terminal.getvalue().splitlines()]
    assert pauses == ["1 s", "2 s"]


def test_killed_valkey_is_restarted(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    del elsewhere["REDIS_URL"]
    with supervising(tmp_path, elsewhere, SLEEPER) as supervisor:
        valkey = supervisor.servers.processes["valkey"]
        first = valkey.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: valkey.pid not in {None, first} and valkey.is_ready())
        assert redis.Redis.from_url(embedded.broker_url(tmp_path / "data")).ping() is True


def test_taken_port_is_told_before_anything_starts(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    environment = elsewhere | {"PORT": free_port()}
    with supervising(tmp_path, environment, SITE) as first:
        first.wait_ready(20)
        second = supervising(tmp_path, environment, "release: touch started", SITE, data="second")
        with pytest.raises(StartError) as refusal, second:
            pass
    port = int(environment["PORT"])
    assert str(refusal.value) == (
        f"Port {port} is in use. Stop what uses it, or choose another: PORT={port + 1} make up"
    )
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("text", ["abc", "0", "65536", ""])
def test_port_that_is_none_is_refused(tmp_path: Path, elsewhere: dict[str, str], text: str) -> None:
    supervisor = supervising(tmp_path, elsewhere | {"FLOWER_PORT": text}, "flower: run ${FLOWER_PORT}")
    with pytest.raises(StartError) as refusal:
        supervisor.start()
    assert str(refusal.value) == f"FLOWER_PORT must be a port from 1 to 65535, not `{text}`."


def test_procfile_line_without_a_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("# ours\n\nweb: serve\nno name here\n")
    with pytest.raises(
        StartError, match=r"^Procfile, line 4: expected `name: command`, found `no name here`$"
    ):
        read_procfile(tmp_path / "Procfile")


type Apart = tuple[subprocess.Popen[str], list[psutil.Process]]


def run_apart(folder: Path, environment: dict[str, str], line: str) -> Apart:
    """A supervisor in a process of its own, and all that it started."""
    (folder / "Procfile").write_text(line)
    command = [sys.executable, "-c", RUN, str(folder)]
    python_path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    popen = subprocess.Popen(
        command,
        env=environment | python_path,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_signals,
    )
    assert popen.stdout is not None
    assert popen.stdout.readline() == "started\n"
    return popen, psutil.Process(popen.pid).children(recursive=True)


def _heed_signals() -> None:
    """The tests may run under `nohup` or in the background of a shell: children then ignore these."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_everything_with_exit_code_0(
    tmp_path: Path, elsewhere: dict[str, str], number: signal.Signals
) -> None:
    del elsewhere["REDIS_URL"]
    popen, children = run_apart(tmp_path, elsewhere, SLEEPER)
    popen.send_signal(number)
    assert popen.wait(20) == 0
    assert len(children) == 2
    assert all_gone(children)


def test_grandchildren_end_with_their_program(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    popen, _ = run_apart(tmp_path, elsewhere, BEARER)
    assert popen.stdout is not None
    assert popen.stdout.readline() == "parent   | born\n"
    assert eventually(lambda: len(psutil.Process(popen.pid).children(recursive=True)) == 2)
    children = psutil.Process(popen.pid).children(recursive=True)
    popen.terminate()
    assert popen.wait(20) == 0
    assert all_gone(children)


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels don't end children with their parent")
def test_killed_supervisor_takes_everything_with_it(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    del elsewhere["REDIS_URL"]
    popen, children = run_apart(tmp_path, elsewhere, SLEEPER)
    popen.kill()
    popen.wait()
    assert len(children) == 2
    assert eventually(lambda: all_gone(children))
