"""Invoices and credit notes in the admin: their list, and the PDF of each."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from invoices import pages
from invoices.models import Document, Kind
from tasks.listing import BigListAdmin, spoken

_COLOURS = {Kind.INVOICE: "success", Kind.CREDIT_NOTE: "warning"}


@admin.register(Document)
class DocumentAdmin(BigListAdmin):
    """Read-only: an invoice is never changed, another document corrects it."""

    list_display = ["named", "kind_shown", "of_order", "in_all", "issued", "pdf"]
    list_display_links = ["named"]
    list_filter = [("kind", ChoicesDropdownFilter)]
    list_select_related = ["order"]
    search_fields = ["number"]  # the field is there; what it searches says get_search_results
    search_help_text = "Its number or the order's"
    fields = readonly_fields = [
        "named", "kind", "of_order", "corrects", "net_shown", "tax_shown", "in_all", "issued_at",
        "language", "pdf",
    ]  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        """With the door to the PDF."""
        view = self.admin_site.admin_view(self._pdf)
        return [path("<int:pk>/pdf/", view, name="invoices_document_pdf"), *super().get_urls()]

    def _pdf(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return pages.as_file(get_object_or_404(Document, pk=pk))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Document], search_term: str
    ) -> tuple[QuerySet[Document], bool]:
        """The one with that number as it is printed; or those with a bare number, and of the order with it.
        All by index."""
        term = search_term.strip()
        digits = re.search(r"[0-9]{1,18}$", term)
        if not digits:
            return (queryset.none() if term else queryset), False
        number = int(digits[0])
        numbered = Document.objects.filter(kind__in=Kind.values, number=number)
        if digits[0] != term:
            return queryset.filter(pk__in=numbered.filter(name__iexact=term)), False
        of_order = Document.objects.filter(order__number=number)
        return queryset.filter(pk__in=[one.pk for one in (*numbered, *of_order)]), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Document | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Document | None = None) -> bool:
        return False

    @display(description="number", ordering="pk")
    def named(self, document: Document) -> str:
        return document.name

    @display(description="kind", label=_COLOURS)
    def kind_shown(self, document: Document) -> tuple[str, str]:
        return document.kind, document.get_kind_display()

    @display(description="order")
    def of_order(self, document: Document) -> SafeString:
        link = reverse("admin:shop_order_change", args=[document.order_id])
        return format_html('<a class="tally-link" href="{}">{}</a>', link, str(document.order.number))

    @display(description="total", formatting="price")
    def in_all(self, document: Document) -> str:
        return _money(document.total, document)

    @display(description="net")
    def net_shown(self, document: Document) -> str:
        return _money(document.net, document)

    @display(description="tax")
    def tax_shown(self, document: Document) -> str:
        return _money(document.tax, document)

    @display(description="issued")
    def issued(self, document: Document) -> SafeString | str:
        return spoken(document.issued_at)

    @display(description="PDF")
    def pdf(self, document: Document) -> SafeString:
        link = reverse("admin:invoices_document_pdf", args=[document.pk])
        return format_html('<a class="tally-link" href="{}">Download</a>', link)


def _money(amount: Any, document: Document) -> str:
    return f"{amount:,.2f} {document.currency}"
