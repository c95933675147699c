"""Mails about an account: links to confirm an address or set a password, news of what was changed."""

from __future__ import annotations

import uuid

from notifications import messages, outbox
from notifications.models import Message

KIND = outbox.ACCOUNT


def write(*, what: str, to: str, subject: str, text: str, language: str = "") -> Message:
    """Put a mail into the outbox, worded in that language; `what` is allauth's name of it, such as
    `password_reset_key`."""
    event = f"account/{what}/{uuid.uuid4().hex}"
    content = messages.about_account(subject=subject, text=text, language=language)
    return outbox.write(kind=KIND, event=event, about="account", recipients=[to], content=content)[0]
