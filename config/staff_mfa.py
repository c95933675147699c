"""Where STAFF_MFA_REQUIRED says so: no page of the admin before a second factor was shown in this session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

_FREE = {"login", "logout", "jsi18n"}  # pages of the admin that tell nothing


def second_factor(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: lead staff to the page that asks for their second factor, or sets one up."""

    def guarded(request: HttpRequest) -> HttpResponse:
        return answer(request)

    def process_view(request: HttpRequest, *_: Any) -> HttpResponse | None:
        match = request.resolver_match
        if not settings.STAFF_MFA_REQUIRED or match is None or "admin" not in match.namespaces:
            return None
        user = request.user
        if match.url_name in _FREE or not (user.is_authenticated and user.is_staff) or is_enough(request):
            return None
        if is_mfa_enabled(user):
            query = urlencode({"next": request.get_full_path()})
            return HttpResponseRedirect(f"{reverse('mfa_reauthenticate')}?{query}")
        messages.info(request, "The admin needs a second factor. Set yours up here, then go back to it.")
        return HttpResponseRedirect(reverse("mfa_activate_totp"))

    guarded.process_view = process_view  # type: ignore[attr-defined] # which Django looks for
    return guarded


def is_enough(request: HttpRequest) -> bool:
    """Whether this session has shown as much as the settings ask of staff."""
    return not settings.STAFF_MFA_REQUIRED or _shown(request)


def _shown(request: HttpRequest) -> bool:
    return any(record["method"] == "mfa" for record in get_authentication_records(request, request.user))


def note_set_up(*, request: HttpRequest, user: Any, authenticator: Authenticator, **_: Any) -> None:
    """Who has just set one up has shown it."""
    if authenticator.type == Authenticator.Type.TOTP:
        record_authentication(request, user, method="mfa", id=authenticator.pk, type=authenticator.type)
