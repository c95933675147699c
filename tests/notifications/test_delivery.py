"""Delivery against a real SMTP server that refuses, stumbles and hangs up; through the real engine."""

from __future__ import annotations

import json
import socket
import tracemalloc
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from notifications import delivery, outbox
from notifications.models import Circuit, Message
from tasks import claiming
from tasks.models import Job
from tasks.sweeping import sweep
from tests.notifications.conftest import Provider, attempt, do_round

pytestmark = pytest.mark.django_db(transaction=True)


def states(message: Message) -> tuple[str, str]:
    """Of the message, and whether it is over."""
    return message.state, "on its way" if message.is_on_its_way else "over"


def hinted_tasks(client: redis.Redis) -> list[str]:
    """The names of the tasks whose hints wait in the mail queue."""
    return [json.loads(hint)["headers"]["task"] for hint in client.lrange("mail", 0, -1)]


def test_message_arrives_as_it_was_written(provider: Provider, message: Message, settings: Any) -> None:
    an_hour_ago = timezone.now().replace(microsecond=0) - timedelta(hours=1)
    Message.objects.filter(pk=message.pk).update(created_at=an_hour_ago)

    attempt(message)

    assert states(message) == ("sent", "over")
    assert (message.attempts, message.answer, message.error) == (1, "250 Taken as 4711", "")
    (mail,) = provider.mails
    assert mail["Message-ID"] == f"<message-{message.pk}.import_finished@127.0.0.1>" == message.message_id
    assert mail["Date"].datetime == an_hour_ago
    assert (mail["From"], mail["To"]) == (settings.DEFAULT_FROM_EMAIL, message.recipient)
    assert (mail["Subject"], mail["Auto-Submitted"]) == (message.subject, "auto-generated")
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text.get_content().replace("\r\n", "\n") == message.text
    assert html.get_content().replace("\r\n", "\n").strip() == message.html.strip()


def test_connection_that_delivered_keeps_no_values_of_later_statements(
    provider: Provider, message: Message
) -> None:
    attempt(message)
    tracemalloc.start()
    try:
        for number in range(20):  # an import's statements are megabytes long
            assert not Message.objects.filter(subject=f"{number}" * 500_000).exists()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert provider.mails
    assert kept < 1_000_000


def test_message_delivered_twice_at_once_arrives_once(provider: Provider, message: Message) -> None:
    attempt(message)

    attempt(message)
    assert (message.attempts, len(provider.mails)) == (1, 1)


def test_recipient_refused_for_good_is_failed_with_the_answer(provider: Provider, message: Message) -> None:
    provider.on_recipient = ["550 No such mailbox"]

    attempt(message)

    assert states(message) == ("failed", "over")
    assert message.error == f"Mail server 127.0.0.1:{_port()} refused it for good: 550 No such mailbox"
    assert (message.attempts, provider.mails) == (1, [])


def test_text_refused_for_good_is_failed(provider: Provider, message: Message) -> None:
    provider.on_text = ["554 Looks like spam"]

    attempt(message)

    assert states(message) == ("failed", "over")
    assert message.error == f"Mail server 127.0.0.1:{_port()} refused it for good: 554 Looks like spam"


@pytest.mark.parametrize("answer", ["451 Greylisted, come again", "421 Closing down"])
def test_recipient_refused_for_now_is_tried_again(provider: Provider, message: Message, answer: str) -> None:
    provider.on_recipient = [answer]

    attempt(message)

    assert states(message) == ("queued", "on its way")
    assert message.error == f"Mail server 127.0.0.1:{_port()} refused it for now: {answer}"
    attempt(message)
    assert states(message) == ("sent", "over")
    assert (message.attempts, message.doubtful_attempts, message.error) == (2, 0, "")
    assert len(provider.mails) == 1


def test_text_refused_for_now_is_tried_again_without_doubt(provider: Provider, message: Message) -> None:
    provider.on_text = ["452 Disk full"]

    attempt(message)

    assert states(message) == ("queued", "on its way")
    attempt(message)
    assert (message.state, message.doubtful_attempts) == ("sent", 0)


