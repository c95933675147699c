"""What hands mails to the provider: by SMTP (over_smtp.py), or by its API (through_anymail.py)."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

_DJANGO_SMTP = "django.core.mail.backends.smtp.EmailBackend"
IDLE_SECONDS = 5.0  # a connection that was silent for longer is asked whether it still stands


class NotSent(Exception):  # noqa: N818 - it is an outcome
    """The provider did not confirm a mail; the text is for people and holds the provider's words.

    `permanent`: it said no for good. `ambiguous`: it may have taken the mail before the connection broke.
    `outage`: it was not there, or went away, which says nothing about the mail.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, ambiguous: bool = False, outage: bool = False
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.ambiguous = ambiguous
        self.outage = outage


def provider() -> str:
    """The name of the provider in use."""
    if settings.EMAIL_PROVIDER:
        return str(settings.EMAIL_PROVIDER)
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if _is_smtp() else str(settings.EMAIL_BACKEND)


def line() -> Line:
    """A line to the provider in use, which is not open yet."""
    # Only here, for they know this module, and nobody else needs anymail.
    if settings.EMAIL_PROVIDER:
        from notifications import through_anymail

        return through_anymail.ApiLine()
    if _is_smtp():
        from notifications import over_smtp

        return over_smtp.SmtpLine()
    return Line()


def _is_smtp() -> bool:
    return bool(settings.EMAIL_BACKEND == _DJANGO_SMTP)


class Line:
    """A connection to the provider for many mails, one after the other; this one for backends of Django that
    need none.

    Call `stand` before a mail is marked as being sent: whatever is wrong with the connection then shows
    before the mail is touched. A mail that fails leaves the line usable, or closed until the next `stand`.
    """

    @property
    def is_ready(self) -> bool:
        """Whether the next mail can go without a further word; `stand` makes it so."""
        return True

    def stand(self) -> None:
        """Have a connection that works.

        Raises NotSent with `outage` when the provider can't be reached or does not let us in.
        """

    def send(self, mail: EmailMessage) -> str:
        """Send one mail; returns the provider's answer. Raises NotSent."""
        get_connection().send_messages([mail])
        return f"taken by {settings.EMAIL_BACKEND}"

    def close(self) -> None:
        """Say goodbye; a provider that stumbles over it changes nothing."""
