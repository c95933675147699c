"""A web server as in the Procfile, for the benchmarks that ask it."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

from bench.servers import started

_START_SECONDS = 60.0


@contextmanager
def web(folder: Path, *, processes: int = 1, variables: Mapping[str, str] | None = None) -> Iterator[str]:
    """Its address, once it answers; stopped in the end. `variables` are added to its environment."""
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    own = {**(variables or {}), "PORT": str(port), "WEB_CONCURRENCY": str(processes)}
    server = started("web", folder, ready="Listening at", **own)
    try:
        _wait_until_it_answers(address)
        yield address
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(address: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with suppress(OSError), urlopen(f"{address}/healthz", timeout=2):  # noqa: S310 - our own
            return
        if time.monotonic() > deadline:
            sys.exit("The web server does not answer.")
        time.sleep(0.1)
