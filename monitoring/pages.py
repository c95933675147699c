"""`/metrics`, for Prometheus by its token and for staff who may see jobs."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """All figures; 403 for whoever has neither the token (`Authorization: Bearer …`) nor the permission."""
    if not settings.METRICS_ENABLED:
        raise Http404
    if not (_has_token(request) or request.user.has_perm("tasks.view_job")):
        raise PermissionDenied
    from monitoring.metrics import exposition

    text, content_type = exposition()
    return HttpResponse(text, content_type=content_type)


def _has_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token = settings.METRICS_TOKEN
    return bool(token) and constant_time_compare(given, token)
