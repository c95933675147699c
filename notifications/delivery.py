"""What becomes of one message: reserved → being sent → recorded, each step guarded by a round's claim.

    queued ─┬→ sending ─┬→ sent
            │           ├→ failed                    refused for good (5xx), or an address that can't be
            ├───────────┼→ queued, try again later   refused for now (4xx), nobody answers
            └───────────┴→ uncertain, try again      the connection broke after the text was handed over

    suppressed: it must not be sent any more.

`due_at` says when it is tried (again); it is empty when it is not. A round takes a few due messages for
itself (`reserve`: its claim's token is on them), marks one as being sent and commits (`begin`), hands it
over, and records the answer, in the transaction that marks the next one. So a worker that vanishes leaves one
message in `sending` at most. The token counts as long as its job's lease does; then the next round takes over
what is left: what was only reserved as if nothing had been, what is found in `sending` as *uncertain*.

SMTP can't be exactly-once: after the text's final dot, a lost connection doesn't tell whether the provider
took it. We send again rather than lose a mail, always with the same Message-ID, and count those attempts.
"""

from __future__ import annotations

import re
from email.utils import format_datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from psycopg.types.json import Jsonb

from notifications.models import Message
from notifications.transport import NotSent
from tasks import claiming
from tasks.claiming import Claim, LeaseLost

# A round's token is on what it has taken; it counts while the round's job is its own.
_IS_FREE = """
due_at <= statement_timestamp() + make_interval(secs => %(ahead)s)
AND state IN ('queued', 'sending', 'uncertain')
AND (lease_token IS NULL OR NOT EXISTS (
    SELECT FROM tasks_job j
    WHERE j.state = 'running' AND j.lease_until > statement_timestamp() AND j.lease_token = m.lease_token
))
"""

_RESERVE = f"""
UPDATE notifications_message SET
    lease_token = %(token)s,
    doubtful_attempts = doubtful_attempts + CASE WHEN state = 'sending' THEN 1 ELSE 0 END,
    state = CASE WHEN state = 'sending' THEN 'uncertain' ELSE state END
WHERE id IN (
    SELECT id FROM notifications_message m
    WHERE {_IS_FREE}
    ORDER BY due_at, id LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING id, kind, created_at, due_at, attempts
"""

_NEXT = f"""
SELECT extract(epoch FROM due_at - statement_timestamp()) FROM notifications_message m
WHERE {_IS_FREE}
ORDER BY due_at, id LIMIT 1
"""

# Its row is not waited for: somebody who changes it may himself wait for the one recorded before.
_BEGIN = """
UPDATE notifications_message m SET
    state = 'sending', attempts = attempts + 1,
    message_id = CASE WHEN headers = '{}' THEN %(message_id)s ELSE message_id END,
    headers = CASE WHEN headers = '{}' THEN %(headers)s ELSE headers END
WHERE id = (
    SELECT id FROM notifications_message
    WHERE id = %(id)s AND lease_token = %(token)s AND state IN ('queued', 'uncertain')
    FOR NO KEY UPDATE SKIP LOCKED
) AND EXISTS (
    SELECT FROM tasks_job
    WHERE id = %(job)s AND lease_token = %(token)s AND lease_until > statement_timestamp()
)
RETURNING *
"""


def reserve(claim: Claim, *, limit: int) -> list[Message]:
    """Take up to `limit` due messages for this round, the longest due first.

    They have no content yet: `begin` reads it, as it is by then.
    """
    found = Message.objects.raw(_RESERVE, {"token": claim.token, "limit": limit, "ahead": 0})
    return sorted(found, key=lambda message: (message.due_at, message.pk))


def begin(claim: Claim, reserved: Message) -> Message | None:
    """Mark a reserved message as being sent, and fix its headers at the first attempt; None for one that must
    not be sent any more, or is being changed just now.

    Raises LeaseLost when this round has been taken for lost.
    """
    message_id = f"<message-{reserved.pk}.{reserved.kind}@{_domain()}>"
    values = {
        "id": reserved.pk,
        "job": claim.job.pk,
        "token": claim.token,
        "message_id": message_id,
        "headers": Jsonb(headers(reserved, message_id)),
    }
    for message in Message.objects.raw(_BEGIN, values):
        return message
    if not claiming.extend(claim):
        raise LeaseLost(f"job {claim.job.pk} is no longer ours")
    return None


def record_sent(claim: Claim, message: Message, answer: str) -> None:
    """The provider took it. Raises LeaseLost when another round has taken it over meanwhile."""
    _record(claim, message, state=Message.State.SENT, sent_at=Now(), answer=answer, error="", due_at=None)


def record_failure(claim: Claim, message: Message, error: NotSent) -> None:
    """The provider did not take it, or may have: when it is tried again, or how it ends."""
    doubtful = message.doubtful_attempts + error.ambiguous
    if error.permanent or message.attempts >= settings.MAIL_ATTEMPTS:
        state, due_at = (Message.State.UNCERTAIN if doubtful else Message.State.FAILED), None
    else:
        state = Message.State.UNCERTAIN if error.ambiguous else Message.State.QUEUED
        due_at = Now() + claiming.pause(message.attempts)
    _record(claim, message, state=state, doubtful_attempts=doubtful, error=str(error), due_at=due_at)


def give_up_lost(claim: Claim, reserved: Message) -> bool:
    """End a message whose last allowed attempt ended without a word; False for one that may be tried."""
    if reserved.attempts < settings.MAIL_ATTEMPTS:
        return False
    error = f"Gave up after {reserved.attempts} attempts; in the last one its worker vanished."
    _mine(claim).filter(pk=reserved.pk).update(
        state=Message.State.UNCERTAIN, error=error, due_at=None, lease_token=None
    )
    return True


def release(claim: Claim) -> None:
    """Let other rounds have what this one reserved and did not begin."""
    _mine(claim).exclude(state=Message.State.SENDING).update(lease_token=None)


def seconds_to_next() -> float | None:
    """Until the next message is due that no round has taken: 0 when one is already, None when none is within
    a day."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"ahead": 86_400})
        row = cursor.fetchone()
    return None if row is None else max(0.0, float(row[0]))


def _record(claim: Claim, message: Message, **values: object) -> None:
    begun = _mine(claim).filter(pk=message.pk, state=Message.State.SENDING)
    if not begun.update(lease_token=None, **values):
        raise LeaseLost(f"message {message.pk} was taken over by another round")


def _mine(claim: Claim) -> QuerySet[Message]:
    return Message.objects.filter(lease_token=claim.token)


def headers(message: Message, message_id: str) -> dict[str, str]:
    """Those of a message beside its subject and recipient, by its kind and when it was written."""
    return {
        "From": settings.DEFAULT_FROM_EMAIL,
        "Reply-To": settings.SHOP_EMAIL,
        "Date": format_datetime(message.created_at),
        "Message-ID": message_id,
        "Auto-Submitted": "auto-generated",  # keeps out-of-office answers away
    }


def _domain() -> str:
    """The site's host name; `localhost` for one that a Message-ID can't hold, such as an IPv6 address."""
    host = urlsplit(settings.SITE_URL).hostname or ""
    return host if re.fullmatch(r"[a-z0-9.-]+", host) else "localhost"
