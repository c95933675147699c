"""Stripe: the customer pays on Stripe's own page, so no card number comes near us, and comes back.

A Checkout Session is made with the payment's key. Needs STRIPE_SECRET_KEY; the library is only loaded then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_noop

from shop.gateways.base import Answer, Event, Forged, Method, NoAnswer, Provider, Says, What
from shop.models import Payment, Refund

if TYPE_CHECKING:
    from stripe import Refund as StripeRefund
    from stripe import StripeClient
    from stripe.checkout import Session

_OPEN_SECONDS = 35 * 60  # Stripe's least is 30 minutes; measured from the payment's beginning
_WHOLE = {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF",
          "XOF", "XPF"}  # fmt: skip
_THOUSANDTHS = {"BHD", "JOD", "KWD", "OMR", "TND"}
_REFUND_SAYS = {"succeeded": Says.TAKEN, "failed": Says.REFUSED, "canceled": Says.REFUSED}
_REFUND_TELLS = {
    "succeeded": What.REFUNDED,
    "failed": What.REFUND_FAILED,
    "canceled": What.REFUND_FAILED,
}


class Stripe(Provider):
    """Stripe's Checkout takes the money itself, at once."""

    method = Method(
        code="stripe",
        name=gettext_noop("Card and more"),
        description=gettext_noop("You pay on the secure page of Stripe, and come back here."),
    )

    def authorise(self, payment: Payment, details: Mapping[str, str]) -> Answer:
        return _asked(lambda: _said(_session(payment)))

    def capture(self, payment: Payment) -> Answer:
        return self.look_up(payment)

    def look_up(self, payment: Payment) -> Answer:
        return _asked(lambda: _said(_session(payment)))

    def cancel(self, payment: Payment) -> Answer:
        def closed() -> Answer:
            session = _session(payment)
            return _said(_expired(session.id) if session.status == "open" else session)

        return _asked(closed)

    def refund(self, refund: Refund) -> Answer:
        return _asked(lambda: _given(refund))

    def verify(self, *, body: bytes, headers: Mapping[str, str]) -> Event:
        import stripe

        signature, tolerance = headers.get("Stripe-Signature", ""), settings.WEBHOOK_TOLERANCE_SECONDS
        try:
            stripe.WebhookSignature.verify_header(body, signature, settings.STRIPE_WEBHOOK_SECRET, tolerance)
            return _event(json.loads(body))
        except stripe.SignatureVerificationError as error:
            raise Forged(f"Stripe did not sign this event, or too long ago: {error.user_message}") from None
        except (ValueError, KeyError, AttributeError, TypeError):
            raise Forged("The event can't be read.") from None


def minor_units(amount: Decimal, currency: str) -> int:
    """An amount as Stripe counts, in its currency's smallest coin: 12.34 EUR are 1234, 12.00 JPY are 12."""
    return int(amount * _factor(currency))


def _factor(currency: str) -> int:
    return 1 if currency in _WHOLE else 1000 if currency in _THOUSANDTHS else 100


def _client() -> StripeClient:
    """No attempts of its own: they would take longer than anybody waits; the row is asked about again."""
    import stripe

    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        base_addresses={"api": settings.STRIPE_API_URL},
        http_client=stripe.RequestsClient(timeout=settings.PAYMENT_TIMEOUT_SECONDS),
        max_network_retries=0,
    )


def _asked(ask: Callable[[], Answer]) -> Answer:
    """The answer; a request that Stripe refuses did nothing, after any other fault nobody knows."""
    import stripe

    try:
        return ask()
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        return Answer(Says.REFUSED, message=error.user_message or gettext_noop("Stripe refused the payment."))
    except stripe.StripeError as error:
        raise NoAnswer(f"Stripe: {error}") from error


