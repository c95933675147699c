"""Hand mails to a provider's API by django-anymail, and say exactly what became of each."""

from __future__ import annotations

import re
import time
from typing import Any

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailError,
    AnymailRecipientsRefused,
)
from django.core.mail import EmailMessage, get_connection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError, ProxyError

from notifications.models import Message
from notifications.transport import IDLE_SECONDS, Line, NotSent

# What is wrong with our key, our quota or our address of the API says nothing about the mail: it can still go
# once that is mended. 503 is a provider that says that it did not take it.
_NOT_NOW = {401, 402, 403, 404, 407, 408, 409, 423, 425, 429, 503}
_NEVER_CONNECTED = (ConnectTimeoutError, NameResolutionError, NewConnectionError, ProxyError)
_SAID = 400  # characters of the provider's words


class ApiLine(Line):
    """An HTTP connection that is kept for a round's mails, where the provider's backend has one."""

    def __init__(self) -> None:
        self._backend: Any = None
        self._heard_at = 0.0  # monotonic

    @property
    def is_ready(self) -> bool:
        return self._backend is not None and time.monotonic() - self._heard_at < IDLE_SECONDS

    def stand(self) -> None:
        if self.is_ready:
            return
        self.close()
        try:
            backend: Any = get_connection()
            backend.open()
            _knock(backend)
        except AnymailConfigurationError as error:
            raise _unset(error) from error
        except requests.RequestException as error:
            backend.close()
            raise NotSent(f"{backend.esp_name} can't be reached: {_words(error)}", outage=True) from error
        self._backend, self._heard_at = backend, time.monotonic()

    def send(self, mail: EmailMessage) -> str:
        """As elsewhere; the provider's own id of the mail is kept with its message."""
        self.stand()
        message_id = mail.extra_headers.get("Message-ID", "")
        mail.extra_headers.pop("Date", None)  # theirs: some refuse a mail that brings its own
        try:
            self._backend.send_messages([mail])
        except AnymailError as error:
            outcome = _outcome(error, self._backend.esp_name)
            if outcome.outage:
                self.close()  # before the next mail somebody has to be there
            raise outcome from error
        except AnymailConfigurationError as error:
            raise _unset(error) from error
        self._heard_at = time.monotonic()
        return self._told(mail, message_id)

    def close(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()

    def _told(self, mail: EmailMessage, message_id: str) -> str:
        name, status = self._backend.esp_name, mail.anymail_status  # type: ignore[attr-defined]
        theirs = str(status.message_id or "")
        _keep(message_id, theirs)
        words = ", ".join(sorted(status.status or {"taken"}))
        return f"{name}: {words} as {theirs}" if theirs else f"{name}: {words}"


def _knock(backend: Any) -> None:
    """See whether anybody is there, whatever the answer, over the connection that the mails will take: one
    that is away costs no message an attempt. Backends without such a connection show it with the mail."""
    session = getattr(backend, "session", None)
    if isinstance(session, requests.Session):
        session.head(backend.api_url, timeout=backend.timeout)


def _unset(error: Exception) -> NotSent:
    return NotSent(f"The settings of the mail provider are wrong: {error}", outage=True)


def _keep(message_id: str, theirs: str) -> None:
    """At once, not with the outcome: what the provider tells later may come before that is written."""
    if theirs and (found := re.match(r"<message-(\d+)\.", message_id)):
        Message.objects.filter(pk=found[1]).update(provider_id=theirs[:400])


def _outcome(error: AnymailError, name: str) -> NotSent:
    if isinstance(error, AnymailRecipientsRefused):
        return NotSent(f"{name} refused the address for good: {_words(error)}", permanent=True)
    if not isinstance(error, AnymailAPIError):
        return NotSent(f"The mail could not be put together for {name}: {_words(error)}", permanent=True)
    code = getattr(error, "status_code", None)
    if code is None:
        return _without_answer(error, name)
    if code in _NOT_NOW:
        return NotSent(f"{name} refused it for now: {_words(error)}", outage=True)
    if 400 <= code < 500:
        return NotSent(f"{name} refused it for good: {_words(error)}", permanent=True)
    # A success that can't be read, or a fault of theirs: they may have taken it before.
    told = f"{name} did not confirm the mail, which may have arrived: {_words(error)}"
    return NotSent(told, ambiguous=True, outage=True)


def _without_answer(error: AnymailError, name: str) -> NotSent:
    cause = error.__cause__
    reason = getattr(cause.args[0], "reason", None) if cause is not None and cause.args else None
    if isinstance(cause, requests.ConnectTimeout) or isinstance(reason, _NEVER_CONNECTED):
        return NotSent(f"{name} can't be reached: {_words(error)}", outage=True)
    return NotSent(
        f"The connection to {name} broke before it confirmed the mail, which may have arrived:"
        f" {_words(error)}",
        ambiguous=True,
        outage=True,
    )


def _words(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= _SAID else f"{text[: _SAID - 1]}…"