def test_connection_lost_before_the_text_is_tried_again_without_doubt(
    provider: Provider, message: Message
) -> None:
    provider.hang_up_before_text = 1

    attempt(message)

    assert states(message) == ("queued", "on its way")
    attempt(message)
    assert (message.state, message.doubtful_attempts, len(provider.mails)) == ("sent", 0, 1)


def test_connection_lost_after_the_text_is_uncertain_and_repeated_with_the_same_id(
    provider: Provider, message: Message
) -> None:
    provider.hang_up_after_text = 1

    attempt(message)

    assert states(message) == ("uncertain", "on its way")
    assert message.error.startswith("The connection to Mail server 127.0.0.1:")
    attempt(message)
    assert states(message) == ("sent", "over")
    assert message.may_be_double
    first, second = provider.mails
    assert first.as_bytes().replace(_boundary(first), b"") == second.as_bytes().replace(
        _boundary(second), b""
    )
    assert first["Message-ID"] == second["Message-ID"] == message.message_id


def test_headers_stay_as_they_were_at_the_first_attempt(
    provider: Provider, message: Message, settings: Any
) -> None:
    provider.on_recipient = ["451 Come again"]
    attempt(message)
    first = message.headers

    settings.SITE_URL, settings.DEFAULT_FROM_EMAIL = "https://new.example", "new@new.example"
    attempt(message)

    assert message.headers == first
    assert {name: provider.mails[0][name] for name in first} == first


