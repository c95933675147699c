"""Middleware that answers `/healthz` and `/readyz`, before anything that could need a database does its part.

Whoever probes often names the machine by its address, which ALLOWED_HOSTS has no reason to know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from monitoring import health

type Answer = Callable[[HttpRequest], HttpResponse]


def probes(answer: Answer) -> Answer:
    """`/healthz`: 200, this process lives. `/readyz`: 200 if all is well, else 503; JSON, within a second.

    `/readyz?check=database&check=migrations` makes only those.
    """

    def probe(request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            return HttpResponse("ok\n", content_type="text/plain")
        if request.path_info == "/readyz":
            return _readiness(request.GET.getlist("check"))
        return answer(request)

    return probe


def _readiness(only: list[str]) -> HttpResponse:
    if unknown := sorted(set(only) - set(health.names())):
        return JsonResponse(
            {"status": "unknown check", "unknown": unknown, "checks": health.names()}, status=400
        )
    found = health.findings(only)
    is_ready = all(one.ok for one in found)
    told = {"status": "ready" if is_ready else "not ready", "checks": [_told(one) for one in found]}
    response = JsonResponse(told, status=200 if is_ready else 503, json_dumps_params={"indent": 1})
    response.headers["Cache-Control"] = "no-store"
    response._has_been_logged = True  # type: ignore[attr-defined]  # not a line at every look; alerts have one
    return response


def _told(finding: health.Finding) -> dict[str, Any]:
    told: dict[str, Any] = {"name": finding.name, "ok": finding.ok, "figure": finding.figure}
    if not finding.ok:
        told |= {"remedy": finding.remedy, "docs": finding.docs}
    return told
