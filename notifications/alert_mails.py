"""Mails to those who run the servers, from what monitoring tells: something is not well, and it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from monitoring import carrying, health
from monitoring.models import Alert
from monitoring.signals import alert_cleared, alert_raised
from notifications import kinds, messages, outbox, receivers
from notifications.kinds import Kind, Sample
from notifications.messages import Rendered

log = structlog.get_logger(__name__)

KIND = "alert"


def connect() -> None:
    """Listen to alerts, and register the kind; called once, when Django is ready."""
    alert_raised.connect(
        partial(_write, is_over=False), weak=False, dispatch_uid="notifications.alert_raised"
    )
    alert_cleared.connect(
        partial(_write, is_over=True), weak=False, dispatch_uid="notifications.alert_cleared"
    )
    carrying.carried_by(outbox.DELIVER)
    samples: dict[str, Sample] = {"Raised": partial(_sample, False), "Over": partial(_sample, True)}
    when = "A worker, beat, a disk, … is not well, and when it is again; to ALERT_MAIL_TO"
    kinds.register(Kind(KIND, "Alert", when, samples))


def _write(*, alert: Alert, is_over: bool, **_: Any) -> None:
    """One mail for each end of an alert, however often its transaction is tried."""
    subject = f"alert/{alert.pk}"
    outbox.write(
        kind=KIND,
        event=f"{subject}/{'cleared' if is_over else 'raised'}",
        about=subject,
        recipients=list(settings.ALERT_MAIL_TO) or receivers.staff_addresses(),
        content=_safely(alert, is_over),
    )


def _safely(alert: Alert, is_over: bool) -> Rendered:
    try:
        return told(alert, is_over=is_over)
    except DatabaseError:  # the transaction is lost, and the next look begins it again
        raise
    except Exception:  # whatever is wrong with a template, an alert must not be lost for it
        log.exception("the mail of an alert could not be rendered, sending a plain one", alert=alert.pk)
        subject = f"{'Well again' if is_over else 'Not well'}: {alert.title}"
        text = f"{subject}\n\n{alert.figure}\n{alert.remedy}\n{health.docs_url(alert.section)}\n"
        return Rendered(messages.one_line(subject), text, "")


def told(alert: Alert, *, is_over: bool, language: str = "") -> Rendered:
    """The mail; English, as all of staff's."""
    alerts = f"{settings.SITE_URL}{health.HANDBOOK.removesuffix('handbook/')}"
    return messages.render(
        KIND,
        {
            "is_over": is_over,
            "title": alert.title,
            "figure": alert.figure,
            "remedy": alert.remedy,
            "began": _spoken(alert.began_at),
            "ended": _spoken(alert.cleared_at),
            "url": alerts if is_over else health.docs_url(alert.section),
        },
        language=language,
    )


def _spoken(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at else ""


def _sample(is_over: bool, language: str) -> Rendered:
    now = timezone.now()
    alert = Alert(
        pk=12, check_name="workers", section="no-worker-on-a-queue",
        figure="worker imports, worker mail: no worker",
        remedy="Start a worker that has it among its --queues, or restart the one that is gone.",
        began_at=now - timedelta(minutes=7), raised_at=now, cleared_at=now if is_over else None,
    )  # fmt: skip
    return told(alert, is_over=is_over, language=language)
