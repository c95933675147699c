"""What holds for every kind of mail that the registry has, in every language."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.conf import settings

from notifications import kinds, outbox, showing
from notifications.kinds import Kind
from notifications.messages import Rendered
from notifications.models import Message
from tests.notifications.conftest import Provider, attempt

stored = pytest.mark.django_db(transaction=True)

TEMPLATES = settings.BASE_DIR / "notifications" / "templates" / "notifications"
SAMPLES = [
    pytest.param(kind, shape, language, id=f"{kind.name}-{shape}-{language}")
    for kind in kinds.every()
    for shape in kind.samples
    for language in settings.MAIL_LANGUAGES
]
# Shapes of another kind, with templates of their own.
SHAPES = {"undo_finished": "import_finished"}


def words(text: str) -> set[str]:
    """Words and figures of a text; what is an address of the web counts as one."""
    return {word.strip(".,:()–-").casefold() for word in re.sub(r"[\s|]+", " ", text).split()} - {""}


def seen(html: str) -> str:
    """What a reader of the HTML sees, with the addresses that its links lead to."""
    body = re.sub(r"<(style|title)\b.*?</\1>", " ", html, flags=re.S)
    links = " ".join(re.findall(r'href="([^"]*)"', body))
    return unescape(re.sub(r"<[^>]+>", " ", body) + " " + links)


@pytest.mark.parametrize(("kind", "shape", "language"), SAMPLES)
def test_mail_of_a_kind_is_sound(kind: Kind, shape: str, language: str) -> None:
    content = kind.samples[shape](language)

    assert content.subject == " ".join(content.subject.split())
    assert 0 < len(content.subject) < 100
    assert showing.size_of(content) < 100_000
    loads = [
        sign for sign in ("src=", "<link", "@import", "url(", "<script", "<form") if sign in content.html
    ]
    assert loads == []
    assert f'lang="{language}"' in content.html
    # Both parts tell the same: every figure and link, and in nearly the same words.
    told, shown = words(content.text), words(seen(content.html))
    subject = words(content.subject)
    differing = (told ^ shown) - subject
    assert {word for word in differing if re.search(r"[\d/]", word)} == set()
    assert len(differing) <= 0.15 * len(told | shown)


def test_every_folder_of_templates_belongs_to_a_kind() -> None:
    folders = {path.parent.name for path in TEMPLATES.glob("*/subject.txt")}

    assert {SHAPES.get(folder, folder) for folder in folders} == {kind.name for kind in kinds.every()}


@stored
def test_headers_of_every_kind_are_right(provider: Provider) -> None:
    for kind in kinds.every():
        content = next(iter(kind.samples.values()))("en")
        (message,) = outbox.write(
            kind=kind.name, event="x", about="x", recipients=["kim@example.com"], content=content
        )
        attempt(message)

        mail = provider.mails[-1]
        assert (mail["To"], mail["Subject"]) == ("kim@example.com", content.subject)
        assert mail["Message-ID"] == message.message_id
        assert (mail["Auto-Submitted"], mail["Date"] is None) == ("auto-generated", False)
        if not kind.is_optional:
            assert (kind.name, mail["List-Unsubscribe"]) == (kind.name, None)
        parts = [part.get_content_type() for part in mail.walk() if not part.is_multipart()]
        assert parts[:2] == ["text/plain", "text/html"]


def test_mails_that_let_their_reader_in_are_never_switched_off_or_held_back_as_spam() -> None:
    account = kinds.named(outbox.ACCOUNT)

    assert (account.can_be_off, account.is_needed) == (False, True)


@stored
def test_kind_that_nobody_registered_is_sent_like_any_other(provider: Provider) -> None:
    content = Rendered("Hello", "text", "")

    (message,) = outbox.write(
        kind="of_old", event="x", about="x", recipients=["kim@example.com"], content=content
    )
    attempt(message)

    assert message.state == Message.State.SENT


@stored
def test_attempts_are_kept_with_what_the_provider_said(provider: Provider, message: Message) -> None:
    provider.on_recipient = ["451 Come again"]
    provider.hang_up_after_text = 1
    for _ in range(3):
        attempt(message)

    tried = list(message.tries.values_list("number", "outcome"))
    said: list[Any] = [one.said for one in message.tries.all()]
    assert tried == [(1, "not_sent"), (2, "unknown"), (3, "sent")]
    assert said[0].endswith("451 Come again")
    assert "may have arrived" in said[1]
    assert said[2] == "250 Taken as 4711"
    assert all(one.began_at <= one.ended_at for one in message.tries.all())


@stored
def test_attempt_whose_worker_vanished_is_kept_as_unknown(provider: Provider, message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(state="sending", attempts=1)

    attempt(message)

    assert list(message.tries.values_list("number", "outcome", "said")) == [
        (1, "unknown", "Its worker stopped before it could tell."),
        (2, "sent", "250 Taken as 4711"),
    ]
