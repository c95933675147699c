"""Deliver one message: mark it → hand it to the provider → record the answer. The only caller of Django mail.

    queued ─┬→ sending ─┬→ sent
            │           ├→ failed                    refused for good (5xx), or an address that can't be
            ├───────────┼→ queued, try again later   refused for now (4xx), nobody answers
            └───────────┴→ uncertain, try again      the connection broke after the text was handed over

    suppressed: it must not be sent any more, and its job ends without doing anything.

SMTP can't be exactly-once: after the text's final dot, a lost connection doesn't tell whether the provider
took it. We send again rather than lose a mail, always with the same Message-ID, and count those attempts. A
message found in `sending` is such a case too: its worker vanished with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.db import transaction
from django.db.models.functions import Now

from notifications import transport
from notifications.models import Message
from notifications.transport import NotSent
from tasks import claiming
from tasks.claiming import Claim, JobFailed, LeaseLost

_ONE_CLICK = "List-Unsubscribe=One-Click"  # RFC 8058: mail programs post this to the address


def deliver(claim: Claim) -> None:
    """Send the message of the claimed job once.

    Raises JobFailed with what the provider said: permanent when trying again would not help. Raises
    LeaseLost when another worker took over meanwhile; the mail may then be out, but nothing is written.
    """
    message = _begin(claim)
    if message is None:
        return
    try:
        answer = transport.send(compose(message))
    except NotSent as error:
        _record_attempt(claim, message, error)
        raise JobFailed(str(error), permanent=error.permanent) from error
    with _lease_held(claim):
        Message.objects.filter(pk=message.pk).update(
            state=Message.State.SENT, sent_at=Now(), answer=answer, error=""
        )
        claiming.complete(claim)


def give_up(claim: Claim, error: str) -> None:
    """End the message of a job that was given up; called in the transaction that buries the job."""
    message = Message.objects.select_for_update().get(pk=claim.payload["message"])
    # Still `sending`: the last attempt ended without a word, so nobody knows.
    was_lost = message.state == Message.State.SENDING
    message.doubtful_attempts += was_lost
    message.state = Message.State.UNCERTAIN if message.doubtful_attempts else Message.State.FAILED
    message.error = error
    message.save(update_fields=["state", "doubtful_attempts", "error"])


def compose(message: Message) -> EmailMultiAlternatives:
    """Build the mail from a message whose headers are set. Raises NotSent for an impossible address."""
    _check_address(message.recipient)
    headers = dict(message.headers)
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        from_email=headers.pop("From"),
        to=[message.recipient],
        headers=headers,
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    return mail


def _begin(claim: Claim) -> Message | None:
    """Mark the message as being sent, and fix its headers at the first attempt; None for one that must not
    be sent, whose job is done then."""
    with _lease_held(claim):
        message = Message.objects.select_for_update().get(pk=claim.payload["message"])
        if message.state == Message.State.SUPPRESSED:
            claiming.complete(claim)
            return None
        message.doubtful_attempts += message.state == Message.State.SENDING
        message.state = Message.State.SENDING
        message.attempts += 1
        if not message.headers:
            message.message_id = f"<message-{message.pk}.{message.kind}@{_domain()}>"
            message.headers = _headers(message)
        message.save(update_fields=["doubtful_attempts", "state", "attempts", "message_id", "headers"])
    return message


def _headers(message: Message) -> dict[str, str]:
    wanted = message.unsubscribe_url
    return {
        "From": settings.DEFAULT_FROM_EMAIL,
        "Reply-To": settings.SHOP_EMAIL,
        "Date": format_datetime(message.created_at),
        "Message-ID": message.message_id,
        "Auto-Submitted": "auto-generated",  # keeps out-of-office answers away
        **({"List-Unsubscribe": f"<{wanted}>", "List-Unsubscribe-Post": _ONE_CLICK} if wanted else {}),
    }


def _domain() -> str:
    """The site's host name; `localhost` for one that a Message-ID can't hold, such as an IPv6 address."""
    host = urlsplit(settings.SITE_URL).hostname or ""
    return host if re.fullmatch(r"[a-z0-9.-]+", host) else "localhost"


def _check_address(recipient: str) -> None:
    try:
        validate_email(recipient)
    except ValidationError:
        raise NotSent(
            f"{recipient!r} is not a mail address (something like name@example.com). "
            "Correct it where it is kept, then send the message again.",
            permanent=True,
        ) from None


def _record_attempt(claim: Claim, message: Message, error: NotSent) -> None:
    state = Message.State.UNCERTAIN if error.ambiguous else Message.State.QUEUED
    with _lease_held(claim):
        Message.objects.filter(pk=message.pk).update(
            state=state,
            doubtful_attempts=message.doubtful_attempts + error.ambiguous,
            error=str(error),
        )


@contextmanager
def _lease_held(claim: Claim) -> Iterator[None]:
    """A transaction in which nobody can take the job over; raises LeaseLost when somebody has."""
    with transaction.atomic():
        if not claiming.extend(claim):  # also locks the job's row, always before the message's
            raise LeaseLost(f"job {claim.job.pk} is no longer ours")
        yield
