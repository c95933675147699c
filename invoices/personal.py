"""Invoices hold names and addresses: they are handed out with the rest, and stay when that is erased."""

from __future__ import annotations

from typing import Any

from invoices.models import Document
from shop import personal_data
from shop.personal_data import Person


def connect() -> None:
    """Have exports include invoices; called once, when Django is ready."""
    personal_data.register("invoices", held=held, erase=kept)


def held(person: Person) -> list[dict[str, Any]]:
    """All that the person's invoices and credit notes say."""
    documents = Document.objects.filter(order__in=personal_data.orders_of(person).order_by().values("pk"))
    return [
        {
            "kind": document.kind,
            "number": document.name,
            "issued_at": document.issued_at,
            "currency": document.currency,
            "net": document.net,
            "tax": document.tax,
            "total": document.total,
            **document.content,
        }
        for document in documents.order_by("pk")
    ]


def kept(person: Person) -> int:
    """Erase none: tax law wants them kept for years, unchanged. The customer's link to them ends."""
    return 0
