"""A document in words: what is printed where, in its language, with amounts and days as people there write
them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_percent
from django.utils.translation import gettext as _
from django.utils.translation import override

from invoices.models import Document, Kind
from shop.languages import apart, is_from_right, locale
from shop.templatetags.storefront import money, number, options

type Row = list[str]


def of(document: Document) -> dict[str, Any]:
    """All that the page has, as `document.typ` takes it: texts, and tables as rows of texts."""
    with override(document.language):
        return _Words(document).all()


class _Words:
    """Puts one document into the words of the language that is active."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.said = document.content
        self.is_invoice = document.kind == Kind.INVOICE

    def all(self) -> dict[str, Any]:
        """All that the page has."""
        seller, title = self.said["seller"], self._title()
        about = [*map(apart, seller["address"]), apart(seller["email"])]
        if seller["vat_id"]:
            about.append(_("VAT ID {number}").format(number=apart(seller["vat_id"])))
        return {
            "language": locale().language,
            "rtl": is_from_right(),
            "title": title,
            "author": apart(seller["name"]),
            "seller": about,
            "to": [apart(line) for line in self.said["to"]],
            "facts": self._facts(),
            "goods": self._goods(),
            "sums": self._sums(),
            "taxes": self._taxes(),
            "notes": self._notes(),
            "foot": f"{apart(seller['name'])} · {title}",
            "page": _("Page {page} of {pages}"),
        }

    def _title(self) -> str:
        title = _("Invoice {name}") if self.is_invoice else _("Credit note {name}")
        return title.format(name=apart(self.document.name))

    def _facts(self) -> list[Row]:
        facts = [[_("Date"), _day(self.said["date"])]]
        if corrected := self.said.get("corrects"):
            facts.append([_("For invoice"), f"{apart(corrected['name'])}, {_day(corrected['date'])}"])
        order = self.said["order"]
        facts.append([_("Order"), f"{order['number']}, {_day(order['date'])}"])
        if self.said["sent_to"]:
            facts.append([_("Goes to"), apart(", ".join(self.said["sent_to"]))])
        return facts

    def _goods(self) -> dict[str, Any]:
        """The table of lines; of a credit note, of the pieces that came back."""
        if not self.is_invoice:
            head = [_("Returned"), _("Quantity")] if self.said["lines"] else []
            rows = [[_named(line), number(line["quantity"])] for line in self.said["lines"]]
            return {"head": head, "rows": rows}
        rows = [
            [
                _named(line),
                number(line["quantity"]),
                self._money(line["price"]),
                _percent(line["percent"]),
                self._money(line["subtotal"]),
            ]
            for line in self.said["lines"]
        ]
        return {"head": [_("Product"), _("Quantity"), _("Price"), _("Tax"), _("Amount")], "rows": rows}

    def _sums(self) -> list[Row]:
        """What the total is made of; the total last."""
        if not self.is_invoice:
            return [[_("Credited in all"), self._money(self.document.total)]]
        discount, delivery = self.said["discount"], self.said["delivery"]
        sums = [[_("Subtotal"), self._money(self.said["subtotal"])]]
        if Decimal(discount["amount"]):
            named = f"{_('Discount')} {apart(discount['code'])}".strip()
            sums.append([named, self._money(-Decimal(discount["amount"]))])
        sums.append([f"{_('Delivery')}, {apart(delivery['name'])}", self._money(delivery["amount"])])
        if not self.said["prices_include_tax"]:
            sums.append([_("Tax"), self._money(self.document.tax)])
        return [*sums, [_("Total"), self._money(self.document.total)]]

    def _taxes(self) -> dict[str, Any]:
        rows = [
            [_percent(line["percent"]), *(self._money(line[name]) for name in ("net", "tax", "total"))]
            for line in self.said["taxes"]
        ]
        return {"head": [_("Tax rate"), _("Net"), _("Tax"), _("With tax")], "rows": rows}

    def _notes(self) -> list[str]:
        notes = [_("Prices include tax.")] if self.said.get("prices_include_tax") else []
        if not self.is_invoice:
            unpaid = _("The order ended without having been paid, so nothing of the invoice has to be paid.")
            notes.append(unpaid if self.said["unpaid"] else _("This amount was given back to you."))
        return [*notes, *self._payment(self.said.get("payment") or {})]

    def _payment(self, payment: dict[str, str]) -> list[str]:
        if paid := payment.get("paid"):
            text, method = _("Paid on {day}: {method}. Nothing is left to pay."), payment["method"]
            # Every way to pay has a name; it is stored in English.
            return [text.format(day=_day(paid), method=apart(_(method)))]
        if not payment:
            return []
        total, order = self._money(self.document.total), self.said["order"]["number"]
        reference = _("Order %(number)s") % {"number": order}  # as the order's own page has it
        text = _("Please transfer {amount} until {day}, with the reference “{reference}”.")
        asked = text.format(amount=total, day=_day(payment["until"]), reference=reference)
        account = apart(payment["account"])
        return [asked, *([_("Account: {account}").format(account=account)] if account else [])]

    def _money(self, amount: Decimal | str) -> str:
        return money(Decimal(amount), self.document.currency)


def _day(day: str) -> str:
    return format_date(date.fromisoformat(day), format="long", locale=locale())


def _percent(percent: str) -> str:
    """`8 %` with as many decimals as it has, three at most."""
    pattern = locale().percent_formats[None].pattern.replace("#,##0", "#,##0.###")
    return format_percent(Decimal(percent) / 100, pattern, locale=locale())


def _named(line: dict[str, Any]) -> str:
    chosen = f" ({options(line['options'])})" if line["options"] else ""
    return apart(f"{line['name']}{chosen}, {line['sku']}")
