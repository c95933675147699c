"""Make the mail of a message whose headers are set; judge its address before a mail server does."""

from __future__ import annotations

import re
import unicodedata
from email.message import MIMEPart

from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.utils.encoding import punycode

from notifications import attachments
from notifications.attachments import Attachment
from notifications.models import Message
from notifications.transport import NotSent

_LONGEST = 254  # characters; SMTP has no room for more


def compose(message: Message) -> EmailMultiAlternatives:
    """Build the mail from the message, with its attachment.

    Raises NotSent: permanent for an address that can't be one, for now where the attachment can't be had.
    """
    headers = dict(message.headers)
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        from_email=headers.pop("From"),
        to=[checked(message.recipient)],
        headers=headers,
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    for file in attachments.of(message):
        if file.cid:
            mail.attach(_picture(file))
        else:
            mail.attach(file.name, file.content, file.mimetype)
    return mail


def _picture(file: Attachment) -> MIMEPart:
    """A part that the HTML shows where it says `cid:…`."""
    part = MIMEPart()
    _, _, subtype = file.mimetype.partition("/")
    part.set_content(
        file.content, "image", subtype, disposition="inline", filename=file.name, cid=f"<{file.cid}>"
    )
    return part


def checked(recipient: str) -> str:
    """The address in one normal form; letters of any script may stand on both sides of its @ (RFC 6531).

    Raises NotSent, permanent, with what to do about it.
    """
    address = unicodedata.normalize("NFC", recipient)
    if len(address) > _LONGEST:
        raise _impossible(f"{address[:60]!r}… is too long for a mail address: {len(address)} characters.")
    if not _is_sound(address):
        raise _impossible(f"{recipient!r} is not a mail address (something like name@example.com).")
    return address


def _is_sound(address: str) -> bool:
    name, _, domain = address.rpartition("@")
    try:
        # Letters beyond ASCII are judged as letters; Django's own check knows none before the @.
        plain = name if name.isascii() else re.sub(r"[^\W\d_]", "x", name)
        validate_email(f"{plain}@{domain if domain.isascii() else punycode(domain)}")
    except (ValidationError, UnicodeError):
        return False
    return True


def _impossible(what: str) -> NotSent:
    return NotSent(f"{what} Correct it where it is kept, then send the message again.", permanent=True)
