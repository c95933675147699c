"""Whether the mail provider may be asked now, and how fast: one row a provider, which all workers share.

    answers ── failed connections in a row: MAIL_FAILURES ──→ paused ── its time is over ──→ one worker tries
       ↑                                                         ↑                          │           │
       └──────────────── it answers ─────────────────────────────┼──────────────────────────┘           │
                                                                 └──── longer ── it does not answer ────┘

PostgreSQL holds it and its clock counts: nothing here needs Redis.
"""

from __future__ import annotations

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.formats import date_format

from notifications import transport
from notifications.models import Circuit

log = structlog.get_logger(__name__)

_LONGEST_PAUSE = 60.0  # seconds; a provider that is back is noticed that soon

_PAUSED = """
SELECT greatest(0, extract(epoch FROM paused_until - statement_timestamp())) FROM notifications_circuit
WHERE provider = %(provider)s AND failures >= %(limit)s
"""

# Whoever comes first after a pause prolongs it for all others, and tries.
_ADMIT = f"""
WITH tried AS (
    UPDATE notifications_circuit
    SET paused_until = statement_timestamp() + make_interval(secs => %(patience)s)
    WHERE provider = %(provider)s AND failures >= %(limit)s AND paused_until <= statement_timestamp()
    RETURNING 0.0 AS seconds
)
SELECT seconds FROM tried
UNION ALL
{_PAUSED.strip()} AND NOT EXISTS (SELECT FROM tried)
"""

_FAILED = """
INSERT INTO notifications_circuit AS c (provider, failures, failing_since, error)
VALUES (%(provider)s, 1, statement_timestamp(), %(error)s)
ON CONFLICT (provider) DO UPDATE SET
    failures = c.failures + 1, error = excluded.error,
    failing_since = coalesce(c.failing_since, statement_timestamp()),
    paused_until = CASE WHEN c.failures + 1 >= %(limit)s THEN statement_timestamp() + make_interval(
        secs => least(%(longest)s, %(pause)s * 2 ^ least(20, c.failures + 1 - %(limit)s))
              * (0.8 + 0.2 * random())
    ) END
RETURNING failures
"""

_ANSWERED = """
UPDATE notifications_circuit SET failures = 0, failing_since = NULL, paused_until = NULL
WHERE provider = %s AND failures > 0
"""

_SLOT = """
INSERT INTO notifications_circuit AS c (provider, failures, error, next_slot)
VALUES (%(provider)s, 0, '', statement_timestamp() + make_interval(secs => %(step)s))
ON CONFLICT (provider) DO UPDATE SET
    next_slot = greatest(c.next_slot, statement_timestamp()) + make_interval(secs => %(step)s)
    WHERE c.next_slot IS NULL OR c.next_slot <= statement_timestamp() + make_interval(secs => %(within)s)
RETURNING extract(epoch FROM next_slot - statement_timestamp()) - %(step)s
"""


def paused_for() -> float:
    """Seconds in which nobody may ask the provider; 0 when somebody may."""
    return _one(_PAUSED, limit=settings.MAIL_FAILURES) or 0.0


def admit() -> float:
    """As `paused_for`, for one who is about to connect: after a pause only the first gets a 0. It tries for
    all, and the others wait for what it finds."""
    patience = _LONGEST_PAUSE + (settings.EMAIL_TIMEOUT or 0)
    return _one(_ADMIT, limit=settings.MAIL_FAILURES, patience=patience) or 0.0


def failed(error: str) -> None:
    """Count a connection that failed, or broke off."""
    failures = _one(
        _FAILED,
        error=error,
        limit=settings.MAIL_FAILURES,
        pause=settings.MAIL_PAUSE_SECONDS,
        longest=_LONGEST_PAUSE,
    )
    log.warning("the mail provider fails", provider=transport.provider(), in_a_row=failures, error=error)


def answered() -> None:
    """The provider has said something to a mail, if only no: it is there."""
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED, [transport.provider()])
        if cursor.rowcount:
            log.info("the mail provider answers again", provider=transport.provider())


def told() -> str:
    """For people: since when the provider fails and why, if it does."""
    row = Circuit.objects.filter(provider=transport.provider(), failures__gte=settings.MAIL_FAILURES).first()
    if row is None or row.failing_since is None:
        return ""
    since = date_format(timezone.localtime(row.failing_since), "DATETIME_FORMAT")
    return f"Waits for the mail provider, which has failed since {since}. {row.error}"


class Pace:
    """One worker's places in the row that MAIL_RATE makes all of them stand in."""

    def __init__(self) -> None:
        self._left = 0

    def wait(self, *, within: float) -> float | None:
        """Seconds until the next mail may go; None, with no place taken, when it is not `within` so many.

        Of fast rates several places are taken at once: the row is locked twenty times a second at most.
        """
        if not settings.MAIL_RATE or self._left:
            self._left -= bool(self._left)
            return 0.0
        places = max(1, int(settings.MAIL_RATE / 20))
        found = _one(_SLOT, step=places / settings.MAIL_RATE, within=within)
        if found is None:
            return None
        self._left = places - 1
        return max(0.0, found)


def _one(statement: str, **values: float | str) -> float | None:
    """The one figure that the statement returns, if it returns any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, {"provider": transport.provider(), **values})
        row = cursor.fetchone()
    return None if row is None else float(row[0])
