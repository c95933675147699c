"""What is left of an invoice, and a part of it with its tax: one rule, so that all parts add up to it.

A part's amount is shared out by tax rate in proportion to what is left of each, by largest remainder, and
the tax of a share is in proportion to what is left of it, half up. So whoever takes all that is left takes
exactly the tax that is left, however many parts there were before.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from invoices.models import Document
from shop import pricing


@dataclass(frozen=True, slots=True)
class TaxLine:
    """What is at one rate (percent); `total` with tax."""

    percent: Decimal
    tax: Decimal
    total: Decimal

    @property
    def net(self) -> Decimal:
        return self.total - self.tax


@dataclass(frozen=True, slots=True)
class Part:
    """Some of an invoice, or all of it."""

    lines: tuple[TaxLine, ...]

    @property
    def total(self) -> Decimal:
        return sum((line.total for line in self.lines), Decimal("0.00"))

    @property
    def tax(self) -> Decimal:
        return sum((line.tax for line in self.lines), Decimal("0.00"))

    @property
    def net(self) -> Decimal:
        return self.total - self.tax

    def share(self, amount: Decimal) -> Part:
        """A part of so much, tax included, which is not more than this one.

        >>> Part((TaxLine(Decimal(25), Decimal("2.00"), Decimal("10.00")),)).share(Decimal("0.04")).tax
        Decimal('0.01')
        """
        amounts = pricing.split(amount, [line.total for line in self.lines])
        shared = zip(self.lines, amounts, strict=True)
        return Part(
            tuple(
                TaxLine(line.percent, pricing.cents(line.tax * amount / line.total), amount)
                for line, amount in shared
                if amount
            )
        )


def left_of(invoice: Document) -> Part:
    """What of the invoice no credit note has taken back."""
    taken = [part_of(note) for note in invoice.corrections.all()]
    lines = [
        TaxLine(
            line.percent,
            line.tax - sum(_at(part, line.percent).tax for part in taken),
            line.total - sum(_at(part, line.percent).total for part in taken),
        )
        for line in part_of(invoice).lines
    ]
    return Part(tuple(line for line in lines if line.total))


def part_of(document: Document) -> Part:
    """All of a document, by rate."""
    return Part(tuple(_read(line) for line in document.content["taxes"]))


def _read(line: dict[str, Any]) -> TaxLine:
    return TaxLine(Decimal(line["percent"]), Decimal(line["tax"]), Decimal(line["total"]))


def _at(part: Part, percent: Decimal) -> TaxLine:
    nothing = TaxLine(percent, Decimal("0.00"), Decimal("0.00"))
    return next((line for line in part.lines if line.percent == percent), nothing)
