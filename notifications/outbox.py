"""Write mails down, each together with the job that delivers it. Call it in the event's transaction."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from notifications.messages import Rendered
from notifications.models import Message
from tasks import queueing
from tasks.models import Job

DELIVER = "notifications.deliver"  # the kind of the job


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
) -> list[Message]:
    """Store one message a recipient and its delivery; returns the new ones. `attachment` names a file that
    goes with it (`notifications.attachments`).

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
            },
        )
        if is_new:
            written.append(message)
    _deliver(written)
    return written


@transaction.atomic
def resend(message: Message) -> Message:
    """Send the same content to the same person again: a new message, linked to the very first.

    Raises StillOnItsWay while the given one has not come to its end.
    """
    if Job.objects.of(message.job_subject).unfinished().exists():
        raise StillOnItsWay(f"Message {message.pk} is still on its way; it is tried again by itself.")
    again = Message.objects.create(
        kind=message.kind,
        event=message.event,
        about=message.about,
        recipient=message.recipient,
        subject=message.subject,
        text=message.text,
        html=message.html,
        attachment=message.attachment,
        resend_of=message.resend_of or message,
    )
    _deliver([again])
    return again


def _deliver(written: Iterable[Message]) -> None:
    queueing.create(
        queueing.NewJob(
            kind=DELIVER,
            subject=message.job_subject,
            title=f"Message {message.pk}: {message.subject}",
            payload={"message": message.pk},
        )
        for message in written
    )
