"""The mails that went to a customer: part of what is handed out to them, and erased with the rest."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat, Lower

from notifications.account_mail import KIND
from notifications.models import Message
from shop import personal_data
from shop.personal_data import Person


def connect() -> None:
    """Have exports and erasures include mails; called once, when Django is ready."""
    personal_data.register("mails", held=held, erase=erase)


def held(person: Person) -> list[dict[str, Any]]:
    """When which mail went to the person, with its text, unless a link in it lets its reader in."""
    return [
        {
            "to": message.recipient,
            "subject": message.subject,
            "created_at": message.created_at,
            "sent_at": message.sent_at,
            **({} if message.kind == KIND else {"text": message.text}),
        }
        for message in _of(person).order_by("pk")
    ]


def erase(person: Person) -> int:
    """Empty the mails to the person. One that still waits fails for its address; one under way may arrive."""
    nobody = Concat(Value("erased "), Cast("pk", TextField()))
    nothing = {"text": "", "html": "", "headers": {}, "answer": "", "error": ""}
    return _of(person).update(recipient=nobody, subject="(erased)", **nothing)


def _of(person: Person) -> QuerySet[Message]:
    """Those to addresses that are the person's. Of an account's own that nobody verified, only what is about
    the account: anybody can sign up with anybody's, and the other mails there may be that person's."""
    own = {person.user.email.lower()} - {""} if person.user else set[str]()
    theirs = Q(to__in=person.addresses) | Q(to__in=own, kind=KIND)
    return Message.objects.alias(to=Lower("recipient")).filter(theirs)
