"""The one kind of job: make a document's PDF, so that it is there when somebody asks for it."""

from __future__ import annotations

from django.db import transaction

from invoices import filing
from invoices.issuing import RENDER
from invoices.models import Document
from invoices.rendering import NotRendered
from tasks import claiming
from tasks.claiming import Claim, JobFailed
from tasks.registry import handles


@handles(RENDER, queue="reports")
def render(claim: Claim) -> None:
    """Make the PDF of an invoice or a credit note; twice is once."""
    try:
        filing.pdf_of(Document.objects.get(pk=claim.payload["document"]))
    except NotRendered as error:
        raise JobFailed(str(error)) from error
    with transaction.atomic():
        claiming.complete(claim)
