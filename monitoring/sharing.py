"""Where the processes of one web server count together: a folder of that server, in the machine's own /tmp.

prometheus_client keeps counts in files there (its multiprocess mode). A server that ends takes its counts
along, as Prometheus expects; one of its processes that is replaced does not.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def share() -> None:
    """Have the counts of this process shared with those of its siblings. Before prometheus_client is loaded;
    a folder that the environment names stays."""
    if os.environ.get(VARIABLE):
        return
    mine = _folder() / f"{os.getppid()}-{_started(os.getppid())}"
    try:
        mine.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return  # nowhere to write: each process tells of itself alone
    os.environ[VARIABLE] = str(mine)
    for other in mine.parent.iterdir():
        pid, _, started = other.name.partition("-")
        if pid.isdecimal() and _started(int(pid)) != started:
            shutil.rmtree(other, ignore_errors=True)


def _folder() -> Path:
    return Path(tempfile.gettempdir()) / f"tallyman-metrics-{os.getuid()}"


def _started(pid: int) -> str:
    """When the process began, in words that no other of its number shares; blank for one that is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    with suppress(OSError):
        os.kill(pid, 0)
        return "alive"  # where there is no /proc
    return ""
