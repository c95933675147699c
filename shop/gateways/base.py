"""What a gateway is, and what it may say. docs/payments.md tells how to add one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from shop.models import Payment, Refund


@dataclass(frozen=True)
class Method:
    """A way to pay, as the checkout offers it. `name` and `description` are in English, marked to be
    translated where they are shown; `fields_template` has the form's further fields, if any."""

    code: str
    name: str
    description: str
    fields_template: str = ""


class Says(StrEnum):
    """What a provider says about a charge or a refund; the first four are its last word."""

    TAKEN = "taken"  # the money moved
    REFUSED = "refused"  # nothing moved, and nothing will
    UNKNOWN = "unknown"  # it never heard of the key
    AUTHORISED = "authorised"  # held on the card, not taken
    REDIRECT = "redirect"  # the customer has to go to `url`
    UNDER_WAY = "under_way"  # it does not know itself yet


@dataclass(frozen=True, slots=True)
class Answer:
    """What it says. `message` is for the customer, in English or
    marked to be translated; `details` stay with the payment, without card numbers."""

    says: Says
    reference: str = ""
    message: str = ""
    url: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


class NoAnswer(Exception):  # noqa: N818 - an outcome, not a fault
    """Nobody knows what happened: no connection, an answer lost, a fault at the provider. Ask again later."""


class Forged(Exception):  # noqa: N818
    """A webhook that does not come from the provider, or not now, or that can't be read."""


class What(StrEnum):
    """What a webhook tells."""

    PAID = "paid"
    FAILED = "failed"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    NOTHING = "nothing"  # nothing that we need


@dataclass(frozen=True, slots=True)
class Event:
    """A provider's webhook, verified. `key` and `refund_key` are ours, the references the provider's."""

    id: str
    type: str
    what: What
    key: str = ""
    reference: str = ""
    refund_key: str = ""
    refund_reference: str = ""
    amount: Decimal | None = None
    message: str = ""


class Gateway(ABC):
    """A way to pay. One that is no more than this charges nobody: customers transfer, staff see it come."""

    method: Method
    by_hand = True  # people move its money, so nothing is given back before somebody says so

    @abstractmethod
    def refund(self, refund: Refund) -> Answer:
        """Give back a refund's amount: TAKEN, REFUSED or UNDER_WAY. Asked again with the refund's key,
        however late, it is the same refund. Raises NoAnswer."""


class Provider(Gateway):
    """A gateway that charges. All verbs are known by `payment.idempotency_key`: asked again, nothing is done
    again. They are called outside of transactions, end within settings.PAYMENT_TIMEOUT_SECONDS, and raise
    NoAnswer."""

    by_hand = False

    @abstractmethod
    def authorise(self, payment: Payment, details: Mapping[str, str]) -> Answer:
        """Have the amount held, or taken at once. `details` are the form's further fields."""

    @abstractmethod
    def capture(self, payment: Payment) -> Answer:
        """Take what was held."""

    @abstractmethod
    def look_up(self, payment: Payment) -> Answer:
        """What became of it."""

    @abstractmethod
    def cancel(self, payment: Payment) -> Answer:
        """Make sure that nothing will be taken: REFUSED then, or TAKEN if it is too late, or UNDER_WAY."""

    @abstractmethod
    def verify(self, *, body: bytes, headers: Mapping[str, str]) -> Event:
        """Read a webhook: signature over the raw body, time within settings.WEBHOOK_TOLERANCE_SECONDS of now.
        Raises Forged."""
