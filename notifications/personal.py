"""The mails that went to a customer: part of what is handed out to them, and erased with the rest."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Case, CharField, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Concat, Lower

from notifications import holding
from notifications.account_mail import KIND
from notifications.models import Message, MessageAttempt, ProviderEvent, Suppression
from notifications.order_mails import order_page
from notifications.subscription_mails import links
from shop import personal_data
from shop.personal_data import Person

_STATE = Message.State
_WHY = "Its recipient's data was erased before it went out."


def connect() -> None:
    """Have exports and erasures include mails; called once, when Django is ready."""
    personal_data.register("mails", held=held, erase=erase)
    personal_data.register("held_back_addresses", held=held_back, erase=forget_held_back)


def held(person: Person) -> list[dict[str, Any]]:
    """When which mail went to the person, with its text, but without what lets a reader in: links of mails
    about the account, those to orders' pages, and those of mails that were asked for."""
    pages = [order_page(order) for order in personal_data.orders_of(person)]
    pages += [link for one in personal_data.subscriptions_of(person) for link in links(one)]
    return [
        {
            "to": message.recipient,
            "subject": message.subject,
            "created_at": message.created_at,
            "sent_at": message.sent_at,
            **({} if message.kind == KIND else {"text": _without(pages, message.text)}),
        }
        for message in _of(person).order_by("pk")
    ]


@transaction.atomic
def erase(person: Person) -> int:
    """Empty the mails to the person. One that waits is held back; one under way may arrive."""
    mails = list(_of(person).order_by("pk").values_list("pk", flat=True))
    MessageAttempt.objects.filter(message__in=mails).update(said="")
    ProviderEvent.objects.filter(message__in=mails).update(said="")
    nobody = Concat(Value("erased "), Cast("pk", TextField()))
    emptied = dict.fromkeys(["text", "html", "answer", "attachment", "unsubscribe_url", "provider_id"], "")
    waits = When(state=_STATE.QUEUED, then=Value(_STATE.SUPPRESSED))
    why = When(state=_STATE.QUEUED, then=Value(_WHY))
    Message.objects.filter(pk__in=mails).update(
        recipient=nobody,
        subject="(erased)",
        state=Case(waits, default=F("state"), output_field=CharField()),
        error=Case(why, default=Value(""), output_field=TextField()),
        due_at=Case(When(state=_STATE.QUEUED, then=Value(None)), default=F("due_at")),
        headers={},
        **emptied,
    )
    return len(mails)


def _of(person: Person) -> QuerySet[Message]:
    """Those to addresses that are the person's, and those about their orders and about mails that they asked
    for, whatever address these have. Of an account's own address that nobody verified, only what is about the
    account: anybody can sign up with anybody's, and the other mails there may be that person's."""
    own = {person.user.email.lower()} - {""} if person.user else set[str]()
    orders = [order.subject for order in personal_data.orders_of(person).only("number")]
    asked_for = [one.subject for one in personal_data.subscriptions_of(person).only("pk")]
    theirs = Q(to__in=person.addresses) | Q(to__in=own, kind=KIND) | Q(about__in=[*orders, *asked_for])
    return Message.objects.alias(to=Lower("recipient")).filter(theirs)


def held_back(person: Person) -> list[dict[str, Any]]:
    """Since when, till when and why mails to the person were held back."""
    return [
        {
            "address": row.address,
            "why": row.get_why_display(),
            "note": row.note,
            "since": row.created_at,
            "until": row.lifted_at,
        }
        for row in _rows_of(person).order_by("pk")
    ]


def forget_held_back(person: Person) -> int:
    """Take the person's addresses off the list; should a mail go there yet, the provider tells again."""
    return _rows_of(person).delete()[0]


def _rows_of(person: Person) -> QuerySet[Suppression]:
    return Suppression.objects.filter(address__in=[holding.normalised(one) for one in person.addresses])


def _without(links: list[str], text: str) -> str:
    for link in links:
        text = text.replace(link, "(link)")
    return text
