"""What becomes of a mail whatever the server does, and that the next attempt brings it: never lost, and
doubled only where nobody can know, with the same Message-ID."""

from __future__ import annotations

from typing import Any

import pytest

from notifications.models import Message
from tests.notifications.conftest import attempt
from tests.notifications.scripted import Script, serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True, params=[[], ["250 PIPELINING"]], ids=["one by one", "in one go"])
def smtp(settings: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """To servers that take one command at a time, and to those that take several."""
    monkeypatch.setattr("tests.notifications.scripted.EXTENSIONS", request.param)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 0.3
    settings.JOB_RETRY_BASE_SECONDS = 0
    return settings


def tried(message: Message, script: Script, settings: Any) -> str:
    """Let a worker send the message to a server that follows the script; returns the message's state."""
    with serving(script) as settings.EMAIL_PORT:
        attempt(message)
    return str(message.state)


@pytest.mark.parametrize(
    "script",
    [
        Script(says={"": None}),
        Script(says={"": "421 Too busy"}),
        Script(says={"MAIL": "451 Come again"}),
        Script(says={"RCPT": "421 Closing down"}),
        Script(says={"RCPT": "451 Come again"}),
        Script(says={"RCPT": None}),
        Script(says={"DATA": "451 Come again"}),
        Script(says={"DATA": None}),
        Script(says={".": "421 Closing down"}),
        Script(says={".": "452 Disk full"}),
    ],
    ids=[
        "hangs up at once", "421 greeting", "451 sender", "421 recipient", "451 recipient",
        "lost at the recipient", "451 before the text", "lost before the text", "421 to the text",
        "452 to the text",
    ],
)  # fmt: skip
def test_mail_that_certainly_did_not_arrive_is_sent_once_later(
    script: Script, message: Message, smtp: Any
) -> None:
    assert tried(message, script, smtp) == "queued"

    good = Script()
    assert (tried(message, good, smtp), message.doubtful_attempts) == ("sent", 0)
    assert good.ids == [message.message_id]
    assert message.answer == "250 Taken as 4711"


def test_mail_whose_connection_is_lost_amid_the_text_is_sent_once_later(message: Message, smtp: Any) -> None:
    # Larger than what systems keep on the way: its final dot can't have left when the server goes.
    Message.objects.filter(pk=message.pk).update(text=("x" * 900 + "\n") * 14_000, html="")
    smtp.EMAIL_TIMEOUT = 5

    assert tried(message, Script(texts_read=1000), smtp) == "queued"

    good = Script()
    assert (tried(message, good, smtp), message.doubtful_attempts, good.ids) == (
        "sent",
        0,
        [message.message_id],
    )


@pytest.mark.parametrize("how", [{"says": {".": None}}, {"is_silent": True}], ids=["lost", "silent"])
def test_mail_that_may_have_arrived_is_uncertain_and_repeated_with_the_same_id(
    how: dict[str, Any], message: Message, smtp: Any
) -> None:
    script = Script(**how)
    assert tried(message, script, smtp) == "uncertain"

    good = Script()
    assert (tried(message, good, smtp), message.doubtful_attempts) == ("sent", 1)
    assert script.ids == good.ids == [message.message_id]
    assert message.may_be_double


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ({"MAIL": "550 You?"}, "550 You?"),
        ({"RCPT": "550 Nobody"}, "550 Nobody"),
        ({"RCPT": "550 Nobody", "DATA": "554 No recipient"}, "550 Nobody"),
        ({".": "554 Spam"}, "554 Spam"),
    ],
    ids=["sender", "recipient", "recipient, then the text", "text"],
)
def test_mail_that_is_refused_for_good_is_not_tried_again(
    says: dict[str, str | None], expected: str, message: Message, smtp: Any
) -> None:
    assert tried(message, Script(says=says), smtp) == "failed"

    assert message.error.endswith(f"refused it for good: {expected}")
    assert not message.is_on_its_way


def test_mail_whose_goodbye_is_lost_is_sent(message: Message, smtp: Any) -> None:
    script = Script(says={"QUIT": None})

    assert (tried(message, script, smtp), len(script.mails), message.doubtful_attempts) == ("sent", 1, 0)