def _session(payment: Payment) -> Session:
    """The payment's session: the one that is known, or that which the key gets. One that was lost on its way
    to us was shown to nobody, so it does not matter that Stripe forgets keys after a day."""
    sessions = _client().v1.checkout.sessions
    if known := payment.details.get("session"):
        return sessions.retrieve(known)
    return sessions.create(_params(payment), {"idempotency_key": payment.idempotency_key})


def _expired(session: str) -> Session:
    """The session, closed; or as it is, if the customer has just paid."""
    import stripe

    sessions = _client().v1.checkout.sessions
    try:
        return sessions.expire(session)
    except stripe.InvalidRequestError:
        return sessions.retrieve(session)


def _params(payment: Payment) -> Any:
    """The same for the same payment, always: Stripe refuses a key that comes with anything else."""
    order = payment.order
    back = f"{settings.SITE_URL}{reverse('shop:order', args=[order.token])}"
    ours = {"key": payment.idempotency_key}
    price = {
        "currency": payment.currency.lower(),
        "unit_amount": minor_units(payment.amount, payment.currency),
        "product_data": {"name": str(order)},
    }
    return {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": price}],
        "success_url": back,
        "cancel_url": back,
        "expires_at": int(payment.created_at.timestamp()) + _OPEN_SECONDS,
        "client_reference_id": str(payment.pk),
        "metadata": ours,
        "payment_intent_data": {"metadata": ours},
    }


def _said(session: Session) -> Answer:
    kept = {"session": session.id}
    if session.payment_status == "paid":
        return Answer(Says.TAKEN, str(session.payment_intent), details=kept)
    if session.status == "open":
        return Answer(Says.REDIRECT, url=session.url or "", details=kept)
    if session.status == "expired":
        return Answer(Says.REFUSED, message=gettext_noop("The payment was not completed."), details=kept)
    return Answer(Says.UNDER_WAY, details=kept)


def _given(refund: Refund) -> Answer:
    """Stripe's refund of ours, made if there is none: it forgets keys after a day, but not what they did."""
    refunds, of = _client().v1.refunds, refund.payment.provider_reference
    made = refunds.list({"payment_intent": of, "limit": 100}).auto_paging_iter()
    given = next((one for one in made if _key(one) == refund.idempotency_key), None)
    if given is None:
        given = refunds.create(
            {
                "payment_intent": of,
                "amount": minor_units(refund.amount, refund.payment.currency),
                "metadata": {"key": refund.idempotency_key},
            },
            {"idempotency_key": refund.idempotency_key},
        )
    says = _REFUND_SAYS.get(given.status or "", Says.UNDER_WAY)
    return Answer(says, given.id, "Stripe could not give it back." if says == Says.REFUSED else "")


def _key(given: StripeRefund) -> str:
    return str(getattr(given.metadata, "key", ""))


def _event(event: Mapping[str, Any]) -> Event:
    """What a webhook tells; what else Stripe sends, such as a card that was declined before another, is no
    end of a payment."""
    it, kind = event["data"]["object"], event["type"]
    ours = (it.get("metadata") or {}).get("key", "")
    if kind.startswith("checkout.session."):
        what, intent = _session_tells(kind, it), it.get("payment_intent") or ""
        return Event(event["id"], kind, what, key=ours, reference=intent)
    if kind.startswith("refund."):
        return Event(
            id=event["id"],
            type=kind,
            what=_REFUND_TELLS.get(it["status"], What.NOTHING),
            reference=it["payment_intent"],
            refund_key=ours,
            refund_reference=it["id"],
            amount=Decimal(it["amount"]) / _factor(it["currency"].upper()),
            message=it.get("failure_reason") or "",
        )
    return Event(event["id"], kind, What.NOTHING)


def _session_tells(kind: str, session: Mapping[str, Any]) -> What:
    match kind:
        case "checkout.session.completed" | "checkout.session.async_payment_succeeded":
            return What.PAID if session["payment_status"] == "paid" else What.NOTHING
        case "checkout.session.expired" | "checkout.session.async_payment_failed":
            return What.FAILED
    return What.NOTHING
