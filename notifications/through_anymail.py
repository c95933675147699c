"""Hand one mail to a provider's API by django-anymail, and say exactly what became of it."""

from __future__ import annotations

import re
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
from notifications.transport import NotSent

# What is wrong with our key, our quota or our address of the API says nothing about the mail: it can still go
# once that is mended. 503 is a provider that says that it did not take it.
_NOT_NOW = {401, 402, 403, 404, 407, 408, 409, 423, 425, 429, 503}
_NEVER_CONNECTED = (ConnectTimeoutError, NameResolutionError, NewConnectionError, ProxyError)
_SAID = 400  # characters of the provider's words


def send(mail: EmailMessage) -> str:
    """Send it and return the provider's answer; its own id is kept with the message. Raises NotSent."""
    backend: Any = get_connection()
    message_id = mail.extra_headers.get("Message-ID", "")
    mail.extra_headers.pop("Date", None)  # theirs: some refuse a mail that brings its own
    try:
        backend.send_messages([mail])
    except AnymailError as error:
        raise _outcome(error, backend.esp_name) from error
    except AnymailConfigurationError as error:
        raise NotSent(f"The settings of the mail provider are wrong: {error}") from error
    status = mail.anymail_status  # type: ignore[attr-defined]
    theirs = str(status.message_id or "")
    _keep(message_id, theirs)
    words = ", ".join(sorted(status.status or {"taken"}))
    return f"{backend.esp_name}: {words} as {theirs}" if theirs else f"{backend.esp_name}: {words}"


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
        return NotSent(f"{name} refused it for now: {_words(error)}")
    if 400 <= code < 500:
        return NotSent(f"{name} refused it for good: {_words(error)}", permanent=True)
    # A success that can't be read, or a fault of theirs: they may have taken it before.
    return NotSent(
        f"{name} did not confirm the mail, which may have arrived: {_words(error)}", ambiguous=True
    )


def _without_answer(error: AnymailError, name: str) -> NotSent:
    cause = error.__cause__
    reason = getattr(cause.args[0], "reason", None) if cause is not None and cause.args else None
    if isinstance(cause, requests.ConnectTimeout) or isinstance(reason, _NEVER_CONNECTED):
        return NotSent(f"{name} can't be reached: {_words(error)}")
    return NotSent(
        f"The connection to {name} broke before it confirmed the mail, which may have arrived:"
        f" {_words(error)}",
        ambiguous=True,
    )


def _words(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= _SAID else f"{text[: _SAID - 1]}…"
