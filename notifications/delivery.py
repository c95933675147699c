"""What becomes of one message: reserved → being sent → recorded, each step guarded by a round's claim.

    queued ─┬→ sending ─┬→ sent
            │           ├→ failed                    refused for good (5xx), or an address that can't be
            ├───────────┼→ queued, try again later   refused for now (4xx), nobody answers
            └───────────┴→ uncertain, try again      the connection broke after the text was handed over

    suppressed: it must not be sent any more. Each attempt's end is kept by a trigger (`MessageAttempt`).

`due_at` says when it is tried (again); it is empty when it is not. A round takes a few due messages for
itself (`reserve`: its claim's token is on them), marks one as being sent and commits (`begin`), hands it
over, and records the answer, in the transaction that marks the next one. So a worker that vanishes leaves one
message in `sending` at most. The token counts as long as its job's lease does; then the next round takes over
what is left: what was only reserved as if nothing had been, what is found in `sending` as *uncertain*.

SMTP can't be exactly-once: after the text's final dot, a lost connection doesn't tell whether the provider
took it. We send again rather than lose a mail, always with the same Message-ID, and count those attempts.
"""

from __future__ import annotations

import json
import re
import sys
from email.utils import format_datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from psycopg import Cursor
from psycopg.types.json import Jsonb

from notifications import holding
from notifications.models import Message
from notifications.transport import NotSent
from tasks import claiming
from tasks.claiming import Claim, LeaseLost

_CONTENT = (
    "id", "kind", "recipient", "subject", "text", "html", "attachment", "headers", "attempts",
    "doubtful_attempts",
)  # fmt: skip
_HEADERS = _CONTENT.index("headers")

_ONE_CLICK = "List-Unsubscribe=One-Click"  # RFC 8058: mail programs post this to the address


class Sent(NamedTuple):
    """A message that the provider has taken, with what it said."""

    message: Message
    answer: str


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
RETURNING id, kind, recipient, by, unsubscribe_url, created_at, due_at, attempts
"""

_NEXT = f"""
SELECT extract(epoch FROM due_at - statement_timestamp()) FROM notifications_message m
WHERE {_IS_FREE}
ORDER BY due_at, id LIMIT 1
"""

# One statement, so one way to the server and one commit a mail. The second part depends on the first: whoever
# may not record may not begin. The row to begin is not waited for: somebody who changes it may himself wait
# for the one that is recorded.
_STEP = """
WITH recorded AS (
    UPDATE notifications_message SET
        state = 'sent', sent_at = statement_timestamp(), answer = %(answer)s, error = '',
        due_at = NULL, lease_token = NULL
    WHERE id = %(sent)s AND lease_token = %(token)s AND state = 'sending'
    RETURNING id
), begun AS (
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
    ) AND (%(sent)s::bigint IS NULL OR EXISTS (SELECT FROM recorded))
    RETURNING id, kind, recipient, subject, text, html, attachment, headers::text AS headers, attempts,
        doubtful_attempts
)
SELECT EXISTS (SELECT FROM recorded) AS was_recorded, begun.* FROM (VALUES (1)) one LEFT JOIN begun ON true
"""


def reserve(claim: Claim, *, limit: int) -> list[Message]:
    """Take up to `limit` due messages for this round, the longest due first.

    They have no content yet: `begin` reads it, as it is by then.
    """
    found = Message.objects.raw(_RESERVE, {"token": claim.token, "limit": limit, "ahead": 0})
    return sorted(found, key=lambda message: (message.due_at, message.pk))


def without_held_back(claim: Claim, reserved: list[Message]) -> list[Message]:
    """Those of the reserved messages that may go out; ends the others, with the reason.

    What is held back later than this ends by `holding.hold_back`, and is not begun.
    """
    held = holding.due(reserved)
    for why in set(held.values()):
        keys = [key for key, told in held.items() if told == why]
        holding.end(_mine(claim).filter(pk__in=keys), why)
    return [message for message in reserved if message.pk not in held]


def begin(claim: Claim, reserved: Message, *, sent: Sent | None = None) -> Message | None:
    """Mark a reserved message as being sent, and fix its headers at the first attempt; returns it with its
    content, or None for one that must not be sent any more, or is being changed just now. What was `sent`
    before it is recorded with that.

    Raises LeaseLost when this round has been taken for lost.
    """
    message_id = f"<message-{reserved.pk}.{reserved.kind}@{_domain()}>"
    values = {
        "id": reserved.pk,
        "job": claim.job.pk,
        "token": claim.token,
        "message_id": message_id,
        "headers": Jsonb(headers(reserved, message_id)),
        "sent": sent.message.pk if sent else None,
        "answer": sent.answer if sent else "",
    }
    was_recorded, *begun = _prepared(_STEP, values)
    if sent and not was_recorded:
        raise LeaseLost(f"message {sent.message.pk} was taken over by another round")
    if begun[0] is not None:
        vars(reserved).update(zip(_CONTENT, begun, strict=True), headers=json.loads(begun[_HEADERS]))
        return reserved
    if not claiming.extend(claim):
        raise LeaseLost(f"job {claim.job.pk} is no longer ours")
    return None


def record_sent(claim: Claim, sent: Sent) -> None:
    """The provider took it. Raises LeaseLost when another round has taken it over meanwhile."""
    state, now = Message.State.SENT, Now()
    _record(claim, sent.message, state=state, sent_at=now, answer=sent.answer, error="", due_at=None)


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


def _prepared(statement: str, values: dict[str, Any]) -> tuple[Any, ...]:
    """The one row of a statement that is sent for every mail: PostgreSQL plans it once. Django, which puts
    the values into the text, would have it planned each time."""
    connection.ensure_connection()
    session = connection.connection
    session.prepare_threshold = sys.maxsize  # psycopg prepares nothing while it is None, as Django sets it
    try:
        with connection.wrap_database_errors, Cursor(session) as cursor:
            row = cursor.execute(statement.encode(), values, prepare=True).fetchone()
    finally:
        # Else psycopg counts every statement from now on and so keeps the last hundred, with all the values
        # that Django puts into them: an import's are megabytes.
        session.prepare_threshold = None
    assert row is not None  # noqa: S101 - it always has one
    return row


def _record(claim: Claim, message: Message, **values: object) -> None:
    begun = _mine(claim).filter(pk=message.pk, state=Message.State.SENDING)
    if not begun.update(lease_token=None, **values):
        raise LeaseLost(f"message {message.pk} was taken over by another round")


def _mine(claim: Claim) -> QuerySet[Message]:
    return Message.objects.filter(lease_token=claim.token)


def headers(message: Message, message_id: str) -> dict[str, str]:
    """Those of a message beside its subject and recipient, by its kind and when it was written."""
    wanted = message.unsubscribe_url
    return {
        "From": settings.DEFAULT_FROM_EMAIL,
        "Reply-To": settings.SHOP_EMAIL,
        "Date": format_datetime(message.created_at),
        "Message-ID": message_id,
        "Auto-Submitted": "auto-generated",  # keeps out-of-office answers away
        **({"List-Unsubscribe": f"<{wanted}>", "List-Unsubscribe-Post": _ONE_CLICK} if wanted else {}),
    }


def _domain() -> str:
    """The site's host name; `localhost` for one that a Message-ID can't hold, such as an IPv6 address."""
    host = urlsplit(settings.SITE_URL).hostname or ""
    return host if re.fullmatch(r"[a-z0-9.-]+", host) else "localhost"
