"""Where the mail provider tells what became of mails: `POST /webhooks/mail/`, by anymail's own checks.

Only the provider in use is listened to, and only what it signed, or what knows the secret of the address.
"""

from __future__ import annotations

import structlog
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

log = structlog.get_logger(__name__)

MAX_BYTES = 1_048_576  # some send hundreds of events at a time
# What each provider signs with; any of these settings of anymail makes its view check signatures.
_SIGNED = {
    "mailgun": ("MAILGUN_WEBHOOK_SIGNING_KEY", "MAILGUN_API_KEY"),
    "mandrill": ("MANDRILL_WEBHOOK_KEY",),
    "mailersend": ("MAILERSEND_SIGNING_SECRET",),
    "mailtrap": ("MAILTRAP_TRACKING_SECRET",),
    "postal": ("POSTAL_WEBHOOK_KEY",),
    "resend": ("RESEND_SIGNING_SECRET",),
    "sendgrid": ("SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY",),
    "unisender_go": ("UNISENDER_GO_API_KEY",),
}


def is_verified() -> bool:
    """Whether what comes in is checked: by the provider's signature, or by a secret in the address."""
    names = ("WEBHOOK_SECRET", *_SIGNED.get(settings.EMAIL_PROVIDER, ()))
    return any(settings.ANYMAIL.get(name) for name in names)


@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def webhook(request: HttpRequest) -> HttpResponseBase:
    """Take the provider's events. 200: recorded, now or before; 400: not the provider's word; 404: there is
    no provider; 413: too long; 503: nothing is set that it could be checked by."""
    if not settings.EMAIL_PROVIDER:
        raise Http404("No mail provider is in use that tells anything.")
    if not is_verified():
        log.error("webhook of the mail provider refused: nothing is set to check it by")
        return HttpResponse("Not set up.\n", status=503, content_type="text/plain")
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > MAX_BYTES:
        return HttpResponse("Too long.\n", status=413, content_type="text/plain")
    # Only here, so that nobody else loads anymail.
    from notifications import tracking

    tracking.connect()
    try:
        view = resolve(f"/{settings.EMAIL_PROVIDER}/tracking/", "anymail.urls").func
    except Resolver404:
        raise Http404(f"{settings.EMAIL_PROVIDER} has no webhooks.") from None
    return view(request)