def test_nobody_listening_is_tried_again(provider: Provider, message: Message, settings: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: refuses
        settings.EMAIL_PORT = taken.getsockname()[1]

        attempt(message)

    assert (*states(message), message.attempts) == ("queued", "on its way", 0)
    assert Circuit.objects.get().error.startswith(
        f"Mail server 127.0.0.1:{_port()} can't be reached or broke off:"
    )


def test_silent_server_is_given_up_after_the_timeout(
    provider: Provider, message: Message, settings: Any
) -> None:
    settings.EMAIL_TIMEOUT = 0.2
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_PORT = silent.getsockname()[1]

        attempt(message)

    assert (message.state, message.doubtful_attempts) == ("queued", 0)


def test_message_is_failed_when_no_attempt_is_left(
    provider: Provider, message: Message, settings: Any
) -> None:
    settings.MAIL_ATTEMPTS = 1
    provider.on_recipient = ["451 Come again"]

    attempt(message)

    assert states(message) == ("failed", "over")
    assert message.error == f"Mail server 127.0.0.1:{_port()} refused it for now: 451 Come again"


def test_message_is_uncertain_when_no_attempt_is_left_after_a_doubtful_one(
    provider: Provider, message: Message, settings: Any
) -> None:
    settings.MAIL_ATTEMPTS = 1
    provider.hang_up_after_text = 1

    attempt(message)

    assert states(message) == ("uncertain", "over")


def lose_a_worker(*, holding: Message) -> None:
    """Let a round begin with the message, and then its process be gone."""
    claim = begun_round()
    reserved = {one.pk: one for one in delivery.reserve(claim, limit=10)}
    assert delivery.begin(claim, reserved[holding.pk]) is not None
    expire_lease(claim.job)


def begun_round() -> claiming.Claim:
    outbox.ensure_round()
    claim = claiming.claim(job_id=Job.objects.filter(kind=outbox.DELIVER).due().latest("pk").pk)
    assert claim is not None
    return claim


def test_worker_lost_while_sending_is_followed_by_a_flagged_second_attempt(
    provider: Provider, message: Message
) -> None:
    lose_a_worker(holding=message)

    do_round()

    message.refresh_from_db()
    assert states(message) == ("sent", "over")
    assert (message.attempts, message.doubtful_attempts, message.may_be_double) == (2, 1, True)
    assert list(message.tries.values_list("number", "outcome", "said")) == [
        (1, "unknown", "Its worker stopped before it could tell."),
        (2, "sent", "250 Taken as 4711"),
    ]


def test_worker_lost_before_it_began_leaves_no_doubt(provider: Provider, message: Message) -> None:
    claim = begun_round()
    assert delivery.reserve(claim, limit=10) == [message]
    expire_lease(claim.job)

    do_round()

    message.refresh_from_db()
    assert (message.state, message.attempts, message.may_be_double) == ("sent", 1, False)


def test_message_of_a_round_that_lives_is_left_to_it(provider: Provider, message: Message) -> None:
    claim = begun_round()
    delivery.reserve(claim, limit=10)

    do_round()

    message.refresh_from_db()
    assert (states(message), provider.mails) == (("queued", "on its way"), [])


def test_worker_without_its_lease_writes_nothing(provider: Provider, message: Message) -> None:
    slow = begun_round()
    (reserved,) = delivery.reserve(slow, limit=10)
    expire_lease(slow.job)
    assert claiming.claim(job_id=slow.job.pk) is not None  # somebody else has the job now

    with pytest.raises(claiming.LeaseLost):
        delivery.begin(slow, reserved)

    message.refresh_from_db()
    assert (message.state, message.attempts) == ("queued", 0)


def test_worker_that_wakes_up_late_does_not_overwrite_its_successors_answer(
    provider: Provider, message: Message
) -> None:
    slow = begun_round()
    (reserved,) = delivery.reserve(slow, limit=10)
    begun = delivery.begin(slow, reserved)
    assert begun is not None
    expire_lease(slow.job)
    do_round()

    with pytest.raises(claiming.LeaseLost):
        delivery.record_sent(slow, delivery.Sent(begun, "250 Too late"))

    message.refresh_from_db()
    assert (message.answer, message.doubtful_attempts) == ("250 Taken as 4711", 1)
    assert list(message.tries.values_list("outcome", flat=True)) == ["unknown", "sent"]


def test_worker_killed_in_its_last_attempt_leaves_the_message_uncertain(
    provider: Provider, message: Message, settings: Any
) -> None:
    lose_a_worker(holding=message)
    settings.MAIL_ATTEMPTS = 1

    do_round()

    message.refresh_from_db()
    assert (states(message), provider.mails) == (("uncertain", "over"), [])
    assert message.error == "Gave up after 1 attempts; in the last one its worker vanished."


@pytest.mark.parametrize(
    "recipient",
    ["nobody", "a@b@c.example", "a@shop.example\nBcc: x@y.example", ""],
)
def test_impossible_address_is_failed_with_what_to_do(
    provider: Provider, message: Message, recipient: str
) -> None:
    Message.objects.filter(pk=message.pk).update(recipient=recipient)

    attempt(message)

    assert states(message) == ("failed", "over")
    assert message.error == (
        f"{recipient!r} is not a mail address (something like name@example.com). "
        "Correct it where it is kept, then send the message again."
    )
    assert provider.mails == []


def test_message_whose_hint_was_lost_is_sent_after_a_sweep(
    provider: Provider, message: Message, settings: Any
) -> None:
    settings.JOB_HINT_PATIENCE_SECONDS = 0
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushdb()

    assert sweep() == {"buried": 0, "sent": 1}

    assert hinted_tasks(client) == [outbox.DELIVER]
    attempt(message)
    assert message.state == "sent"


def test_other_backends_than_smtp_are_used_as_they_are(
    message: Message, mailoutbox: list[EmailMessage]
) -> None:
    attempt(message)

    assert [mail.to for mail in mailoutbox] == [[message.recipient]]
    assert message.answer == "taken by django.core.mail.backends.locmem.EmailBackend"


def test_message_id_is_sound_when_the_site_has_a_numeric_address(message: Message, settings: Any) -> None:
    settings.SITE_URL = "http://[::1]:8000"

    attempt(message)

    assert message.message_id == f"<message-{message.pk}.import_finished@localhost>"


def expire_lease(job: Job, **changes: Any) -> None:
    """Make the engine believe that the worker has been silent for too long.

    There is no backend to end: in these tests the lost worker's is our own.
    """
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now(), backend_pid=None, **changes)


def _port() -> int:
    return int(settings.EMAIL_PORT)


def _boundary(mail: Any) -> bytes:
    return str(mail.get_boundary()).encode()
