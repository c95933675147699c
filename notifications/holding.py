"""Why a mail is held back: its kind is switched off, or its address is on the list of those not written to.

A hard bounce holds back every mail: none arrives, and providers mind those who go on. Calling a mail spam
holds back all but what an order or an account needs: by law its confirmation has to go out, and somebody who
lost the password asks for the mail. Staff choose between the two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.db.models.functions import Lower, Now
from django.utils.encoding import punycode

from notifications import kinds
from notifications.models import KindSwitch, Message, Suppression

_WHY = {
    Suppression.Why.BOUNCE: "a mail to it came back for good",
    Suppression.Why.COMPLAINT: "its reader called a mail spam",
    Suppression.Why.STAFF: "staff put it on the list",
}


class AlwaysOn(Exception):  # noqa: N818 - it is an answer
    """The kind can't be switched off."""


def normalised(address: str) -> str:
    """The one way in which the list has an address: lower case, the domain in ASCII.

    >>> normalised(" Kim@BÜCHER.example ")
    'kim@xn--bcher-kva.example'
    """
    name, at, domain = address.strip().lower().rpartition("@")
    with suppress(UnicodeError):  # it is no domain; the delivery will say so
        domain = punycode(domain)
    return f"{name}{at}{domain}"[:400]


def reasons(kind: str, recipients: Iterable[str]) -> dict[str, str]:
    """For each recipient to whom a mail of the kind must not go: why, for people."""
    recipients = list(recipients)
    return suppressed(kind, recipients) if is_on(kind) else dict.fromkeys(recipients, _off(kind))


def in_force(address: str) -> list[Suppression]:
    """The rows of the list that the address is on, newest first."""
    return list(_in_force([normalised(address)]))


def suppressed(kind: str, recipients: Iterable[str]) -> dict[str, str]:
    """The same by the list of addresses alone, for mails that staff send by hand."""
    addresses = {recipient: normalised(recipient) for recipient in recipients}
    found = {row.address: row for row in _in_force(addresses.values()) if _counts(row, kind)}
    return {recipient: _told(found[as_ours]) for recipient, as_ours in addresses.items() if as_ours in found}


def due(messages: Iterable[Message]) -> dict[int, str]:
    """The same for messages that were written and are about to go out, by their key, in two queries: somebody
    may have switched a kind off or put an address on the list since. What staff sent by hand goes out though
    its kind is off."""
    by_address: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        by_address[normalised(message.recipient)].append(message)
    held = {
        message.pk: _told(row)
        for row in _in_force(by_address)
        for message in by_address[row.address]
        if _counts(row, message.kind)
    }
    off = {kind for kind, last in switches().items() if not last.is_on and kinds.named(kind).can_be_off}
    by_itself = (message for some in by_address.values() for message in some if not message.by)
    return held | {message.pk: _off(message.kind) for message in by_itself if message.kind in off}


def end(messages: QuerySet[Message], why: str) -> int:
    """Hold back those of the messages that wait, and tell why; returns how many that were. Nobody knows of an
    uncertain one whether it arrived, and so it stays that; it is not tried any more."""
    state = Case(
        When(state=Message.State.QUEUED, then=Value(Message.State.SUPPRESSED)),
        default=F("state"),
        output_field=CharField(),
    )
    waiting = messages.filter(state__in=[Message.State.QUEUED, Message.State.UNCERTAIN], due_at__isnull=False)
    return waiting.update(state=state, error=why, due_at=None, lease_token=None)


def _in_force(addresses: Collection[str]) -> QuerySet[Suppression]:
    return Suppression.objects.filter(address__in=addresses, lifted_at__isnull=True)


def _counts(row: Suppression, kind: str) -> bool:
    """Whether it holds back mails of the kind, too."""
    return row.scope == Suppression.Scope.ALL or not kinds.named(kind).is_needed


def _off(kind: str) -> str:
    return f"Mails of the kind “{kinds.named(kind).title}” are switched off."


def _told(row: Suppression) -> str:
    return f"Its address is held back since {row.created_at:%Y-%m-%d}: {_WHY[Suppression.Why(row.why)]}."


def is_on(kind: str) -> bool:
    """Whether mails of the kind go out. Those that can't be switched off always do."""
    if not kinds.named(kind).can_be_off:
        return True
    last = KindSwitch.objects.filter(kind=kind).values_list("is_on", flat=True).first()
    return last is not False


def switches() -> dict[str, KindSwitch]:
    """The last switch of each kind that was ever switched."""
    return {row.kind: row for row in KindSwitch.objects.order_by("kind", "-pk").distinct("kind")}


def switch(kind: str, *, on: bool, by: str, note: str = "") -> KindSwitch:
    """Switch a kind on or off, at once: what waits is held back when its turn comes. Raises AlwaysOn."""
    if not on and not kinds.named(kind).can_be_off:
        raise AlwaysOn(f"Mails of the kind “{kinds.named(kind).title}” can't be switched off.")
    return KindSwitch.objects.create(kind=kind, is_on=on, by=by, note=note)


@transaction.atomic
def hold_back(
    address: str,
    *,
    why: Suppression.Why,
    scope: Suppression.Scope,
    note: str = "",
    by: str = "",
    message: Message | None = None,
    happened_at: datetime | None = None,
) -> Suppression | None:
    """Put an address on the list, and hold back what waits for it; None if it is there for that reason, or if
    this happened before staff lifted it."""
    address = normalised(address)
    lifted = Suppression.objects.filter(address=address, why=why, lifted_at__isnull=False)
    if happened_at is not None and lifted.filter(lifted_at__gte=happened_at).exists():
        return None
    row, is_new = Suppression.objects.get_or_create(
        address=address,
        why=why,
        lifted_at=None,
        defaults={"scope": scope, "note": note, "by": by, "message": message},
    )
    if not is_new:
        return None
    row.refresh_from_db()
    _hold_what_waits(row)
    return row


def _hold_what_waits(row: Suppression) -> None:
    """Messages are found by the address as it was written, which may differ in its domain's letters only."""
    waiting = Message.objects.alias(to=Lower("recipient")).filter(to=row.address)
    if row.scope == Suppression.Scope.OPTIONAL:
        waiting = waiting.exclude(kind__in=[kind.name for kind in kinds.every() if kind.is_needed])
    end(waiting, _told(row))


@transaction.atomic
def lift(row: Suppression, *, by: str, note: str) -> bool:
    """Write to the address again; False if somebody lifted it before. What was held back stays so."""
    found = Suppression.objects.filter(pk=row.pk, lifted_at__isnull=True)
    return bool(found.update(lifted_at=Now(), lifted_by=by, lifted_note=note))
