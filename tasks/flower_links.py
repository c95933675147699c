"""The ways between the admin and Flower, which are two servers: usually two ports of one machine."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.http import HttpRequest

_THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}
_JOB = re.compile(r" · job (\d+)\W*$")  # how `queueing.send_hint` ends what stands for the arguments


def to_flower(request: HttpRequest, path: str = "/") -> str:
    """Address in Flower, for whoever looks at the admin with this request."""
    return _as_called(settings.FLOWER_URL, request.get_host()) + path


def to_task(request: HttpRequest, task_id: str) -> str:
    """Address of a task in Flower."""
    return to_flower(request, f"/task/{quote(task_id, safe='')}")


def to_site(host: str, path: str) -> str:
    """Address in the shop or its admin, for whoever looks at Flower at this `host`, port included or not."""
    return _as_called(settings.SITE_URL, host) + path


def job_of(kwargs: str | None) -> int | None:
    """Number of the job that a task looks at, by what Flower and the history show as its arguments.

    >>> job_of("'Import 12: lines 1–20,000 · job 34'")
    34
    """
    found = _JOB.search(kwargs or "")
    return int(found[1]) if found else None


def _as_called(url: str, host: str) -> str:
    """`url` by the name that the visitor has for this machine: a browser's cookies of `localhost` are not
    those of 127.0.0.1, so whoever came by the one name is a stranger at the other."""
    at, called = urlsplit(url), urlsplit(f"//{host}").hostname
    if not (at.hostname in _THIS_MACHINE and called in _THIS_MACHINE):
        return url
    name = f"[{called}]" if ":" in called else called
    return at._replace(netloc=f"{name}:{at.port}" if at.port else name).geturl()
