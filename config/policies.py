"""Content-Security-Policies of pages that need one of their own; all others have that of the storefront."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

type Answer = Callable[[HttpRequest], HttpResponse]


def own_policies(answer: Answer) -> Answer:
    """Middleware, inside Django's: say of the admin's pages, and of the QR code's, which policy they have."""

    def with_policy(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        if match := request.resolver_match:
            if "admin" in match.namespaces:
                response._csp_config = settings.ADMIN_CSP  # type: ignore[attr-defined]
            elif match.url_name == "mfa_activate_totp":
                response._csp_config = settings.QR_CSP  # type: ignore[attr-defined]
        return response

    return with_policy
