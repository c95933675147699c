"""Write mails down, in the transaction of the event that they tell of; rounds deliver them (rounds.py)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction

from notifications import holding, kinds
from notifications.messages import Rendered
from notifications.models import Message
from shop.models import Subscription
from tasks import queueing

DELIVER = "notifications.deliver"  # the kind of a round's job
ACCOUNT = "account"  # the kind of mails that may let their reader in


class NotWanted(Exception):  # noqa: N818 - it is an answer
    """Its recipient does not want such mails any more."""


class StillOnItsWay(Exception):  # noqa: N818 - it is an answer
    """The message will yet be sent by itself; sending it again now would double it."""


class BelongsToOne(Exception):  # noqa: N818 - it is an answer
    """The message must not go to another address than its own."""


@transaction.atomic
def write(
    *,
    kind: str,
    event: str,
    about: str,
    recipients: Iterable[str],
    content: Rendered,
    attachment: str = "",
    unsubscribe: str = "",
) -> list[Message]:
    """Store one message a recipient; returns the new ones, which are delivered after the commit.

    `attachment` names a file that goes with it (`notifications.attachments`). `unsubscribe`: of a mail that
    was asked for, the address by which its recipient takes that back.

    An event that was written before, because its task ran twice, gives nothing new. A mail that must not go
    out (`holding` says why) is written as held back, with the reason.
    """
    written = []
    recipients = list(dict.fromkeys(recipients))
    held = holding.reasons(kind, recipients)
    for recipient in recipients:
        message, is_new = Message.objects.get_or_create(
            kind=kind,
            event=event,
            recipient=recipient,
            resend_of=None,
            defaults={
                "about": about,
                "subject": content.subject,
                "text": content.text,
                "html": content.html,
                "attachment": attachment,
                "unsubscribe_url": unsubscribe,
                **_state(held.get(recipient)),
            },
        )
        if is_new:
            written.append(message)
    _wake()
    return written


@transaction.atomic
def resend(message: Message, *, to: str = "", by: str = "") -> Message:
    """Send the same content again, to the same person or to the address `to`: a new message, linked to the
    very first. `by` is who asked for it.

    It goes out though its kind is switched off, for somebody wants it to; but not to an address that is held
    back. Raises StillOnItsWay while the given one has not come to its end, NotWanted for a mail that its
    recipient asked for and has taken that back, and BelongsToOne.
    """
    message.refresh_from_db(fields=["state", "due_at"])
    if message.is_on_its_way:
        raise StillOnItsWay(f"Message {message.pk} is still on its way; it is tried again by itself.")
    if message.unsubscribe_url and not _is_wanted(message):
        raise NotWanted(f"Message {message.pk}: its recipient has taken back that such mails are sent.")
    if to and not may_be_readdressed(message):
        raise BelongsToOne(f"Message {message.pk} is for the one who has its address, and for nobody else.")
    recipient = to or message.recipient
    again = Message.objects.create(
        kind=message.kind,
        event=message.event,
        about=message.about,
        recipient=recipient,
        subject=message.subject,
        text=message.text,
        html=message.html,
        attachment=message.attachment,
        unsubscribe_url=message.unsubscribe_url,
        resend_of=message.resend_of or message,
        by=by,
        **_state(holding.suppressed(message.kind, [recipient]).get(recipient)),
    )
    _wake()
    return again


def _is_wanted(message: Message) -> bool:
    """Whether the consent that a mail was sent by still stands."""
    number = message.about.removeprefix("subscription/")
    return Subscription.objects.filter(pk=number, ended_at=None).exists()


def may_be_readdressed(message: Message) -> bool:
    """Whether its content may go to another address than the one it was written for: not links that let their
    reader in, not what somebody else has asked for, and nothing that was erased."""
    is_personal = message.kind == ACCOUNT or kinds.named(message.kind).is_optional
    return not is_personal and bool(message.text)


@transaction.atomic
def write_sample(*, kind: str, to: str, by: str, content: Rendered) -> Message:
    """A mail with made-up data, to see it where mails are read. It goes out though its kind is switched off,
    but not to an address that is held back."""
    sample = Message.objects.create(
        kind=kind,
        event=f"sample/{uuid.uuid4().hex}",
        about="sample",
        recipient=to,
        subject=content.subject,
        text=content.text,
        html=content.html,
        by=by,
        **_state(holding.suppressed(kind, [to]).get(to)),
    )
    _wake()
    return sample


def ensure_round(seconds: float = 0.0) -> None:
    """See to it that a round of delivery waits, due in so many seconds at the latest."""
    queueing.ensure(
        queueing.NewJob(
            kind=DELIVER, subject="", title="Mails that are due", delay=timedelta(seconds=seconds)
        )
    )


def _state(held: str | None) -> dict[str, Any]:
    return {"state": Message.State.SUPPRESSED, "error": held, "due_at": None} if held else {}


def _wake() -> None:
    # Should this process end between the commit and this, beat's look finds the message.
    transaction.on_commit(ensure_round, robust=True)
