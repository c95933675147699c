"""Where providers tell what happened: `POST /webhooks/<gateway>/`. Only what they signed is believed."""

from __future__ import annotations

import structlog
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from shop import gateways, provider_events
from shop.gateways import UnknownMethod
from shop.gateways.base import Forged, Provider
from shop.problems import Refused
from shop.transitions import NotAllowed

log = structlog.get_logger(__name__)

MAX_BYTES = 262_144


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, gateway: str) -> HttpResponse:
    """Record an event. 200: done, seen before, or of no interest; 400: not the provider's word, or stale;
    413: too long; 409 or 503: not now, send it again. Unless it is 200, nothing was recorded."""
    provider = _provider(gateway)
    body = request.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        return _said("The event is too long.", status=413)
    try:
        event = provider.verify(body=body, headers=request.headers)
        is_new = provider_events.record(gateway=gateway, event=event)
    except Forged as error:
        log.warning("webhook refused", gateway=gateway, error=str(error))
        return _said(str(error), status=400)
    except NotAllowed as error:
        log.warning("webhook can't be recorded yet", gateway=gateway, error=str(error))
        return _said(str(error), status=409)
    except Refused as error:
        return _said(str(error), status=503)
    return _said("Recorded." if is_new else "Recorded before.", status=200)


def _provider(code: str) -> Provider:
    """Switched off for customers or not: what they paid before may still be told of."""
    try:
        gateway = gateways.named(code)
    except UnknownMethod as error:
        raise Http404(str(error)) from None
    if not isinstance(gateway, Provider):
        raise Http404(f"{gateway.method.name} has no webhooks.")
    return gateway


def _said(text: str, *, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain")
