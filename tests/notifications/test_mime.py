"""The quick way to write a mail down says the same as Python's own."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage as Parsed
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from notifications import mime

HEADERS = {
    "Reply-To": "shop@localhost",
    "Date": "Mon, 23 Nov 2026 15:44:29 +0000",
    "Message-ID": "<message-4711.order_payment_failed@a-rather-long-name-of-a-shop.its-domain.example>",
    "Auto-Submitted": "auto-generated",
}
LATIN = "Hello\n.a dot first\n\ntrailing space \n=3D and a tab\t\n" + "long " * 400
ARABIC = "مرحبا بكم في المتجر\n" * 30


def mail(subject: str = "News", text: str = LATIN, html: str = "", **changes: Any) -> EmailMultiAlternatives:
    usual = {"from_email": "Shop <a@b.example>", "to": ["kim@c.example"], "headers": HEADERS}
    made = EmailMultiAlternatives(**{"subject": subject, "body": text, **usual, **changes})
    if html:
        made.attach_alternative(html, "text/html")
    return made


def read(text: bytes) -> dict[str, Any]:
    """What a mail program makes of it, line ends aside."""
    parsed = message_from_bytes(text, policy=policy.default)
    assert isinstance(parsed, Parsed)
    assert (parsed.defects, text.count(b"\n")) == ([], text.count(b"\r\n"))
    bodies = {
        part.get_content_type(): part.get_content().replace("\r\n", "\n").rstrip("\n")
        for part in parsed.walk()
        if not part.is_multipart()
    }
    headers = {name.lower(): str(value) for name, value in parsed.items()}
    return {**headers, **bodies, "content-transfer-encoding": None, "content-type": None}


@pytest.mark.parametrize(
    "made",
    [
        mail(),
        mail(html="<p>" + LATIN + "</p>\n"),
        mail(
            "Ihre Bestellung – über vieles, was ein Wort länger ist als eine Zeile fasst " * 3,
            html="<p>ü</p>",
        ),
        mail("طلبك في الطريق", ARABIC, f"<p>{ARABIC}</p>"),
        mail(text="one\rtwo\r\nthree\x0bfour\u2028five"),
        mail(from_email="Müllers Laden <a@b.example>"),
        mail(to=["kim@bücher.example"], html="<p>ü</p>"),
        mail(cc=["lee@c.example"]),
    ],
    ids=["text", "HTML", "umlauts", "Arabic", "line ends", "name in the sender", "IDNA", "copy"],
)
def test_mail_written_quickly_reads_as_djangos(made: EmailMultiAlternatives) -> None:
    assert read(mime.as_bytes(made)) == read(made.message(policy=policy.SMTP).as_bytes())


def test_letters_of_other_scripts_do_not_swell_the_mail() -> None:
    assert len(mime.as_bytes(mail(text=ARABIC))) < 1.5 * len(ARABIC.encode()) + 600


def test_attachment_is_not_left_out() -> None:
    made = mail(html="<p>Here it is</p>")
    made.attach("invoice.pdf", b"%PDF", "application/pdf")

    parts = message_from_bytes(mime.as_bytes(made), policy=policy.default).walk()
    assert [part.get_content_type() for part in parts] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf",
    ]  # fmt: skip


@pytest.mark.parametrize("changes", [{"subject": "News\nBcc: all@c.example"}, {"headers": {"X": "a\r\nb"}}])
def test_header_with_a_line_break_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="line break"):
        mime.as_bytes(mail(**changes))
