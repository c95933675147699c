"""A round sends what is due, the longest due first, over one connection; what fails holds up nothing else."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from notifications import circuit, composing, delivery, outbox, rounds
from notifications.messages import Rendered
from notifications.models import Circuit, Message
from tasks import queueing
from tasks.models import Job
from tests.notifications.conftest import do_round
from tests.notifications.scripted import Script, serving

pytestmark = pytest.mark.django_db(transaction=True)

BAD = "bad@shop.example"
GREETING = {"EHLO": "250-scripted\r\n250 SMTPUTF8"}


@pytest.fixture(autouse=True)
def smtp(settings: Any) -> Any:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 5
    settings.JOB_RETRY_BASE_SECONDS = 60  # whoever fails is not tried again in the same test by itself
    return settings


def written(*recipients: str, good: int = 0) -> list[Message]:
    """Messages to the recipients, and then to so many that nothing is wrong with."""
    return outbox.write(
        kind="news",
        event=f"news/{Message.objects.count()}",
        about="news",
        recipients=[*recipients, *(f"reader-{at}@shop.example" for at in range(good))],
        content=Rendered("News", "News\n", "<p>News</p>"),
    )


def states(messages: list[Message]) -> list[str]:
    found = dict(Message.objects.values_list("pk", "state"))
    return [found[message.pk] for message in messages]


def ids(messages: list[Message]) -> list[str]:
    return [f"<message-{message.pk}.news@127.0.0.1>" for message in messages]


@contextmanager
def nobody_listens(settings: Any) -> Iterator[None]:
    """A port that is taken, where connections are refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = taken.getsockname()[1]
        yield


def test_messages_go_over_one_connection_the_longest_due_first(smtp: Any) -> None:
    messages = written(good=5)
    Message.objects.filter(pk=messages[3].pk).update(due_at=F("due_at") - timedelta(hours=1))
    script = Script()

    with serving(script) as smtp.EMAIL_PORT:
        do_round()

    assert script.ids == ids([messages[3], *messages[:3], messages[4]])
    assert (script.connections, script.heard) == (1, ["EHLO", *["MAIL", "RCPT", "DATA"] * 5, "QUIT"])
    assert states(messages) == ["sent"] * 5
    assert set(Message.objects.values_list("answer", "attempts", "due_at", "lease_token")) == {
        ("250 Taken as 4711", 1, None, None)
    }


def test_connection_is_replaced_after_so_many_mails(smtp: Any) -> None:
    messages = written(good=5)
    smtp.MAIL_PER_CONNECTION = 2
    script = Script()

    with serving(script) as smtp.EMAIL_PORT:
        do_round()

    assert (script.connections, script.heard.count("QUIT"), script.ids) == (3, 3, ids(messages))


