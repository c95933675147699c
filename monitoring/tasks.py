"""Alerts posted to a webhook, by jobs: tried again until it takes them, each end of an alert once."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings
from django.db import transaction

from monitoring import carrying, health
from monitoring.models import Alert
from monitoring.signals import alert_cleared, alert_raised
from tasks import claiming
from tasks.claiming import Claim, JobFailed
from tasks.queueing import NewJob, create
from tasks.registry import handles

POST = "monitoring.post"
_SECONDS = 10


def connect() -> None:
    """Listen to the alerts; called once, when Django is ready."""
    alert_raised.connect(_raised, dispatch_uid="monitoring.webhook.raised")
    alert_cleared.connect(_cleared, dispatch_uid="monitoring.webhook.cleared")
    carrying.carried_by(POST)


def _raised(*, alert: Alert, **_: Any) -> None:
    _announce(alert, "raised")


def _cleared(*, alert: Alert, **_: Any) -> None:
    _announce(alert, "cleared")


def _announce(alert: Alert, state: str) -> None:
    if settings.ALERT_WEBHOOK_URL:
        title = f"Alert {alert.pk} is {state}: {alert.check_name}, to the webhook"
        payload = {"alert": alert.pk, "state": state}
        create([NewJob(kind=POST, subject=f"alert/{alert.pk}", title=title, payload=payload)])


@handles(POST, queue="mail", max_attempts=20)
def post(claim: Claim) -> None:
    """Post one end of an alert, outside of any transaction. A killed worker's is posted again: the receiver
    knows it by `id` and `state`."""
    alert = Alert.objects.filter(pk=claim.payload["alert"]).first()
    if alert is not None and settings.ALERT_WEBHOOK_URL:
        _post(settings.ALERT_WEBHOOK_URL, body(alert, claim.payload["state"]))
    with transaction.atomic():
        claiming.complete(claim)


def body(alert: Alert, state: str) -> dict[str, Any]:
    """What is posted; `text` is what Slack, Mattermost and others show."""
    docs = health.docs_url(alert.section)
    ends = f"{settings.SHOP_NAME}: {alert.title}" + (" – well again" if state == "cleared" else "")
    text = f"{ends}\n{alert.figure}" + (f"\n{alert.remedy}\n{docs}" if state == "raised" else "")
    ended = alert.cleared_at.isoformat() if state == "cleared" and alert.cleared_at else None
    return {
        "id": alert.pk, "state": state, "check": alert.check_name, "title": alert.title,
        "figure": alert.figure, "remedy": alert.remedy, "docs": docs, "site": settings.SITE_URL,
        "began_at": alert.began_at.isoformat(), "cleared_at": ended, "text": text,
    }  # fmt: skip


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _post(url: str, told: dict[str, Any]) -> None:
    """Raises JobFailed; its words name no address, for those of webhooks let their reader write there."""
    request = Request(  # noqa: S310 - the address is a setting of whoever runs this
        url, json.dumps(told).encode(), {"Content-Type": "application/json", "User-Agent": "Tallyman"}
    )
    try:
        with build_opener(_NoRedirects).open(request, timeout=_SECONDS):
            pass
    except HTTPError as error:
        is_final = 400 <= error.code < 500 and error.code not in (408, 429)
        raise JobFailed(
            f"The webhook answered {error.code}. Mend ALERT_WEBHOOK_URL.", permanent=is_final
        ) from None
    except OSError as error:
        reason = getattr(error, "reason", None) or error
        raise JobFailed(
            f"The webhook of ALERT_WEBHOOK_URL does not answer: {type(reason).__name__}."
        ) from None
