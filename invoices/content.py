"""What an invoice says, copied once from order and settings: plain values, amounts as text, days in the
shop's time zone. Names of countries and ways to pay are in the order's language; all else is put into words
when it is printed (`invoices.wording`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone, translation

from invoices.correcting import Part, TaxLine
from invoices.models import Document
from shop import countries, gateways
from shop.models import Order, OrderLine, Payment, Refund


def language_of(order: Order) -> str:
    """The one of settings.MAIL_LANGUAGES that the order's customer reads, or else the shop's."""
    wanted = order.language.lower()
    names = {name.lower(): name for name in settings.MAIL_LANGUAGES}
    return names.get(wanted) or names.get(wanted.partition("-")[0]) or settings.LANGUAGE_CODE


def day_of(moment: datetime) -> str:
    """The day in the shop's time zone: `2026-11-23`."""
    return timezone.localtime(moment).date().isoformat()


def of_invoice(order: Order, payment: Payment | None) -> dict[str, Any]:
    """All that the invoice says but its number and day."""
    lines = list(order.lines.all())
    return {
        **_parties(order),
        "lines": [_line(line) for line in lines],
        "subtotal": str(order.subtotal),
        "discount": {"code": order.discount_code, "amount": str(order.discount)},
        "delivery": {"name": order.delivery_name, "amount": str(order.delivery)},
        "prices_include_tax": order.prices_include_tax,
        "taxes": _taxes(_by_rate(order, lines)),
        "payment": _payment(order, payment),
    }


def of_credit_note(order: Order, invoice: Document, part: Part, refund: Refund | None) -> dict[str, Any]:
    """All that the credit note says but its number and day."""
    back = refund.restock if refund else {}
    lines = order.lines.filter(sku__in=back)
    return {
        **_parties(order),
        "to": invoice.content["to"],  # its customer may have been erased from the order meanwhile
        "sent_to": [],
        "corrects": {"name": invoice.name, "date": invoice.content["date"]},
        "unpaid": refund is None,
        "lines": [{**_goods(line), "quantity": back[line.sku]} for line in lines],
        "taxes": _taxes(part),
    }


def _parties(order: Order) -> dict[str, Any]:
    with translation.override(language_of(order)):
        to, sent_to = _address(order.billing_address), _address(order.shipping_address)
    return {
        "order": {"number": str(order.number), "date": day_of(order.placed_at)},
        "seller": {
            "name": settings.SELLER_NAME,
            "address": settings.SELLER_ADDRESS.splitlines(),
            "vat_id": settings.SELLER_VAT_ID,
            "email": settings.SHOP_EMAIL,
        },
        "to": to or sent_to,
        "sent_to": sent_to if sent_to != to else [],
    }


def _address(written: Mapping[str, str]) -> list[str]:
    """An address's lines; none where nobody is named in it."""
    town = " ".join(filter(None, (written.get("postcode"), written.get("city"))))
    country = countries.name_of(written.get("country", ""))
    parts = [written.get(name, "") for name in ("name", "company", "line1", "line2")]
    return [part for part in (*parts, town, written.get("region", ""), country) if part]


def _line(line: OrderLine) -> dict[str, Any]:
    amounts = ("price", "subtotal", "discount", "net", "tax", "total")
    return {
        **_goods(line),
        "quantity": line.quantity,
        "percent": str(line.tax_percent),
        **{name: str(getattr(line, name)) for name in amounts},
    }


def _goods(line: OrderLine) -> dict[str, Any]:
    return {"sku": line.sku, "name": line.name, "options": line.options}


def _by_rate(order: Order, lines: list[OrderLine]) -> Part:
    """Net and tax of lines and delivery for each rate. The delivery's is the goods', who all have one."""
    rates: dict[Decimal, list[Decimal]] = {}
    for line in lines:
        at = rates.setdefault(line.tax_percent.normalize(), [Decimal("0.00"), Decimal("0.00")])
        at[0], at[1] = at[0] + line.tax, at[1] + line.total
    fee = order.delivery if order.prices_include_tax else order.delivery + order.delivery_tax
    first = next(iter(rates.values()))
    first[0], first[1] = first[0] + order.delivery_tax, first[1] + fee
    return Part(tuple(TaxLine(percent, tax, total) for percent, (tax, total) in sorted(rates.items())))


def _taxes(part: Part) -> list[dict[str, str]]:
    return [
        {
            "percent": f"{line.percent.normalize():f}",
            "net": str(line.net),
            "tax": str(line.tax),
            "total": str(line.total),
        }
        for line in part.lines
    ]


def _payment(order: Order, payment: Payment | None) -> dict[str, str]:
    """How it was paid, or is to be paid."""
    if payment is None:
        return {}
    with translation.override(language_of(order)):
        method = _method(payment)
    if payment.captured_at is None:
        until = day_of(Order.objects.values_list("expires_at", flat=True).get(pk=order.pk))
        return {"method": method, "account": settings.BANK_ACCOUNT, "until": until}
    return {"method": method, "paid": day_of(order.paid_at or timezone.now())}


def _method(payment: Payment) -> str:
    try:
        return str(gateways.named(payment.gateway).method.name)
    except gateways.UnknownMethod:
        return payment.gateway
