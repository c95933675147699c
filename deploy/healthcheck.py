"""Whether the process of this container does its work: `python deploy/healthcheck.py web|worker|beat|flower`.

Exit code 0 or 1, and a line that says why. A container's health check asks every few seconds, so it must not
cost what a worker's start costs: it does without Django, and is no module of `config`, which loads Celery.
"""

from __future__ import annotations

import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

_SECONDS = 5
_PATIENCE = "12"  # of heartbeats, as in the settings
_HEARTBEAT = """
SELECT extract(epoch FROM clock_timestamp() - max(seen_at))::float8
FROM monitoring_heartbeat
WHERE role = %s AND split_part(split_part(name, '@', 2), '/', 1) = %s
"""


class UnwellError(Exception):
    """The message says what is not well."""


def web() -> str:
    """The web server lives; whether all is well besides, `/readyz` knows."""
    return _answer(f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz", {200})


def flower() -> str:
    """Flower's doorman answers: it turns away whoever has not logged in."""
    prefix = urlsplit(os.environ.get("FLOWER_URL", "")).path.rstrip("/")
    return _answer(f"http://127.0.0.1:{os.environ.get('FLOWER_PORT', '5555')}{prefix}/healthcheck", {401})


def heartbeat(role: str) -> str:
    """The process of this role on this host was heard of; raises UnwellError when not, or not lately."""
    import psycopg

    host = socket.gethostname()
    patience = float(os.environ.get("HEARTBEAT_PATIENCE_SECONDS") or _PATIENCE)
    address = urlsplit(os.environ["DATABASE_URL"])._replace(scheme="postgresql").geturl()
    try:
        with psycopg.connect(address, connect_timeout=_SECONDS) as connection:
            [(age,)] = connection.execute(_HEARTBEAT, [role, host]).fetchall()
    except psycopg.Error as error:
        raise UnwellError(f"the database can't be asked for heartbeats: {error}") from None
    if age is None:
        raise UnwellError(f"no {role} of host {host} has been heard of")
    if age > patience:
        raise UnwellError(f"the {role} of host {host} was last heard of {age:,.0f} s ago")
    return f"heard of {age:,.1f} s ago"


def _answer(url: str, expected: set[int]) -> str:
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as response:  # noqa: S310 - our own, http
            status = response.status
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError as error:
        raise UnwellError(f"{url} does not answer: {error}") from None
    if status not in expected:
        raise UnwellError(f"{url} answers {status}")
    return f"{url} answers {status}"


def main(arguments: list[str]) -> int:
    """Exit code: 0 well, 1 not well, 2 for a process that is not known."""
    checks: dict[str, Callable[[], str]] = {
        "web": web,
        "flower": flower,
        "worker": partial(heartbeat, "worker"),
        "beat": partial(heartbeat, "beat"),
    }
    if len(arguments) != 1 or arguments[0] not in checks:
        print("usage: python deploy/healthcheck.py web|worker|beat|flower", file=sys.stderr)
        return 2
    try:
        print(checks[arguments[0]]())
    except UnwellError as unwell:
        print(unwell)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
