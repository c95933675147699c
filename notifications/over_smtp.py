"""Hand mails to a provider by SMTP, and say exactly what became of each."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from notifications import mime
from notifications.transport import IDLE_SECONDS, Line, NotSent

_GOODBYE_SECONDS = 2.0  # a provider need not answer our goodbye


class SmtpLine(Line):
    """By SMTP. One that has been silent is asked whether it stands, and one that has carried
    MAIL_PER_CONNECTION mails is replaced by a new one."""

    def __init__(self) -> None:
        self._smtp: _Backend | None = None
        self._used = 0  # mails over this connection
        self._heard_at = 0.0  # monotonic

    @property
    def is_ready(self) -> bool:
        return (
            self._smtp is not None
            and self._smtp.is_connected
            and self._used < settings.MAIL_PER_CONNECTION
            and time.monotonic() - self._heard_at < IDLE_SECONDS
        )

    def stand(self) -> None:
        if self.is_ready:
            return
        if self._used >= settings.MAIL_PER_CONNECTION or not self._answers():
            self.close()
        if self._smtp is None:
            self._open()

    def send(self, mail: EmailMessage) -> str:
        if self._smtp is None:
            self.stand()
        try:
            return self._sent(mail)
        except _HungUpBefore:
            # It had ended the connection when we came with the next mail, and has heard nothing of it.
            self.close()
            self._open()
            return self._sent(mail)

    def close(self) -> None:
        smtp, self._smtp, self._used = self._smtp, None, 0
        if smtp is not None:
            smtp.leave()

    def _answers(self) -> bool:
        """Whether the connection that we have still stands."""
        if self._smtp is not None and self._smtp.is_connected:
            with suppress(OSError):
                self._heard_at = time.monotonic()
                return bool(self._smtp.connection.noop()[0] == 250)
        return False

    def _open(self) -> None:
        smtp = _Backend()
        try:
            smtp.open()
            smtp.connection.ehlo_or_helo_if_needed()
        except smtplib.SMTPResponseException as error:
            # To our greeting or login it says no because of our settings, or because it is busy. No mail is
            # lost by that, however it numbers its answer.
            smtp.leave()
            raise _refused(error.smtp_code, error.smtp_error, final=False, outage=True) from error
        except OSError as error:
            smtp.leave()
            raise _broken(error, ambiguous=False) from error
        self._smtp, self._used, self._heard_at = smtp, 0, time.monotonic()

    def _sent(self, mail: EmailMessage) -> str:
        assert self._smtp is not None  # noqa: S101 - by `stand`
        smtp, is_first = self._smtp, not self._used
        self._used += 1
        try:
            answer = smtp.hand_over(mail)
        except ValueError as error:
            raise NotSent(f"The mail could not be put together: {error}", permanent=True) from error
        except OSError as error:  # smtplib's own among them
            if not smtp.is_clean_after(error):
                self.close()
            if not is_first and smtp.has_hung_up_before(error):
                raise _HungUpBefore from error
            raise _told(error, smtp) from error
        self._heard_at = time.monotonic()
        return answer


class _HungUpBefore(Exception):  # noqa: N818
    """A connection that carried other mails was over when this one came."""


def _told(error: OSError, smtp: _Backend) -> NotSent:
    """What an error means for the mail."""
    if smtp.watched is not None and smtp.watched.is_unanswered:
        return _broken(error, ambiguous=True)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
        return _refused(code, words, final=code >= 500)
    if isinstance(error, smtplib.SMTPResponseException):
        return _refused(error.smtp_code, error.smtp_error, final=error.smtp_code >= 500)
    return _broken(error, ambiguous=False)


def _refused(code: int, words: bytes | str, *, final: bool, outage: bool = False) -> NotSent:
    verdict = "refused it for good" if final else "refused it for now"
    # 421 is said by one who hangs up with it.
    return NotSent(
        f"{_server()} {verdict}: {code} {_text(words)}", permanent=final, outage=outage or code == 421
    )


def _broken(error: Exception, *, ambiguous: bool) -> NotSent:
    if ambiguous:
        return NotSent(
            f"The connection to {_server()} broke before it confirmed the mail, which may have arrived:"
            f" {error}",
            ambiguous=True,
            outage=True,
        )
    return NotSent(f"{_server()} can't be reached or broke off: {error or type(error).__name__}", outage=True)


def _server() -> str:
    return f"Mail server {settings.EMAIL_HOST}:{settings.EMAIL_PORT}"


def _text(words: bytes | str) -> str:
    return words.decode(errors="replace") if isinstance(words, bytes) else words


class _Watched(smtplib.SMTP):
    """smtplib alone does not tell a connection lost before the text's final dot from one lost after it."""

    answer = ""
    is_begun = False  # the provider has heard who sends the mail
    is_unanswered = False  # the whole text is out and the provider has not said anything to it
    _may_send_text = False

    def getreply(self) -> tuple[int, bytes]:
        code, words = super().getreply()
        self.is_unanswered = self.is_unanswered and code < 0  # an answer that nobody can read is none
        self._may_send_text = code == 354
        return code, words

    def send(self, s: Any) -> None:
        super().send(s)
        self.is_unanswered = self._may_send_text

    def mail(self, sender: str, options: Any = ()) -> tuple[int, bytes]:
        self.is_begun = False
        code, words = super().mail(sender, options)
        self.is_begun = code != 421
        return code, words

    def data(self, msg: Any) -> tuple[int, bytes]:
        code, words = super().data(msg)
        self.answer = f"{code} {_text(words)}"
        return code, words

    def hand_over(self, sender: str, recipient: str, text: bytes, options: Sequence[str] = ()) -> None:
        """As `sendmail`, to one recipient. A server that takes several commands at once (RFC 2920) gets all
        that come before the text in one go: half the ways there and back."""
        if not self.has_extn("pipelining"):
            self.sendmail(sender, [recipient], text, options)
            return
        size = [f"SIZE={len(text)}"] if self.has_extn("size") else []
        start = " ".join([f"MAIL FROM:<{sender}>", *size, *options])
        self.is_begun = False
        self.send(f"{start}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode())
        self._expect({250}, lambda *said: smtplib.SMTPSenderRefused(said[0], said[1], sender), left=2)
        self._expect({250, 251}, lambda *said: smtplib.SMTPRecipientsRefused({recipient: said}), left=1)
        self._expect({354}, smtplib.SMTPDataError)
        end = b".\r\n" if text.endswith(b"\r\n") else b"\r\n.\r\n"
        self.send(text.replace(b"\n.", b"\n..") + end)
        self.answer = self._expect({250}, smtplib.SMTPDataError)

    def _expect(self, good: set[int], error: Callable[[int, bytes], Exception], *, left: int = 0) -> str:
        """The next answer. Raises the error for one that is not good, once those that are `left` to the same
        commands are read; a text that is asked for nevertheless never comes."""
        code, words = self.getreply()
        self.is_begun = self.is_begun or code != 421
        if code in good:
            return f"{code} {_text(words)}"
        with suppress(smtplib.SMTPServerDisconnected):
            if code == 421 or any(self.getreply()[0] in (354, 421) for _ in range(left)):
                self.close()
            elif left:
                self.rset()
        raise error(code, words)


class _WatchedTLS(_Watched, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


class _Backend(EmailBackend):
    """Django's SMTP backend, with connections that are watched."""

    watched: _Watched | None = None  # None until a connection stands
    _latest_sender = ("", "")
    connection: Any

    @property
    def connection_class(self) -> Any:
        def connect(*args: Any, **kwargs: Any) -> _Watched:
            self.watched = (_WatchedTLS if self.use_ssl else _Watched)(*args, **kwargs)
            return self.watched

        return connect

    @property
    def is_connected(self) -> bool:
        """Whether neither side has ended the connection, as far as we know."""
        return self.watched is not None and self.watched.sock is not None

    def hand_over(self, mail: EmailMessage) -> str:
        """Send the mail to its one recipient; returns the answer. Raises what smtplib does, NotSent for an
        address that this server can't be told, ValueError for a mail that can't be written down."""
        assert self.watched is not None  # noqa: S101 - it is open
        [to] = mail.recipients()
        name = to.rpartition("@")[0]
        sender = self._bare_sender(mail.from_email)
        if name.isascii():
            recipient = to if to.isascii() else self.prep_address(to)
            self.watched.hand_over(sender, recipient, mime.as_bytes(mail))
        elif self.watched.has_extn("smtputf8"):
            recipient = self.prep_address(to, force_ascii=False)
            text = mime.as_bytes(mail, utf8=True)
            self.watched.hand_over(sender, recipient, text, ["SMTPUTF8", "BODY=8BITMIME"])
        else:
            raise NotSent(
                f"{_server()} knows only addresses with plain letters before the @, and {to!r} has others."
                " Ask for another address.",
                permanent=True,
            )
        return self.watched.answer

    def _bare_sender(self, address: str) -> str:
        """Without the name beside it; it is nearly always the one of the mail before."""
        if address != self._latest_sender[0]:
            self._latest_sender = address, str(self.prep_address(address))
        return self._latest_sender[1]

    def is_clean_after(self, error: OSError) -> bool:
        """Whether the connection can take another mail after this error."""
        if isinstance(error, smtplib.SMTPDataError):  # smtplib takes nothing back when DATA is refused
            if error.smtp_code == 421:
                return False
            with suppress(OSError):
                self.connection.rset()
        return self.is_connected

    def has_hung_up_before(self, error: OSError) -> bool:
        """Whether the error is that of a connection which was over before the provider heard of the mail.
        Silence is none: trying once more would double the wait."""
        if self.watched is None or self.watched.is_begun or isinstance(error.__context__, TimeoutError):
            return False
        return not self.is_connected

    def leave(self) -> None:
        """Close the connection, politely if that does not take long."""
        with suppress(OSError):
            if self.watched is not None and self.watched.sock is not None:
                self.watched.sock.settimeout(_GOODBYE_SECONDS)
            self.close()
