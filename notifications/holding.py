"""Why a mail is held back: its kind is switched off, or its address is on the list of those not written to.

A hard bounce holds back every mail: none arrives, and providers mind those who go on. Calling a mail spam
holds back all but what an order or an account needs: by law its confirmation has to go out, and somebody who
lost the password asks for the mail. Staff choose between the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from django.db import transaction
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
    if not is_on(kind):
        return dict.fromkeys(recipients, f"Mails of the kind “{kinds.named(kind).title}” are switched off.")
    return suppressed(kind, recipients)


def in_force(address: str) -> list[Suppression]:
    """The rows of the list that the address is on, newest first."""
    return list(Suppression.objects.filter(address=normalised(address), lifted_at__isnull=True))


def suppressed(kind: str, recipients: Iterable[str]) -> dict[str, str]:
    """The same by the list of addresses alone, for mails that staff send by hand."""
    addresses = {recipient: normalised(recipient) for recipient in recipients}
    rows = Suppression.objects.filter(address__in=addresses.values(), lifted_at__isnull=True)
    if kinds.named(kind).is_needed:
        rows = rows.filter(scope=Suppression.Scope.ALL)
    found = {row.address: row for row in rows}
    return {recipient: _told(found[as_ours]) for recipient, as_ours in addresses.items() if as_ours in found}


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
    """Switch a kind on or off, from the next event on: what waits already goes out. Raises AlwaysOn."""
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
    waiting = Message.objects.alias(to=Lower("recipient")).filter(to=row.address, state=Message.State.QUEUED)
    if row.scope == Suppression.Scope.OPTIONAL:
        waiting = waiting.exclude(kind__in=[kind.name for kind in kinds.every() if kind.is_needed])
    waiting.update(state=Message.State.SUPPRESSED, error=_told(row))


@transaction.atomic
def lift(row: Suppression, *, by: str, note: str) -> bool:
    """Write to the address again; False if somebody lifted it before. What was held back stays so."""
    found = Suppression.objects.filter(pk=row.pk, lifted_at__isnull=True)
    return bool(found.update(lifted_at=Now(), lifted_by=by, lifted_note=note))
