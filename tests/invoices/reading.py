"""What the PDF of a document says, and how it is made."""

from __future__ import annotations

import re
from decimal import Decimal
from io import BytesIO

from pypdf import PdfReader

from invoices import filing
from invoices.models import Document


def read(document: Document) -> PdfReader:
    return PdfReader(BytesIO(filing.pdf_of(document)))


def text_of(reader: PdfReader) -> str:
    """All pages' text, spaces as they come."""
    return "\n".join(page.extract_text() for page in reader.pages)


def amounts_in(text: str) -> list[Decimal]:
    """All amounts in euros, as English writes them, in order."""
    return [
        Decimal(f"{sign}{one.replace(',', '')}") for sign, one in re.findall(r"(-?)€([\d,]+\.\d\d)", text)
    ]
