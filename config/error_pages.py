"""The pages for what goes wrong: 400, 403, 429 and 500, in the shop's look.

They need nothing that may be what went wrong: no database, no session, no context processors. They are in the
reader's language as far as that can be told; where even that fails, in plain English.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import format_html
from django.utils.translation import gettext_noop as _

log = structlog.get_logger(__name__)

# By status, title and text; marked here, translated when they are shown.
_TOLD = {
    400: (
        _("This can't be understood"),
        _(
            "What your browser sent is damaged or too large, so nothing was done. Go back, load the page"
            " anew and try once more."
        ),
    ),
    403: (
        _("This page is not for you"),
        _("Your account may not open it. Log in with another one, or ask whoever runs the shop."),
    ),
    429: (
        _("That was too often"),
        _("So many attempts in so short a time may be somebody who guesses. Wait a few minutes, then go on."),
    ),
    500: (
        _("Something went wrong here"),
        _(
            "It was not your fault, and we know of it. Try again in a few minutes. If you have just ordered"
            " or paid, look for our mail first: it may have worked."
        ),
    ),
}
_PLAIN = (
    '<!DOCTYPE html><html lang="en"><title>{0}</title><h1>{0}</h1><p>{1}</p><p><a href="/">{2}</a></p></html>'
)


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """What Django answers to a request that no view should see: damaged, too large, for another host."""
    return _answer(request, 400)


def permission_denied(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """Somebody asks for what only others may."""
    return _answer(request, 403)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """What allauth answers to whoever tries too often."""
    return _answer(request, 429)


def server_error(request: HttpRequest) -> HttpResponse:
    """A view, or something before it, failed. The log has the reason; the page has none of it."""
    return _answer(request, 500)


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    try:
        with translation.override(_language(request)):
            page = _page(status)
    except Exception:
        log.exception("the page of an error could not be rendered", status=status)
        page = format_html(_PLAIN, *_TOLD[status], settings.SHOP_NAME)
    return HttpResponse(page, status=status)


def _language(request: HttpRequest) -> str:
    """As the middleware found it, or, where something failed before that, as cookie and browser say."""
    return getattr(request, "LANGUAGE_CODE", "") or translation.get_language_from_request(request)


def _page(status: int) -> str:
    title, text = (translation.gettext(said) for said in _TOLD[status])
    context = {
        "title": title,
        "text": text,
        "shop_name": settings.SHOP_NAME,
        "language": translation.get_language(),
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
    }
    return render_to_string("error.html", context)  # without the request: no context processor runs