def test_connection_that_was_silent_is_asked_first(smtp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = written(good=2)
    monkeypatch.setattr("notifications.over_smtp.IDLE_SECONDS", -1.0)
    script = Script(says={"NOOP": "421 You were silent for too long"})

    with serving(script) as smtp.EMAIL_PORT:
        do_round()

    assert (states(messages), script.connections) == (["sent", "sent"], 2)
    assert set(Message.objects.values_list("attempts", "doubtful_attempts")) == {(1, 0)}


@pytest.mark.parametrize("parting", [None, "421 Enough"])
def test_connection_that_the_provider_ended_after_a_mail_costs_no_attempt(
    smtp: Any, parting: str | None
) -> None:
    messages = written(good=3)
    script = Script(per_connection=1, parting=parting)

    with serving(script) as smtp.EMAIL_PORT:
        do_round()

    assert (states(messages), script.ids, script.connections) == (["sent"] * 3, ids(messages), 3)
    assert set(Message.objects.values_list("attempts", "doubtful_attempts")) == {(1, 0)}
    assert Circuit.objects.count() == 0


@pytest.mark.parametrize(
    ("says", "state", "connections"),
    [
        ({f"rcpt to:<{BAD}>": "550 Nobody"}, "failed", 1),
        ({f"rcpt to:<{BAD}>": "451 Come again"}, "queued", 1),
        ({f"rcpt to:<{BAD}>": "421 Go away"}, "queued", 2),
        ({f"rcpt to:<{BAD}>": None}, "queued", 2),
    ],
    ids=["refused for good", "refused for now", "421", "hangs up"],
)
def test_recipient_that_fails_holds_up_nobody(
    smtp: Any, says: dict[str, str | None], state: str, connections: int
) -> None:
    first, bad, *others = written("early@shop.example", BAD, good=3)
    script = Script(says=says)

    with serving(script) as smtp.EMAIL_PORT:
        do_round()

    assert states([first, bad, *others]) == ["sent", state, "sent", "sent", "sent"]
    assert (script.ids, script.connections) == (ids([first, *others]), connections)


def test_recipient_at_whom_the_provider_always_hangs_up_keeps_nobody_waiting(smtp: Any) -> None:
    (bad,) = written(BAD)
    smtp.JOB_RETRY_BASE_SECONDS, smtp.MAIL_PAUSE_SECONDS, smtp.MAIL_ATTEMPTS = 0, 0, 6
    smtp.MAIL_ROUND_SECONDS = 0
    script = Script(says={f"rcpt to:<{BAD}>": None})

    with serving(script) as smtp.EMAIL_PORT:
        for _ in range(5):
            do_round()
        assert (Circuit.objects.get().failures, states([bad])) == (5, ["queued"])
        others = written(good=2)
        for _ in range(3):
            do_round()

    assert (states(others), states([bad])) == (["sent", "sent"], ["failed"])
    assert script.ids == ids(others)


def test_provider_that_is_down_costs_no_attempt_and_is_asked_less_and_less(smtp: Any) -> None:
    messages = written(good=3)
    smtp.MAIL_PAUSE_SECONDS = 10
    with nobody_listens(smtp):
        for failures in (1, 2, 3, 3, 3):  # then it is left in peace
            do_round()
            assert Circuit.objects.get().failures == failures
        pauses = []
        for _ in range(3):
            _let_the_pause_pass()
            do_round()
            pauses.append((Circuit.objects.get().paused_until - timezone.now()).total_seconds())

    grown = [0.79 < pause / most <= 1 for pause, most in zip(pauses, (20, 40, 60), strict=True)]
    assert grown == [True] * 3, pauses
    assert states(messages) == ["queued"] * 3
    assert set(Message.objects.values_list("attempts", "error", "lease_token")) == {(0, "", None)}
    assert Job.objects.filter(kind=outbox.DELIVER, run_after__gt=timezone.now()).exists()


def test_backlog_goes_out_in_order_of_age_once_the_provider_is_back(smtp: Any) -> None:
    backlog = written(good=3)
    with nobody_listens(smtp):
        for _ in range(4):
            do_round()
    backlog += written("late@shop.example")
    script = Script()

    with serving(script) as smtp.EMAIL_PORT:
        Circuit.objects.update(provider=f"127.0.0.1:{smtp.EMAIL_PORT}")
        do_round()
        assert script.connections == 0  # its pause is not over
        _let_the_pause_pass()
        do_round()

    assert (script.ids, states(backlog)) == (ids(backlog), ["sent"] * 4)
    now = Circuit.objects.get()
    assert (now.failures, now.failing_since, now.paused_until) == (0, None, None)


def test_one_worker_tries_after_a_pause_and_the_others_wait(smtp: Any) -> None:
    written(good=1)
    with nobody_listens(smtp):
        for _ in range(3):
            do_round()
    _let_the_pause_pass()

    assert (circuit.admit(), 60 < circuit.admit() < 90, circuit.paused_for() > 60) == (0, True, True)


def _let_the_pause_pass() -> None:
    Circuit.objects.update(paused_until=timezone.now())
    Job.objects.all().delete()


def test_provider_that_hangs_up_on_everybody_is_left_in_peace(smtp: Any) -> None:
    messages = written(good=6)
    script = Script(says={"MAIL": None})

    with serving(script) as smtp.EMAIL_PORT:
        do_round()
        do_round()

    assert script.connections == 3
    assert sorted(Message.objects.values_list("attempts", flat=True)) == [0, 0, 0, 1, 1, 1]
    assert states(messages) == ["queued"] * 6


def test_mails_do_not_go_faster_than_the_rate(smtp: Any) -> None:
    messages = written(good=5)
    smtp.MAIL_RATE = 20
    script = Script()

    with serving(script) as smtp.EMAIL_PORT:
        began = time.monotonic()
        do_round()
        taken = time.monotonic() - began

    assert (states(messages), taken >= 4 / 20) == (["sent"] * 5, True)


def test_rate_holds_across_rounds_and_pins_no_worker(smtp: Any) -> None:
    messages = written(good=2)
    smtp.MAIL_RATE, smtp.MAIL_ROUND_SECONDS = 0.01, 0.2
    script = Script()

    with serving(script) as smtp.EMAIL_PORT:
        began = time.monotonic()
        do_round()
        do_round()
        taken = time.monotonic() - began

    assert (states(messages), len(script.mails), taken < 5) == (["sent", "queued"], 1, True)
    assert Message.objects.get(pk=messages[1].pk).attempts == 0


def test_provider_gets_no_more_connections_than_it_bears(smtp: Any) -> None:
    messages = written(good=1)
    smtp.MAIL_CONNECTIONS = 0
    script = Script()

    with serving(script) as smtp.EMAIL_PORT:
        do_round()

    assert (states(messages), script.connections) == (["queued"], 0)


@pytest.mark.parametrize(
    ("recipient", "reason"),
    [
        ("kim@shop.example\nBcc: all@shop.example", "is not a mail address"),
        ("kim", "is not a mail address"),
        ("kim@", "is not a mail address"),
        ("kim lee@shop.example", "is not a mail address"),
        ("k\u202eim@shop.example", "is not a mail address"),
        ("k" * 300 + "@shop.example", "is too long for a mail address: 313 characters."),
        ("kïm@shop.example", "knows only addresses with plain letters before the @"),
    ],
    ids=["line break", "no domain", "nothing after the @", "space", "turned round", "too long", "SMTPUTF8"],
)  # fmt: skip
def test_address_that_can_not_be_written_to_is_failed_and_blocks_nobody(
    smtp: Any, recipient: str, reason: str
) -> None:
    bad, good = written(recipient, "kim@shop.example")
    script = Script()

    with serving(script) as smtp.EMAIL_PORT:
        do_round()

    bad.refresh_from_db()
    assert (bad.state, bad.is_on_its_way) == ("failed", False)
    assert (states([good]), script.ids) == (["sent"], ids([good]))
    assert reason in bad.error


@pytest.mark.parametrize(
    ("recipient", "told"),
    [("kïm@bücher.example", "kïm@bücher.example"), ("kim@bücher.example", "kim@xn--bcher-kva.example")],
)
def test_address_in_letters_of_its_own_is_written_to(smtp: Any, recipient: str, told: str) -> None:
    (message,) = written(recipient)
    script = Script(says={**GREETING, f"rcpt to:<{told}>": "250 Understood", "RCPT": "550 What?"})

    with serving(script) as smtp.EMAIL_PORT:
        do_round()

    message.refresh_from_db()
    assert (message.state, message.error) == ("sent", "")


def test_message_that_nobody_can_put_together_is_tried_later_and_blocks_nobody(
    smtp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = written(BAD, good=2)
    checked = composing.checked
    monkeypatch.setattr(composing, "checked", lambda to: checked(to) if to != BAD else 1 / 0)

    with serving(Script()) as smtp.EMAIL_PORT:
        do_round()

    assert states(messages) == ["queued", "sent", "sent"]
    messages[0].refresh_from_db()
    assert "ZeroDivisionError" in messages[0].error


def test_message_held_back_after_it_was_reserved_is_not_sent(
    smtp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = written(good=2)
    begin = delivery.begin

    def meanwhile(claim: Any, reserved: Message, **more: Any) -> Message | None:
        Message.objects.filter(pk=second.pk).update(state=Message.State.SUPPRESSED)
        return begin(claim, reserved, **more)

    monkeypatch.setattr(delivery, "begin", meanwhile)
    script = Script()
    with serving(script) as smtp.EMAIL_PORT:
        do_round()

    assert (states([first, second]), script.ids) == (["sent", "suppressed"], ids([first]))


def test_messages_of_several_events_need_one_round(smtp: Any) -> None:
    for _ in range(5):
        written(good=1)

    assert Job.objects.filter(kind=outbox.DELIVER).count() == 1


def test_message_that_no_round_waits_for_is_found_by_the_look(smtp: Any) -> None:
    written(good=1)
    Job.objects.all().delete()  # its writer died before it could see to one

    rounds.look()
    rounds.look()

    assert Job.objects.filter(kind=outbox.DELIVER).due().count() == 1


def test_round_goes_on_while_nobody_can_be_told_to_follow(smtp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = written(good=3)
    smtp.MAIL_ROUND_SECONDS = 0

    def dead(job: Job) -> bool:
        Job.objects.filter(pk=job.pk).update(hinted_at=None)
        return False

    with serving(Script()) as smtp.EMAIL_PORT:
        monkeypatch.setattr(queueing, "send_hint", dead)
        do_round()

    assert states(messages) == ["sent"] * 3
