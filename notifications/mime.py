"""A mail as the bytes that go over the wire, quickly: the usual ones, of a text and the same as HTML.

Python's `email.message`, which Django fills, takes several milliseconds for a mail, most of what its
delivery would cost. Whatever is out of the ordinary goes that way nevertheless.
"""

from __future__ import annotations

import base64
import binascii
from email import policy
from email.header import Header

from django.core.mail import EmailMessage, EmailMultiAlternatives

# Of quoted-printable text no line can begin like this, and so every attempt sends the very same bytes.
_BOUNDARY = "=_part"
_ADDRESSES = ("from", "to", "reply-to", "sender", "cc")


def as_bytes(mail: EmailMessage, *, utf8: bool = False) -> bytes:
    """The mail with CRLF as line ends; `utf8`: with headers as SMTPUTF8 has them.

    Raises ValueError for a header with a line break in it.
    """
    headers = {
        "Subject": str(mail.subject),
        "From": mail.from_email,
        "To": ", ".join(mail.to),
        **mail.extra_headers,
    }
    if utf8 or not _is_usual(mail, headers):
        return bytes(mail.message(policy=policy.SMTPUTF8 if utf8 else policy.SMTP).as_bytes())
    lines = [f"{name}: {_value(name, value)}" for name, value in headers.items()]
    return "\r\n".join([*lines, "MIME-Version: 1.0", *_body(mail)]).encode("ascii")


def _is_usual(mail: EmailMessage, headers: dict[str, str]) -> bool:
    kinds = [one.mimetype for one in getattr(mail, "alternatives", [])]
    is_plain = kinds in ([], ["text/html"]) and mail.content_subtype == "plain" and not mail.attachments
    has_more = mail.cc or mail.bcc or mail.reply_to
    return (
        is_plain
        and not has_more
        and all(value.isascii() for name, value in headers.items() if name.lower() in _ADDRESSES)
    )


def _value(name: str, value: str) -> str:
    if "\n" in value or "\r" in value:
        raise ValueError(f"The header {name} has a line break in it: {value!r}")
    if value.isascii():
        return value
    return Header(value, "utf-8", header_name=name).encode(linesep="\r\n")


def _body(mail: EmailMessage) -> list[str]:
    """The lines from the body's own headers on."""
    text = _part(str(mail.body), "plain")
    if not isinstance(mail, EmailMultiAlternatives) or not mail.alternatives:
        return text
    content, _ = mail.alternatives[0]
    html = _part(str(content), "html")
    mark = f"--{_BOUNDARY}"
    kind = f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"'
    return [kind, "", mark, *text, mark, *html, f"{mark}--", ""]


def _part(text: str, subtype: str) -> list[str]:
    whole = text.replace("\r\n", "\n").replace("\r", "\n")
    way, encoded = "quoted-printable", binascii.b2a_qp(whole.encode(), istext=True)
    if len(encoded) > 2 * len(whole):  # letters of other scripts
        way, encoded = "base64", base64.encodebytes(whole.replace("\n", "\r\n").encode())
    return [
        f'Content-Type: text/{subtype}; charset="utf-8"',
        f"Content-Transfer-Encoding: {way}",
        "",
        encoded.decode("ascii").removesuffix("\n").replace("\n", "\r\n"),
        "",
    ]
