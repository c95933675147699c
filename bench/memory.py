"""The most memory that a process ever held."""

from __future__ import annotations

from pathlib import Path

import psutil


def peak_bytes(pid: int) -> int:
    """Largest resident set of a process so far (where the kernel does not tell: now); 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        return _now(pid)


def peak_of_tree(pid: int) -> int:
    """The largest of a process and all below it."""
    try:
        pids = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return 0
    return max(map(peak_bytes, pids))


def _now(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
