"""What the PDF of a document says."""

from __future__ import annotations

import re
from decimal import Decimal
from io import BytesIO

from pypdf import PdfReader
from pypdf.generic import ContentStream

from invoices import filing
from invoices.models import Document


def read(document: Document) -> PdfReader:
    """The document's PDF, made if it is not there."""
    return PdfReader(BytesIO(filing.pdf_of(document)))


def text_of(reader: PdfReader) -> str:
    """The text of all pages."""
    return "\n".join(page.extract_text() for page in reader.pages)


def amounts_in(text: str) -> list[Decimal]:
    """All amounts in euros, as English writes them, in their order."""
    found = re.findall(r"(-?)€([\d,]+\.\d\d)", text)
    return [Decimal(f"{sign}{one.replace(',', '')}") for sign, one in found]


def glyphs_of(reader: PdfReader) -> set[int]:
    """The numbers of all glyphs that are shown; 0 is the empty box for what a font does not have."""
    shown = bytearray()
    for page in reader.pages:
        for operands, operator in ContentStream(page.get_contents(), reader).operations:
            if operator in (b"Tj", b"TJ"):
                strings = operands[0] if operator == b"TJ" else operands
                for one in strings:
                    shown += getattr(one, "original_bytes", b"")
    return {int.from_bytes(shown[at : at + 2]) for at in range(0, len(shown), 2)}
