"""The file that goes with a mail: named by the message, and had when the mail is put together.

The message keeps no copy. An invoice's PDF is made then if it is not there yet, so the mail never goes
without it, and no worker waits for another.
"""

from __future__ import annotations

from dataclasses import dataclass

from invoices import filing
from invoices.models import Document
from invoices.rendering import NotRendered
from notifications.models import Message
from notifications.transport import NotSent


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as a mail has it."""

    name: str
    content: bytes
    mimetype: str


def of(message: Message) -> list[Attachment]:
    """The files that go with the message; none, for most. Call it outside of transactions. Raises NotSent,
    for now, where one can't be had."""
    what, _, pk = message.attachment.partition("/")
    if what != "document":
        return []
    document = Document.objects.get(pk=int(pk))
    try:
        return [Attachment(document.filename, filing.pdf_of(document), "application/pdf")]
    except (NotRendered, OSError) as error:
        raise NotSent(f"The file that goes with it can't be had: {error}") from error
