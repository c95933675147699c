"""A real SMTP server that the tests script, and imports that have ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from celery import current_app
from celery.result import EagerResult
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from imports.models import ImportRun
from imports.signals import import_finished
from notifications import outbox
from notifications.models import Message
from tasks.models import Job


class Provider:
    """An SMTP server's manners: takes every mail, unless it is told what to say or when to hang up."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.on_recipient: list[str] = []  # what to say to the next recipients
        self.on_text: list[str] = []  # what to say to the next texts
        self.hang_up_before_text = 0  # so many times
        self.hang_up_after_text = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.hang_up_before_text:
            self.hang_up_before_text -= 1
            server.transport.abort()
            await asyncio.sleep(0)
        if self.on_recipient:
            return self.on_recipient.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.on_text:
            return self.on_text.pop(0)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        if self.hang_up_after_text:
            self.hang_up_after_text -= 1
            server.transport.abort()
        return "250 Taken as 4711"


class MailServer(Controller):
    """Serves a provider's manners at a port that the system gives it."""

    def __init__(self, handler: Provider) -> None:
        super().__init__(handler, hostname="127.0.0.1", port=0)

    def _trigger_server(self) -> None:
        """Learn the port that the system gave us before the base class tries it."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """A running SMTP server that the settings point to."""
    handler = Provider()
    controller = MailServer(handler)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_TIMEOUT = 5
    settings.JOB_RETRY_BASE_SECONDS = 0  # the next attempt may follow at once
    yield handler
    controller.stop()


@pytest.fixture
def run(db: None) -> ImportRun:
    """A completed import of 100,000 rows, 500 of them rejected, that took eight seconds. Nobody owns it."""
    return ended_run()


def ended_run(**changes: Any) -> ImportRun:
    """Store an import that has ended; `rows` is the sum of its outcomes."""
    now = timezone.now()
    values: dict[str, Any] = {
        "state": ImportRun.State.COMPLETED,
        "file": "imports/x/catalog.csv",
        "filename": "catalog.csv",
        "size": 44_000_000,
        "sha256": "0" * 64,
        "created": 90_000,
        "unchanged": 9_500,
        "rejected": 500,
        "confirmed_at": now - timedelta(seconds=8),
        "finished_at": now,
        **changes,
    }
    run = ImportRun(**values)
    run.rows = run.lines = sum(run.outcomes.values())
    run.save()
    return run


@pytest.fixture
def announce() -> Callable[[ImportRun], list[Message]]:
    """Announce the end of an import as the pipeline does; returns the messages about it."""

    def send(run: ImportRun) -> list[Message]:
        with transaction.atomic():
            import_finished.send(sender=ImportRun, run=run)
        return list(Message.objects.filter(about=run.subject).order_by("pk"))

    return send


@pytest.fixture
def message(run: ImportRun, announce: Callable[[ImportRun], list[Message]]) -> Message:
    """A message that waits for its delivery."""
    return announce(run)[0]


def attempt(message: Message) -> EagerResult:
    """Let a worker do a round for the message, by the real task and engine."""
    first = timezone.now() - timedelta(days=2)
    Message.objects.filter(pk=message.pk, due_at__isnull=False).update(due_at=first)
    with override_settings(MAIL_ROUND_SECONDS=0):  # one message
        result = do_round()
    message.refresh_from_db()
    return result


def do_round() -> EagerResult:
    """Let a worker do the job that waits, or one more."""
    outbox.ensure_round()
    job = Job.objects.filter(kind=outbox.DELIVER).due().latest("pk")
    result: EagerResult = current_app.tasks[job.kind].apply(kwargs={"job_id": job.pk})
    return result
