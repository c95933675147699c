"""Middleware that times each answer: `X-Response-Time`, a warning for slow ones, and figures by route."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger(__name__)

type Answer = Callable[[HttpRequest], HttpResponse]


def timing(answer: Answer) -> Answer:
    """Time from the request's arrival until its answer begins: of a stream, its first bytes. `X-Request-ID`
    names the request in the logs."""
    count = _counter()

    def timed(request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = answer(request)
        seconds = time.perf_counter() - began
        response.headers["X-Response-Time"] = f"{seconds * 1000:.1f}ms"
        if request_id := structlog.contextvars.get_contextvars().get("request_id"):
            request.request_id = response.headers["X-Request-ID"] = request_id  # type: ignore[attr-defined]
        count(request, response.status_code, seconds)
        if seconds >= settings.SLOW_REQUEST_SECONDS:
            _warn(request, response.status_code, seconds)
        return response

    return timed


def _counter() -> Callable[[HttpRequest, int, float], None]:
    if not settings.METRICS_ENABLED:
        return lambda request, status, seconds: None
    from monitoring import counting  # a few MB that are for the web server alone

    def count(request: HttpRequest, status: int, seconds: float) -> None:
        counting.count(method=request.method, route=route_of(request), status=status, seconds=seconds)

    return count


def route_of(request: HttpRequest) -> str:
    """The name of what answered, such as `shop:order`; not the address, which may name a person or let its
    reader in."""
    match = request.resolver_match
    return str(match.view_name) if match else "unmatched"


def _warn(request: HttpRequest, status: int, seconds: float) -> None:
    route = route_of(request)
    log.warning("slow request", method=request.method, route=route, status=status, seconds=round(seconds, 3))
