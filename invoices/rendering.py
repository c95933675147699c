"""The PDF of a document: its words, set by `shop.printing`."""

from __future__ import annotations

from pathlib import Path

from invoices import wording
from invoices.models import Document
from shop.printing import printer

_TEMPLATE = Path(__file__).with_name("document.typ")


class NotRendered(Exception):  # noqa: N818 - it is an outcome
    """Typst could not make the PDF; the text has its words."""


def pdf_of(document: Document) -> bytes:
    """PDF/UA-1, the same bytes whenever it is made; raises NotRendered. Takes some tenths of a second."""
    try:
        return printer.pdf(_TEMPLATE, wording.of(document), made_at=document.issued_at)
    except printer.NotPrinted as error:
        raise NotRendered(f"{document} could not be made: {error}") from error
