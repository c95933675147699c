"""The admin's own Content-Security-Policy; all other pages have that of the storefront."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

type Answer = Callable[[HttpRequest], HttpResponse]


def admin_policy(answer: Answer) -> Answer:
    """Middleware, inside Django's: say of the admin's pages which policy they have."""

    def with_policy(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        if request.resolver_match and "admin" in request.resolver_match.namespaces:
            response._csp_config = settings.ADMIN_CSP  # type: ignore[attr-defined]
        return response

    return with_policy
