"""The test card: pays without money at the provider in miniature. For demo and tests; docs/payments.md has
the card numbers."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from shop.gateways.base import Answer, Event, Forged, Method, NoAnswer, Provider, Says, What
from shop.gateways.trial_provider import Charge, Lost, TrialProvider
from shop.models import Payment, Refund

HEADER = "Trial-Signature"
_SAYS = {
    "authorised": Says.AUTHORISED,
    "captured": Says.TAKEN,
    "refused": Says.REFUSED,
    "void": Says.REFUSED,
    "done": Says.TAKEN,
}
_TELLS = {
    "charge.captured": What.PAID,
    "charge.failed": What.FAILED,
    "refund.done": What.REFUNDED,
    "refund.failed": What.REFUND_FAILED,
}


def provider() -> TrialProvider:
    """The provider, as the settings have it."""
    return TrialProvider(
        path=settings.TEST_CARD_BOOKS,
        late=settings.TEST_CARD_LATE_SECONDS,
        patience=settings.PAYMENT_TIMEOUT_SECONDS,
    )


class TrialCard(Provider):
    """Holds, then takes. `details["card_number"]` is forgotten at once; the provider knows it."""

    method = Method(
        code="test-card",
        name=gettext_noop("Test card"),
        description=gettext_noop("Pays without money, to try things out."),
        fields_template="storefront/payment/test_card.html",
    )

    def authorise(self, payment: Payment, details: Mapping[str, str]) -> Answer:
        number = "".join(details.get("card_number", "").split())
        return _asked(
            lambda: provider().authorise(
                key=payment.idempotency_key, card=number, amount=payment.amount, currency=payment.currency
            )
        )

    def capture(self, payment: Payment) -> Answer:
        return _asked(lambda: provider().capture(key=payment.idempotency_key))

    def look_up(self, payment: Payment) -> Answer:
        return _asked(lambda: provider().find(key=payment.idempotency_key))

    def cancel(self, payment: Payment) -> Answer:
        return _asked(
            lambda: provider().void(
                key=payment.idempotency_key, amount=payment.amount, currency=payment.currency
            )
        )

    def refund(self, refund: Refund) -> Answer:
        try:
            given = provider().refund(
                key=refund.idempotency_key, charge=refund.payment.provider_reference, amount=refund.amount
            )
        except Lost:
            raise NoAnswer("The test card's provider did not answer.") from None
        return Answer(_SAYS[given.state], given.reference, given.message)

    def verify(self, *, body: bytes, headers: Mapping[str, str]) -> Event:
        _check(headers.get(HEADER, ""), body)
        try:
            return _event(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation):
            raise Forged("The event can't be read.") from None


def signature(body: bytes, *, at: int) -> str:
    """What the provider puts into the header of a webhook sent `at` (seconds since 1970)."""
    secret = settings.TEST_CARD_WEBHOOK_SECRET.encode()
    return f"t={at},v1={hmac.new(secret, b'%d.' % at + body, hashlib.sha256).hexdigest()}"


def _asked(ask: Callable[[], Charge | None]) -> Answer:
    try:
        charge = ask()
    except Lost:
        raise NoAnswer("The test card's provider did not answer.") from None
    if charge is None:
        return Answer(Says.UNKNOWN)
    called_off = gettext_noop("The payment was called off.") if charge.state == "void" else ""
    message = charge.message or called_off
    return Answer(
        _SAYS[charge.state], charge.reference, message, details={"card_ends_with": charge.card[-4:]}
    )


def _check(header: str, body: bytes) -> None:
    """Raises Forged unless the provider signed this body, and not long ago."""
    at = header.partition(",")[0].removeprefix("t=")
    if not (at.isdecimal() and at.isascii() and len(at) < 12):
        raise Forged("The event is not signed.")
    if not hmac.compare_digest(signature(body, at=int(at)).encode(), header.encode()):
        raise Forged("The event's signature is wrong.")
    if abs(time.time() - int(at)) > settings.WEBHOOK_TOLERANCE_SECONDS:
        raise Forged("The event was signed too long ago, or in the future.")


def _event(said: Mapping[str, Any]) -> Event:
    amount = said.get("amount")
    return Event(
        id=_text(said["id"]),
        type=_text(said["type"]),
        what=_TELLS.get(said["type"], What.NOTHING),
        key=_text(said.get("key", "")),
        reference=_text(said.get("reference", "")),
        refund_key=_text(said.get("refund_key", "")),
        refund_reference=_text(said.get("refund_reference", "")),
        amount=None if amount is None else Decimal(_text(amount)),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > 200 or "\0" in value:
        raise ValueError("no text, or a long one")
    return value
