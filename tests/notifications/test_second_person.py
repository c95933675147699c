"""Whom a preview with strong warnings is told: those who may approve it, once, and not who asks."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from imports import pipeline
from imports.models import ImportRun
from notifications import messages
from notifications.models import Message
from tests.imports.running import confirm, import_rows, row, work
from tests.notifications.conftest import attempt

pytestmark = pytest.mark.django_db(transaction=True)
MANY = [row(f"S{number:02}", price="10") for number in range(20)]
KIND = "import_second_person"


def somebody(name: str, *, may: bool = True, **said: Any) -> User:
    """A member of staff, who may approve it unless said otherwise."""
    user = User.objects.create_user(name, f"{name}@example.com", **{"is_staff": True, **said})
    if may:
        user.user_permissions.add(Permission.objects.get(codename="approve_risky_import"))
    return user


def previewed(owner: User | None, broken: int = 9) -> ImportRun:
    """A preview in which so many of the twenty rows would be rejected."""
    import_rows(MANY)
    rows = [{**one, "price": "x"} if number < broken else one for number, one in enumerate(MANY)]
    run = confirm(rows, preview=True)
    ImportRun.objects.filter(pk=run.pk).update(owner=owner)
    run = work(run)
    assert run.state == "previewed"
    return run


def told(run: ImportRun) -> list[str]:
    return sorted(Message.objects.filter(about=run.subject, kind=KIND).values_list("recipient", flat=True))


def test_those_who_may_approve_it_are_told_and_who_asks_is_not(mailoutbox: Any, settings: Any) -> None:
    settings.SITE_URL = "https://shop.example"
    ada = somebody("ada", may=False)
    for name in ("bob", "cleo"):
        somebody(name)
    somebody("dan", may=False)
    somebody("gone", is_active=False)
    somebody("customer", is_staff=False)
    User.objects.filter(pk=somebody("mute").pk).update(email="")

    run = previewed(ada)

    assert told(run) == ["bob@example.com", "cleo@example.com"]
    mail = Message.objects.filter(kind=KIND).order_by("pk")[0]
    attempt(mail)
    assert (mail.event, mail.subject) == (
        f"import/{run.pk}/second_person",
        f"Import {run.pk} waits for a second person",
    )
    assert [(sent.to, sent.subject) for sent in mailoutbox] == [(["bob@example.com"], mail.subject)]
    assert mail.text.split("\n\n")[2:5] == [
        "ada may not approve it alone. Nothing is written to the catalogue until somebody who may has looked"
        " at it.",
        "Of all rows, 45\u00a0% would be rejected.",
        f"See the preview:\nhttps://shop.example/admin/imports/importrun/{run.pk}/change/",
    ]
    assert "Of all rows, 45\u00a0% would be rejected." in unescape(mail.html)


def test_nobody_is_told_where_the_owner_may_approve_it_or_warnings_are_weak() -> None:
    somebody("bob")

    assert (told(previewed(somebody("ada"))), told(previewed(None, broken=2))) == ([], [])


def test_preview_of_nobody_in_particular_is_told_to_those_who_may() -> None:
    somebody("bob")

    assert told(previewed(None)) == ["bob@example.com"]


def test_preview_is_there_though_the_template_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    somebody("bob")
    monkeypatch.setattr(messages, "render", lambda *args, **more: 1 / 0)

    run = previewed(None)

    mail = Message.objects.get(kind=KIND)
    assert (mail.subject, mail.html) == (f"Import {run.pk} waits for a second person", "")
    assert pipeline.approve(run=run, accept_warnings=True).state == "loading"
