"""Write mails down, in the transaction of the event that they tell of; rounds deliver them (rounds.py)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction

from notifications.messages import Rendered
from notifications.models import Message
from shop.models import Subscription
from tasks import queueing

DELIVER = "notifications.deliver"  # the kind of a round's job


class NotWanted(Exception):  # noqa: N818 - it is an answer
    """Its recipient does not want such mails any more."""


class StillOnItsWay(Exception):  # noqa: N818 - it is an answer
    """The message will yet be sent by itself; sending it again now would double it."""


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

    An event that was written before, because its task ran twice, gives nothing new.
    """
    written = []
    for recipient in dict.fromkeys(recipients):
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
            },
        )
        if is_new:
            written.append(message)
    _wake()
    return written


@transaction.atomic
def resend(message: Message) -> Message:
    """Send the same content to the same person again: a new message, linked to the very first.

    Raises StillOnItsWay while the given one has not come to its end, NotWanted for a mail that its recipient
    asked for and has taken that back.
    """
    message.refresh_from_db(fields=["state", "due_at"])
    if message.is_on_its_way:
        raise StillOnItsWay(f"Message {message.pk} is still on its way; it is tried again by itself.")
    if message.unsubscribe_url and not _is_wanted(message):
        raise NotWanted(f"Message {message.pk}: its recipient has taken back that such mails are sent.")
    again = Message.objects.create(
        kind=message.kind,
        event=message.event,
        about=message.about,
        recipient=message.recipient,
        subject=message.subject,
        text=message.text,
        html=message.html,
        attachment=message.attachment,
        unsubscribe_url=message.unsubscribe_url,
        resend_of=message.resend_of or message,
    )
    _wake()
    return again


def _is_wanted(message: Message) -> bool:
    """Whether the consent that a mail was sent by still stands."""
    number = message.about.removeprefix("subscription/")
    return Subscription.objects.filter(pk=number, ended_at=None).exists()


def ensure_round(seconds: float = 0.0) -> None:
    """See to it that a round of delivery waits, due in so many seconds at the latest."""
    queueing.ensure(
        queueing.NewJob(
            kind=DELIVER, subject="", title="Mails that are due", delay=timedelta(seconds=seconds)
        )
    )


def _wake() -> None:
    # Should this process end between the commit and this, beat's look finds the message.
    transaction.on_commit(ensure_round, robust=True)
