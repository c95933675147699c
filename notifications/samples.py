"""What each kind of mail looks like, filled with made-up data: for staff's previews, test mails and tests.

Nothing is stored: the orders, parcels and imports here exist in memory only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from imports.models import ImportRun
from invoices.models import Document
from notifications import account_mail, kinds, messages, order_mails
from notifications.kinds import Kind, Sample
from notifications.messages import Rendered
from shop.models import Order, OrderLine, Payment, Refund, Shipment, ShipmentLine

_NOBODY = UUID(int=0)
_PAID = {"state": Order.State.PAID, "paid": Decimal("129.10")}
_FREE = {"total": Decimal(0), "subtotal": Decimal(0), "discount": Decimal(0), "delivery": Decimal(0)}
_OVER = {"state": Order.State.CANCELLED}

_INVOICE = Document(
    kind="invoice", name="INV-00001", currency=settings.STORE_CURRENCY, total=Decimal("129.10")
)
_CREDIT_NOTE = Document(
    kind="credit_note", name="CN-00001", currency=settings.STORE_CURRENCY, total=Decimal("24.50"),
    corrects=_INVOICE,
)  # fmt: skip

type Values = Mapping[str, Any]

# Title, when it is sent, and its shapes: what each changes about the order, and gives the templates besides.
_ABOUT_ORDERS: dict[str, tuple[str, str, dict[str, tuple[Values, Values]]]] = {
    "order_placed": (
        "Order placed",
        "A customer has placed an order",
        {"To be paid": ({}, {}), "Nothing to pay": ({**_FREE, "tax": Decimal(0), "state": "paid"}, {})},
    ),
    "order_paid": ("Order paid", "Its payment has come", {"Paid": (_PAID, {})}),
    "order_payment_failed": (
        "Payment failed",
        "A payment fails when the customer is not there to see it",
        {"Refused": ({}, {})},
    ),
    "order_shipped": (
        "Parcel sent",
        "A parcel is sent: all, a part, or the rest",
        {
            "All of it": (_PAID, {}),
            "A part": (_PAID, {"is_all": False}),
            "The rest, not to be followed": (
                _PAID,
                {"is_first": False, "parcel": Shipment(number=2), "tracking_url": ""},
            ),
        },
    ),
    "order_tracking_changed": (
        "New tracking",
        "Staff have changed how a parcel is followed",
        {
            "To be followed": (_PAID, {}),
            "Not to be followed": (_PAID, {"parcel": Shipment(), "tracking_url": ""}),
        },
    ),
    "order_delivered": ("Order delivered", "It has arrived", {"Delivered": (_PAID, {})}),
    "order_cancelled": ("Order cancelled", "It was called off, unpaid", {"Cancelled": (_OVER, {})}),
    "order_expired": (
        "Order expired",
        "It was not paid in time",
        {"Expired": ({"state": Order.State.EXPIRED}, {})},
    ),
    "order_refunded": (
        "Money given back",
        "Money goes back to the customer: a part or all",
        {
            "A part": ({**_PAID, "refunded": Decimal("24.50")}, {"is_all": False}),
            "All": ({**_PAID, "refunded": Decimal("129.10")}, {}),
            "Paid in vain": ({**_PAID, **_OVER, "refunded": Decimal("129.10")}, {"was_in_vain": True}),
        },
    ),
    "invoice": (
        "Invoice",
        "An invoice is issued",
        {
            "Attached": (_PAID, {"document": _INVOICE}),
            "Linked": (_PAID, {"document": _INVOICE, "document_url": f"{settings.SITE_URL}/sample.pdf"}),
        },
    ),
    "credit_note": (
        "Credit note",
        "Money goes back of what an invoice was about, or it is not owed any more",
        {"Attached": ({**_PAID, "refunded": Decimal("24.50")}, {"document": _CREDIT_NOTE})},
    ),
}


def connect() -> None:
    """Register the kinds; called once, when Django is ready."""
    for name in order_mails.KINDS:
        title, when, shapes = _ABOUT_ORDERS.get(name) or (_title(name), "", {"With all": (_PAID, {})})
        samples = {shape: partial(_of_order, name, *values) for shape, values in shapes.items()}
        kinds.register(Kind(name, title, when, samples, is_needed=True))
    imports: dict[str, Sample] = {
        "Finished": partial(_of_import, {}),
        "Failed": partial(_of_import, {"state": "failed", "error": "The disk of the database is full."}),
        "An undo": partial(_of_import, {"kind": ImportRun.Kind.UNDO, "rejected": 0}),
    }
    kinds.register(
        Kind("import_finished", "Import finished", "An import or its undo has ended; to staff", imports)
    )
    second: dict[str, Sample] = {"With warnings": _of_second_person}
    when = "A preview has strong warnings, and its owner may not approve it alone; to staff who may"
    kinds.register(Kind("import_second_person", "Import to be approved", when, second))
    accounts: dict[str, Sample] = {
        "Confirm an address": partial(_of_account, "email_confirmation"),
        "Set a new password": partial(_of_account, "password_reset_key"),
        "Password changed": partial(_of_account, "password_changed"),
    }
    when = "A link to confirm an address or set a password, news of an account"
    kinds.register(
        Kind(account_mail.KIND, "Account", when, accounts, is_needed=True, can_be_off=False)
    )  # fmt: skip


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _of_order(kind: str, changes: Values, more: Values, language: str) -> Rendered:
    order = an_order(**changes)
    given = {**_around(order), **more}
    if not (given["is_all"] and given["is_first"]):
        given["pieces"] = given["pieces"][:1]
    return messages.render(kind, order_mails.context(order, given, language), language=language)


def an_order(**changes: Any) -> Order:
    """An order that is not in the database, with two lines."""
    order = Order(
        **{
            "id": _NOBODY, "number": 10001, "token": "preview-" * 4, "email": "kim@example.com",
            "language": "en",
            "currency": settings.STORE_CURRENCY, "prices_include_tax": True, "placed_at": timezone.now(),
            "expires_at": timezone.now() + timedelta(hours=1), "delivery_name": "Standard",
            "discount_code": "WELCOME10", "subtotal": Decimal("138.00"), "discount": Decimal("13.80"),
            "delivery": Decimal("4.90"), "net": Decimal("108.49"), "tax": Decimal("20.61"),
            "total": Decimal("129.10"), "shipping_address": _ADDRESS, **changes,
        }
    )  # fmt: skip
    # What its manager hands out instead of asking the database.
    order._prefetched_objects_cache = {"lines": _lines(order)}  # type: ignore[attr-defined]
    return order


_ADDRESS = {
    "name": "Kim Doe", "line1": "Lindenstraße 12", "city": "Köln", "country": "DE", "postcode": "50674",
}  # fmt: skip


def _lines(order: Order) -> list[OrderLine]:
    things = [
        ("MUG-S", "Stoneware mug", {"Colour": "sand", "Size": "S"}, 2, "24.50"),
        ("BOARD-OAK", "Cutting board, oiled oak, with a groove for juices", {}, 1, "89.00"),
    ]
    return [
        OrderLine(
            order=order, sku=sku, name=name, options=options, quantity=quantity, price=Decimal(price),
            subtotal=quantity * Decimal(price), total=quantity * Decimal(price),
        )
        for sku, name, options, quantity, price in things
    ]  # fmt: skip


def _around(order: Order) -> dict[str, Any]:
    """All that any mail about an order may be given."""
    parcel = Shipment(
        number=1,
        carrier="Parcel Post",
        tracking_code="PP123456789DE",
        tracking_url="https://parcels.example/PP123456789DE",
        shipped_at=timezone.now(),
    )
    payment = Payment(order=order, gateway="test-card", amount=order.total, currency=order.currency)
    amount = order.refunded or Decimal("24.50")
    return {
        "payment": payment,
        "refund": Refund(payment=payment, amount=amount),
        "parcel": parcel,
        "pieces": [ShipmentLine(line=line, quantity=line.quantity) for line in order.lines.all()],
        "tracking_url": parcel.tracking_url,
        "is_all": True,
        "is_first": True,
        "was_in_vain": False,
    }


def _of_import(changes: Values, language: str) -> Rendered:
    now = timezone.now()
    first = ImportRun(pk=1234, filename="catalog.csv")
    values = {
        "pk": 1235, "state": ImportRun.State.COMPLETED, "filename": "catalog.csv", "undoes": first,
        "created": 90_000, "unchanged": 9_500, "rejected": 500, "confirmed_at": now - timedelta(seconds=8),
        "finished_at": now, **changes,
    }  # fmt: skip
    run = ImportRun(**values)
    run.rows = run.lines = sum(run.outcomes.values())
    return messages.import_finished(run, language=language)


def _of_second_person(language: str) -> Rendered:
    warnings = [
        {"code": "rejected", "figure": 12.4, "second": True},
        {"code": "price_jumps", "figure": 1_240, "second": True},
        {"code": "categories", "figure": 14, "second": False},
    ]
    return messages.import_second_person(
        ImportRun(pk=1235, filename="catalog.csv", warnings=warnings), language=language
    )


def _of_account(what: str, language: str) -> Rendered:
    """As allauth's adapter renders its templates."""
    link = f"{settings.SITE_URL}/account/sample/"
    shop = {"name": settings.SHOP_NAME, "domain": settings.SITE_URL}
    context = {
        "shop_name": settings.SHOP_NAME, "current_site": shop, "email": "kim@example.com", "user": "Kim Doe",
        "activate_url": link, "password_reset_url": link, "ip": "192.0.2.1", "user_agent": "Firefox",
        "timestamp": timezone.now(),
    }  # fmt: skip
    with translation.override(language):
        subject = render_to_string(f"account/email/{what}_subject.txt", context)
        text = render_to_string(f"account/email/{what}_message.txt", context)
        words = {"words": messages.one_line(subject), "told": text.strip()}
    return messages.render(account_mail.KIND, words, language=language)
