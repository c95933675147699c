"""The files that go with a mail: named by the message, and had when the mail is put together.

The message keeps no copy. An invoice's PDF is made then if it is not there yet, so the mail never goes
without it, and no worker waits for another.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import dataclass

from invoices import filing
from invoices.models import Document
from invoices.rendering import NotRendered
from notifications import report_mails
from notifications.models import Message
from notifications.transport import NotSent
from reports.models import ReportFile


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as a mail has it; one with a `cid` is a picture inside its HTML."""

    name: str
    content: bytes
    mimetype: str
    cid: str = ""


def of(message: Message) -> list[Attachment]:
    """The files that go with the message; none, for most. Call it outside of transactions. Raises NotSent,
    for now, where one can't be had."""
    what, _, pk = message.attachment.partition("/")
    if what == "report":
        return _of_report(int(pk))
    if what != "document":
        return []
    document = Document.objects.get(pk=int(pk))
    try:
        return [Attachment(document.filename, filing.pdf_of(document), "application/pdf")]
    except (NotRendered, OSError) as error:
        raise NotSent(f"The file that goes with it can't be had: {error}") from error


def _of_report(pk: int) -> list[Attachment]:
    """A report's files, without those that would be too large, which its mail leads to."""
    files = list(ReportFile.objects.filter(run=pk))
    if not files:
        raise NotSent("The files of the report were removed by now. Run it again.", permanent=True)
    try:
        return [
            Attachment(file.name, file.read(), file.mimetype, file.cid)
            for file in files
            if file.cid or report_mails.fits(files)
        ]
    except OSError as error:
        raise NotSent(f"A file that goes with it can't be had: {error}") from error


def shown(message: Message) -> str:
    """The HTML of the message with its pictures inside, for a page; those that are gone stay blank."""
    what, _, pk = message.attachment.partition("/")
    html = message.html
    if what != "report" or "cid:" not in html:
        return html
    for file in ReportFile.objects.filter(run=int(pk)).exclude(cid=""):
        with suppress(OSError):
            picture = base64.b64encode(file.read()).decode()
            html = html.replace(f'"cid:{file.cid}"', f'"data:{file.mimetype};base64,{picture}"')
    return html
