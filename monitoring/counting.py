"""Requests, counted by the processes that answer them; their counts are added up when one is asked.

Loaded by the web server alone: prometheus_client takes some MB.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, multiprocess

from monitoring.sharing import VARIABLE

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

_own = CollectorRegistry()
_requests = Counter(
    "tallyman_http_requests", "Requests that were answered.", ["method", "route", "status"], registry=_own
)
_seconds = Histogram(
    "tallyman_http_request_seconds", "How long answers took.", ["method", "route"], registry=_own,
    buckets=_BUCKETS,
)  # fmt: skip
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def count(*, method: str | None, route: str, status: int, seconds: float) -> None:
    """Count an answer. Whoever asks can't make labels of his own: unknown methods are one."""
    method = method if method in _METHODS else "other"
    _requests.labels(method, route, str(status)).inc()
    _seconds.labels(method, route).observe(seconds)


def registry() -> CollectorRegistry:
    """The counts of all processes of this server."""
    if not os.environ.get(VARIABLE):
        return _own
    shared = CollectorRegistry()
    multiprocess.MultiProcessCollector(shared)
    return shared
