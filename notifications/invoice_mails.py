"""Invoices and credit notes go to the customer as settings.INVOICE_MAIL says: attached, linked, or not."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from invoices import pages
from invoices.models import Document, Kind
from invoices.signals import document_issued
from notifications import order_mails


def connect() -> None:
    """Listen to what is issued; called once, when Django is ready."""
    document_issued.connect(_issued, dispatch_uid="notifications.document_issued")


def _issued(*, document: Document, **_: Any) -> None:
    if settings.INVOICE_MAIL == "none":
        return
    is_attached = settings.INVOICE_MAIL == "attach"
    order_mails.write(
        document.kind,
        document.order,
        which="" if document.kind == Kind.INVOICE else document.number,
        attachment=document.subject if is_attached else "",
        document=document,
        document_url="" if is_attached else settings.SITE_URL + pages.path_of(document, document.order),
    )
