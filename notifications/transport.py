"""Hand one mail to the provider, and say exactly what became of it."""

from __future__ import annotations

import smtplib
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend

_DJANGO_SMTP = "django.core.mail.backends.smtp.EmailBackend"


class NotSent(Exception):  # noqa: N818 - it is an outcome
    """The provider did not confirm a mail; the text is for people and holds the provider's words.

    `permanent`: it said no for good. `ambiguous`: it may have taken the mail before the connection broke.
    """

    def __init__(self, message: str, *, permanent: bool = False, ambiguous: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.ambiguous = ambiguous


def send(mail: EmailMessage) -> str:
    """Send it over a connection of its own and return the provider's answer. Raises NotSent."""
    if settings.EMAIL_PROVIDER:
        # Only here, so that nobody else needs anymail; it knows this module.
        from notifications import through_anymail

        return through_anymail.send(mail)
    if settings.EMAIL_BACKEND != _DJANGO_SMTP:
        get_connection().send_messages([mail])
        return f"taken by {settings.EMAIL_BACKEND}"
    return _send_by_smtp(mail, _Backend())


def _send_by_smtp(mail: EmailMessage, backend: _Backend) -> str:
    try:
        backend.open()
        backend.send_messages([mail])
        return backend.watched.answer if backend.watched else ""
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise _refused(code, words, final=code >= 500) from error
    except smtplib.SMTPResponseException as error:
        # A 5xx to sender or text is about this mail. One to our greeting or login is about our settings:
        # once they are mended, the mail can still go.
        about_mail = isinstance(error, (smtplib.SMTPSenderRefused, smtplib.SMTPDataError))
        raise _refused(
            error.smtp_code, error.smtp_error, final=about_mail and error.smtp_code >= 500
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise _broken(error, ambiguous=bool(backend.watched and backend.watched.is_unanswered)) from error
    except ValueError as error:
        raise NotSent(f"The mail could not be put together: {error}", permanent=True) from error
    finally:
        # The answer is what counts; a provider that stumbles over our goodbye changes nothing.
        with suppress(OSError, smtplib.SMTPException):
            backend.close()


def _refused(code: int, words: bytes | str, *, final: bool) -> NotSent:
    verdict = "refused it for good" if final else "refused it for now"
    return NotSent(f"{_server()} {verdict}: {code} {_text(words)}", permanent=final)


def _broken(error: Exception, *, ambiguous: bool) -> NotSent:
    if ambiguous:
        return NotSent(
            f"The connection to {_server()} broke before it confirmed the mail, which may have arrived:"
            f" {error}",
            ambiguous=True,
        )
    return NotSent(f"{_server()} can't be reached or broke off: {error or type(error).__name__}")


def _server() -> str:
    return f"Mail server {settings.EMAIL_HOST}:{settings.EMAIL_PORT}"


def _text(words: bytes | str) -> str:
    return words.decode(errors="replace") if isinstance(words, bytes) else words


class _Watched(smtplib.SMTP):
    """smtplib alone does not tell a connection lost before the text's final dot from one lost after it."""

    answer = ""
    is_unanswered = False  # the whole text is out and the provider has not said anything to it
    _may_send_text = False

    def getreply(self) -> tuple[int, bytes]:
        code, words = super().getreply()
        self.is_unanswered = False
        self._may_send_text = code == 354
        return code, words

    def send(self, s: Any) -> None:
        super().send(s)
        self.is_unanswered = self._may_send_text

    def data(self, msg: Any) -> tuple[int, bytes]:
        code, words = super().data(msg)
        self.answer = f"{code} {_text(words)}"
        return code, words


class _WatchedTLS(_Watched, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


class _Backend(EmailBackend):
    """Django's SMTP backend, with connections that are watched."""

    watched: _Watched | None = None  # None until a connection stands

    @property
    def connection_class(self) -> Any:
        def connect(*args: Any, **kwargs: Any) -> _Watched:
            self.watched = (_WatchedTLS if self.use_ssl else _Watched)(*args, **kwargs)
            return self.watched

        return connect
