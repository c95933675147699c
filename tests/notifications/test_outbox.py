"""Messages are written with the event they tell of, once, for the right people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from imports.models import ImportRun
from imports.signals import import_finished
from notifications import import_words, outbox
from notifications.models import Message
from tasks.models import Job
from tests.notifications.conftest import Provider, attempt, ended_run

pytestmark = pytest.mark.django_db(transaction=True)

Announce = Callable[[ImportRun], list[Message]]


def person(name: str, **values: Any) -> Any:
    """Store a user with the address `<name>@shop.example`."""
    return get_user_model().objects.create(username=name, **{"email": f"{name}@shop.example", **values})


def recipients(written: list[Message]) -> list[str]:
    return [message.recipient for message in written]


def test_finished_import_writes_a_message_and_its_delivery(run: ImportRun, announce: Announce) -> None:
    (message,) = announce(run)

    assert (message.kind, message.event, message.about, message.state) == (
        "import_finished",
        f"import/{run.pk}/completed",
        f"import/{run.pk}",
        "queued",
    )
    job = Job.objects.get()
    assert (job.kind, job.queue, job.title) == (outbox.DELIVER, "mail", "Mails that are due")
    assert message.is_on_its_way


def test_sender_with_an_expression_in_its_copy_gives_the_stored_figures(
    run: ImportRun, announce: Announce
) -> None:
    run.finished_at = Now()
    run.rejected = 1

    told = announce(run)[0].text.splitlines()
    assert "99.5 % of the rows were accepted, in 8.0 seconds (12,500 rows a second)." in told


def test_finish_that_is_rolled_back_writes_nothing(run: ImportRun) -> None:
    with transaction.atomic():
        import_finished.send(sender=ImportRun, run=run)
        transaction.set_rollback(True)

    assert (Message.objects.count(), Job.objects.count()) == (0, 0)


def test_finish_announced_twice_writes_one_message(run: ImportRun, announce: Announce) -> None:
    announce(run)

    assert len(announce(run)) == 1
    assert Job.objects.count() == 1


def test_second_message_of_the_same_event_can_not_be_stored(message: Message) -> None:
    with pytest.raises(IntegrityError, match="message_once_per_event"):
        Message.objects.create(kind=message.kind, event=message.event, recipient=message.recipient)


def test_owner_is_told(announce: Announce) -> None:
    person("boss", is_superuser=True)

    assert recipients(announce(ended_run(owner=person("olga")))) == ["olga@shop.example"]


@pytest.mark.parametrize("owner", [{"email": ""}, {"is_active": False}, None])
def test_superusers_are_told_without_a_reachable_owner(
    announce: Announce, owner: dict[str, Any] | None
) -> None:
    person("boss", is_superuser=True)
    person("chief", is_superuser=True)
    person("gone", is_superuser=True, is_active=False)
    person("mute", is_superuser=True, email="")
    person("clerk", is_staff=True)
    run = ended_run(owner=person("olga", **owner) if owner is not None else None)

    assert recipients(announce(run)) == ["boss@shop.example", "chief@shop.example"]


def test_addresses_of_the_setting_go_before_superusers(
    run: ImportRun, announce: Announce, settings: Any
) -> None:
    person("boss", is_superuser=True)
    settings.IMPORT_MAIL_TO = ["ops@shop.example", "data@shop.example", "ops@shop.example"]

    assert recipients(announce(run)) == ["ops@shop.example", "data@shop.example"]


def test_shop_itself_is_told_when_there_is_nobody_else(
    run: ImportRun, announce: Announce, settings: Any
) -> None:
    settings.SHOP_EMAIL = "hello@shop.example"

    assert recipients(announce(run)) == ["hello@shop.example"]


def test_broken_template_gives_a_plain_mail_and_the_import_goes_on(
    run: ImportRun, announce: Announce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_words, "duration", lambda seconds: 1 / 0)

    (message,) = announce(run)

    assert (message.subject, message.html) == (f"Import {run.pk}: completed", "")
    assert message.text == (
        f"Import {run.pk}: completed\ncatalog.csv\n\n\ncreated: 90,000\nupdated: 0\nunchanged: 9,500\n"
        "removed: 0\nmerged: 0\nskipped: 0\nsuperseded: 0\nrejected: 500\npending: 0\nrows: 100,000\n"
    )


def test_resend_is_a_new_message_linked_to_the_first(provider: Provider, message: Message) -> None:
    attempt(message)

    again = outbox.resend(message)
    attempt(again)
    third = outbox.resend(again)

    assert again.resend_of == third.resend_of == message
    assert (again.state, again.subject, again.recipient) == ("sent", message.subject, message.recipient)
    assert len({mail["Message-ID"] for mail in provider.mails}) == 2


def test_resend_of_a_message_on_its_way_is_refused(message: Message) -> None:
    with pytest.raises(outbox.StillOnItsWay) as refusal:
        outbox.resend(message)

    assert str(refusal.value) == f"Message {message.pk} is still on its way; it is tried again by itself."
    assert Message.objects.count() == 1
