"""What mail providers tell after they took a mail: delivered, delayed, came back, called spam.

Each event has its effect once, in whichever order they come: a message's fate only ever gets worse, and an
address is on the list once for each reason.
"""

from __future__ import annotations

import hashlib
from typing import Any

import structlog
from anymail.signals import tracking
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications import holding
from notifications.models import Message, ProviderEvent, Suppression

log = structlog.get_logger(__name__)

What = ProviderEvent.What
Fate = Message.Fate

# How bad each is; blank is nothing heard yet.
_RANKS = {"": 0, Fate.DELIVERED: 1, Fate.BOUNCED: 2, Fate.COMPLAINED: 3}
_WHATS = {
    "delivered": What.DELIVERED,
    "deferred": What.DEFERRED,
    "bounced": What.BOUNCED,
    "rejected": What.BOUNCED,  # not even tried by the provider, mostly because of what happened before
    "failed": What.BOUNCED,
    "complained": What.COMPLAINED,
}
_HARD = {"invalid", "bounced"}  # of anymail's reasons those that say: nothing will ever arrive there


def connect() -> None:
    """Listen to anymail; called before it hears anything, as often as that is."""
    tracking.connect(_told, dispatch_uid="notifications.tracking")


def _told(*, event: Any, esp_name: str, **_: Any) -> None:
    what = _what(event)
    if what is not None and event.message_id:
        record(esp_name, what, event)


def _what(event: Any) -> ProviderEvent.What | None:
    """What we make of it; None for what nobody needs, such as who opened what."""
    if event.event_type == "rejected" and event.reject_reason == "spam":
        return What.COMPLAINED
    return _WHATS.get(event.event_type)


@transaction.atomic
def record(provider: str, what: ProviderEvent.What, event: Any) -> bool:
    """Store an event of anymail with its effect; False for one that was there before, or that is about no
    message of ours: an account at a provider may serve several senders."""
    message = Message.objects.select_for_update().filter(provider_id=event.message_id).first()
    if message is None:
        log.info("a mail provider told of a message that is not ours", provider=provider, what=what)
        return False
    is_erased = not message.text  # what is said may name who it was
    said = "" if is_erased else " ".join(filter(None, (event.description, event.mta_response)))[:1000]
    happened_at = event.timestamp or timezone.now()
    try:
        with transaction.atomic():
            ProviderEvent.objects.create(
                message=message, provider=provider[:40], event_id=_id_of(event), what=what, said=said,
                happened_at=happened_at,
            )  # fmt: skip
    except IntegrityError:
        return False
    _worsen(message, what)
    if not is_erased:
        _hold_back(message, what, event.reject_reason, note=said, message=message, happened_at=happened_at)
    return True


def _worsen(message: Message, what: str) -> None:
    if what in _RANKS and _RANKS[what] > _RANKS[message.fate]:
        message.fate = what
        message.save(update_fields=["fate"])


def _hold_back(of: Message, what: str, reason: str | None, **details: Any) -> None:
    if what == What.COMPLAINED:
        why, scope = Suppression.Why.COMPLAINT, Suppression.Scope.OPTIONAL
        holding.hold_back(of.recipient, why=why, scope=scope, **details)
    elif what == What.BOUNCED and reason in _HARD:
        why, scope = Suppression.Why.BOUNCE, Suppression.Scope.ALL
        holding.hold_back(of.recipient, why=why, scope=scope, **details)


def _id_of(event: Any) -> str:
    """What is the same whenever it is sent again: some providers give the event another id then, so the time
    at which it happened tells more."""
    what = event.timestamp.isoformat() if event.timestamp else str(event.event_id)
    parts = (event.message_id, event.event_type, event.recipient, what)
    return hashlib.sha256(repr(parts).encode()).hexdigest()
