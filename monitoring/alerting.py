"""Alerts for those without Prometheus: what is not well for a while is told once, and once that it is over.

    bad ── for ALERT_AFTER_SECONDS ──→ raised, told ── well for ALERT_CLEAR_SECONDS ──→ cleared, told

Every process that has a heartbeat looks, and of all of them one at a time, so that none is missed by itself
alone. What comes and goes has to be well for longer each time before it counts as over: no storm of mails.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from monitoring import health
from monitoring.health import Finding
from monitoring.models import Alert, Heartbeat, Watch
from monitoring.signals import alert_cleared, alert_raised

log = structlog.get_logger(__name__)

_LONGEST_CLEARING = 3600.0  # seconds
_ONE_ROW = 1


def look() -> bool:
    """Make all checks and raise or clear what that calls for; False when somebody else has just done it.

    Raises DatabaseError. Call it outside of transactions.
    """
    if not _is_my_turn():
        return False
    settle(health.look())
    return True


def _is_my_turn() -> bool:
    """Whoever moves the time on. A time in the future is from a clock that was set back."""
    Watch.objects.bulk_create([Watch(pk=_ONE_ROW, looked_at=Now() - _HOUR)], ignore_conflicts=True)
    interval = timedelta(seconds=settings.HEARTBEAT_SECONDS * 0.8)
    due = Watch.objects.filter(pk=_ONE_ROW).exclude(looked_at__range=(Now() - interval, Now() + interval))
    return bool(due.update(looked_at=Now()))


_HOUR = timedelta(hours=1)


@transaction.atomic
def settle(findings: Iterable[Finding]) -> None:
    """Write down what these findings mean for the alerts, and announce what begins and ends."""
    Watch.objects.select_for_update().filter(pk=_ONE_ROW).first()  # one at a time
    now = _now()
    bad = _by_alert(findings)
    for alert in Alert.objects.filter(cleared_at=None):
        found = bad.pop(alert.check_name, None)
        if found is not None:
            _goes_on(alert, found, now)
        elif alert.raised_at is None:
            alert.delete()
        elif (now - alert.bad_at).total_seconds() >= _clearing(alert):
            _clear(alert, now)
    for name, found in bad.items():
        Alert.objects.create(
            check_name=name, figure=_figure(found), remedy=found[0].remedy, section=found[0].section,
            began_at=now, bad_at=now,
        )  # fmt: skip


def _now() -> datetime:
    """By the database's clock, which all who look share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        [(now,)] = cursor.fetchall()
    return now


def _by_alert(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    bad: dict[str, list[Finding]] = defaultdict(list)
    for one in findings:
        if not one.ok:
            bad[one.alert].append(one)
    return bad


def _figure(found: list[Finding]) -> str:
    if len(found) == 1 and found[0].name == found[0].alert:
        return found[0].figure
    alike: dict[str, list[str]] = defaultdict(list)
    for one in found:
        alike[one.figure].append(one.name)
    return "; ".join(f"{', '.join(names)}: {figure}" for figure, names in alike.items())


def _goes_on(alert: Alert, found: list[Finding], now: datetime) -> None:
    alert.figure, alert.remedy, alert.section = _figure(found), found[0].remedy, found[0].section
    alert.bad_at = now
    is_new = alert.raised_at is None and abs(now - alert.began_at) >= _patience(alert)
    if is_new:
        alert.raised_at = now
    alert.save()
    if is_new:
        log.error("alert raised", **_told(alert))
        alert_raised.send(sender=Alert, alert=alert)


def _patience(alert: Alert) -> timedelta:
    """For how long it must be bad. Longer while processes have only just begun: at a start, or a deploy, some
    are always missing."""
    grace = timedelta(seconds=settings.ALERT_GRACE_SECONDS)
    if Heartbeat.objects.filter(started_at__gt=alert.began_at - grace).exists():
        return grace
    return timedelta(seconds=settings.ALERT_AFTER_SECONDS)


def _clearing(alert: Alert) -> float:
    """For how long it must be well: twice as long for each time that it was raised in the day before."""
    since = Now() - timedelta(days=1)
    earlier = Alert.objects.filter(check_name=alert.check_name, raised_at__gt=since).exclude(pk=alert.pk)
    seconds: float = settings.ALERT_CLEAR_SECONDS * 2 ** min(20, earlier.count())
    return max(settings.ALERT_CLEAR_SECONDS, min(_LONGEST_CLEARING, seconds))


def _clear(alert: Alert, now: datetime) -> None:
    alert.cleared_at = now
    alert.save()
    log.info("alert cleared", **_told(alert))
    alert_cleared.send(sender=Alert, alert=alert)


def _told(alert: Alert) -> dict[str, Any]:
    return {
        "check": alert.check_name,
        "figure": alert.figure,
        "remedy": alert.remedy,
        "docs": health.docs_url(alert.section),
    }
