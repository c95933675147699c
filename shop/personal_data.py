"""What is held about a customer: hand it out, erase it. Orders stay, without anybody in them.

Other apps that hold something about customers register it:

    personal_data.register("mails", held=…, erase=…)

where `held(person)` returns what goes into the export as JSON, and `erase(person)` removes it and returns how
many rows that were; both are called inside the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext, ngettext

from shop import accounts
from shop.models import Cart, DataRequest, DiscountUse, Order, Payment, Refund, Shipment, Subscription
from shop.models.subscription import SubscriptionQuerySet
from shop.personal_export import exported

_ON_ITS_WAY = timedelta(days=30)  # a parcel that nobody marked as delivered has arrived, or is lost, by then
_BLANKED = ("name", "company", "line1", "line2", "postcode", "city", "phone")  # country and region: for tax


class StillOpen(Exception):  # noqa: N818 - an answer
    """Something is not settled yet, so the data is needed; the text says what, and what to do."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whose data it is: somebody with an account, or only an address that guests' orders have.

    `addresses` are in small letters.
    """

    user: User | None
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """What another app holds about a person."""

    held: Callable[[Person], Any]
    erase: Callable[[Person], int]


_holdings: dict[str, Holding] = {}


def register(name: str, *, held: Callable[[Person], Any], erase: Callable[[Person], int]) -> None:
    """Let exports have what another app holds as `name`, and have it erased with the rest."""
    _holdings[name] = Holding(held, erase)


def of_customer(user: User) -> Person:
    """Somebody with an account. Of their addresses only those count that they have shown to be theirs."""
    return Person(user, tuple(accounts.verified_addresses(user)))


def of_address(email: str) -> Person | None:
    """Whose address it is, as far as the shop knows: an account's, or of guests' orders. None for nobody.

    For staff, who have made sure who asks them. An account's own address counts unverified, too; others count
    only verified, for anybody can add anybody's to an account.
    """
    address = email.strip().lower()
    if "\0" in address:  # no column holds it
        return None
    users = User.objects.alias(address=Lower("email")).filter(address=address)
    owners = EmailAddress.objects.filter(Q(verified=True) | Q(primary=True), email=address)
    owner = owners.order_by("-verified", "pk").select_related("user").first()
    user = owner.user if owner else users.first()
    person = Person(user, (address,))
    known = user or orders_of(person).exists() or subscriptions_of(person).exists()
    return person if known else None


def orders_of(person: Person) -> QuerySet[Order]:
    """The orders of the account, and those of guests with the address."""
    mine = Q(address__in=person.addresses, customer=None)
    if person.user:
        mine |= Q(customer=person.user)
    return Order.objects.alias(address=Lower("email")).filter(mine).order_by("placed_at", "pk")


def subscriptions_of(person: Person) -> SubscriptionQuerySet:
    """The mails that the account asked for, and those that were asked for to the addresses."""
    mine = Q(address__in=person.addresses)
    if person.user:
        mine |= Q(customer=person.user)
    return Subscription.objects.alias(address=Lower("email")).filter(mine).order_by("pk")


@transaction.atomic
def export(person: Person, *, by: str = "") -> dict[str, Any]:
    """All that is held, as JSON; noted in the log. `by`: user name of staff, blank for the customer."""
    orders = orders_of(person)
    data = exported(user=person.user, orders=orders, subscriptions=subscriptions_of(person))
    data |= {name: holding.held(person) for name, holding in _holdings.items()}
    _note(DataRequest.Kind.EXPORT, person, by=by, figures={"orders": len(data["orders"])})
    return data


@transaction.atomic
def erase(person: Person, *, by: str = "") -> dict[str, int]:
    """Remove account and carts, and leave no name, address or e-mail in orders; returns how many of each.

    Raises StillOpen, and has done nothing then, while an order or a payment is not settled.
    """
    if person.user:
        _lock_account(person.user)
    orders = list(orders_of(person).order_by("pk").select_for_update(of=("self",)))
    _must_be_settled(orders)
    subject = _note_subject(person)
    figures = {name: holding.erase(person) for name, holding in _holdings.items()}
    figures |= {"subscriptions": subscriptions_of(person).delete()[0]}
    figures |= {"orders": _anonymise(orders), "account": _remove_account(person.user)}
    DataRequest.objects.create(kind=DataRequest.Kind.ERASE, subject=subject, by=by, figures=figures)
    return figures


def requests_of(email: str) -> QuerySet[DataRequest]:
    """What was done before for this address, newest first."""
    return DataRequest.objects.filter(subject=hashed(email))


def hashed(email: str) -> str:
    """What the log knows an address by."""
    return salted_hmac("shop.personal_data", email.strip().lower(), algorithm="sha256").hexdigest()


def _lock_account(user: User) -> None:
    """No order is placed meanwhile. Raises StillOpen for staff, whom superusers manage."""
    if user.is_staff or user.is_superuser:
        message = gettext("This account is a staff member's. Whoever manages the users takes it back first.")
        raise StillOpen(message)
    # Placing locks a cart, then its customer: in the same order nobody waits for the other.
    list(Cart.objects.filter(customer=user).select_for_update())
    list(User.objects.filter(pk=user.pk).select_for_update())


def _must_be_settled(orders: Sequence[Order]) -> None:
    """Raise StillOpen, naming the orders, if one is not paid, not shipped, on its way, or its money moves."""
    open_ones = {order.number for order in orders if _is_open(order)}
    open_ones |= _moving_money(orders)
    if open_ones:
        numbers = ", ".join(str(number) for number in sorted(open_ones))
        message = ngettext(
            "Nothing was erased: order %(numbers)s is still open. Name and address are needed until it is"
            " delivered, or cancelled and the money is back. Then ask again.",
            "Nothing was erased: orders %(numbers)s are still open. Name and address are needed until they"
            " are delivered, or cancelled and the money is back. Then ask again.",
            len(open_ones),
        )
        raise StillOpen(message % {"numbers": numbers})


def _is_open(order: Order) -> bool:
    if order.state in (Order.State.PENDING, Order.State.PAID):
        return True
    shipped = order.fulfilled_at if order.state == Order.State.FULFILLED else None
    return shipped is not None and shipped > timezone.now() - _ON_ITS_WAY


def _moving_money(orders: Sequence[Order]) -> set[int]:
    """Numbers of the orders whose payments or refunds are not settled."""
    state = Payment.State
    under_way = Payment.objects.filter(order__in=orders).filter(
        Q(state__in=[state.STARTED, state.AWAITING, state.AUTHORISED, state.STRAY])
    )
    refunds = Refund.objects.filter(payment__order__in=orders, state=Refund.State.STARTED)
    return {
        *under_way.values_list("order__number", flat=True),
        *refunds.values_list("payment__order__number", flat=True),
    }


def _anonymise(orders: Sequence[Order]) -> int:
    """Take the person out of the orders: lines, amounts, and where tax was due, stay."""
    for order in orders:
        order.customer, order.email, order.erased_at, order.cancel_reason = None, "", Now(), ""
        order.shipping_address = _nobodys(order.shipping_address)
        order.billing_address = _nobodys(order.billing_address)
    fields = ["customer", "email", "erased_at", "cancel_reason", "shipping_address", "billing_address"]
    Order.objects.bulk_update(orders, fields, batch_size=500)
    DiscountUse.objects.filter(order__in=orders).update(email="")
    Payment.objects.filter(order__in=orders).update(details={})  # such as the last digits of a card
    Refund.objects.filter(payment__order__in=orders).update(reason="")
    Shipment.objects.filter(order__in=orders).update(tracking_code="", tracking_url="")
    return len(orders)


def _nobodys(address: dict[str, str]) -> dict[str, str]:
    return address | dict.fromkeys(_BLANKED, "")


def _remove_account(user: User | None) -> int:
    """The account with its addresses, second factors and cart."""
    if user is None:
        return 0
    user.delete()
    return 1


def _note_subject(person: Person) -> str:
    """Before the account is gone: the hash of its first address, or of its own."""
    address = person.user.email if person.user and person.user.email else (*person.addresses, "")[0]
    return hashed(address)


def _note(kind: DataRequest.Kind, person: Person, *, by: str, figures: dict[str, int]) -> None:
    DataRequest.objects.create(kind=kind, subject=_note_subject(person), by=by, figures=figures)
