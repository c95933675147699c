"""A customer's invoices, for whoever has the order's link: no other order's, and none of who was erased."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from invoices import filing
from invoices.models import Document, Kind
from shop import panels
from shop.languages import apart
from shop.models import Order
from shop.order_page import discreet, found
from shop.panels import Paper


def connect() -> None:
    """Have orders' pages offer them; called once, when Django is ready."""
    panels.register_papers(papers)


@require_safe
@discreet
def document(request: HttpRequest, token: str, *, kind: str, number: str) -> HttpResponse:
    """The PDF, made now if it is not there."""
    order = found(token)
    if order.erased_at is not None:
        raise Http404
    wanted = get_object_or_404(order.documents, kind=kind.replace("-", "_"), number=int(number))
    return as_file(wanted)


def as_file(document: Document) -> HttpResponse:
    """An answer that the browser keeps as a file of the document's name."""
    answer = HttpResponse(filing.pdf_of(document), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{document.filename}"'
    return answer


def path_of(document: Document, order: Order) -> str:
    """Where the customer gets it: a part of the order's own link."""
    return reverse("invoices:document", args=[order.token, document.kind.replace("_", "-"), document.number])


def papers(order: Order) -> list[Paper]:
    """What the order's page offers."""
    if order.erased_at is not None:
        return []
    return [Paper(_named(one), path_of(one, order)) for one in order.documents.order_by("pk")]


def _named(document: Document) -> str:
    if document.kind == Kind.INVOICE:
        return _("Invoice {name}").format(name=apart(document.name))
    return _("Credit note {name}").format(name=apart(document.name))
