"""The ways to pay. settings.PAYMENT_METHODS says which the checkout offers, and in which order."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from shop.gateways.base import Gateway, Provider
from shop.gateways.invoice import Invoice
from shop.gateways.stripe_checkout import Stripe
from shop.gateways.trial_card import TrialCard

_ALL: dict[str, Gateway] = {gateway.method.code: gateway for gateway in (Stripe(), TrialCard(), Invoice())}


class UnknownMethod(LookupError):  # noqa: N818 - an outcome, not a fault
    """There is no such way to pay, or it is not offered."""


def offered() -> list[Gateway]:
    """What customers may choose from, in order of display; raises UnknownMethod for a misspelt setting."""
    return [named(code) for code in settings.PAYMENT_METHODS]


def named(code: str) -> Gateway:
    """The gateway, offered or not: what was paid by it may have to be given back. Raises UnknownMethod."""
    try:
        return _ALL[code]
    except KeyError:
        raise UnknownMethod(f"There is no way to pay called “{code}”; there are {', '.join(_ALL)}.") from None


def every() -> Mapping[str, Gateway]:
    """All that there are by their codes, offered or not."""
    return _ALL


def providers() -> list[str]:
    """The codes of those that charge, and give back, by themselves."""
    return [code for code, gateway in _ALL.items() if isinstance(gateway, Provider)]


def is_offered(code: str) -> bool:
    """Whether customers may choose it."""
    return code in settings.PAYMENT_METHODS
